"""Input of the pages for vendors, officers and schools."""

from collections.abc import Sequence
from datetime import date
from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shuren.directory.data import OrgData
from shuren.interop.data import (
    MANDATORY_EVENTS,
    AppCategory,
    Applicant,
    DataPurpose,
    DataWish,
    Decision,
    Entry,
    EventType,
    LaunchKind,
)
from shuren.interop.rules.entries import MAX_ICON_BYTES, SCOPES
from shuren.interop.rules.oneroster.scopes import ALL as ONEROSTER_SCOPES
from shuren.kernel import ids
from shuren.kernel.announced import purpose_words
from shuren.standards.data import ElementData, Grade

CATEGORIES = {
    AppCategory.LESSON_PREPARATION: _("备课授课"),
    AppCategory.INTERACTIVE_CLASSROOM: _("互动课堂"),
    AppCategory.COLLABORATION: _("协作互动"),
    AppCategory.ONLINE_COURSE: _("网络课程"),
    AppCategory.ONLINE_RESEARCH: _("网络教研"),
    AppCategory.HOMEWORK_ASSESSMENT: _("作业测评"),
    AppCategory.DIGITAL_LIBRARY: _("数字图书馆"),
    AppCategory.LANGUAGE_LEARNING: _("语言学习"),
}
KINDS = {LaunchKind.OIDC: "OpenID Connect", LaunchKind.CAS: "CAS 3.0", LaunchKind.SAML: "SAML 2.0", LaunchKind.LTI: "LTI 1.3"}
EVENTS = {
    EventType.PERSON_CHANGED: _("人员信息有变化"),
    EventType.PERSON_MERGED: _("重复人员已合并"),
    EventType.PERSON_ERASED: _("个人信息已删除"),
    EventType.ORG_CHANGED: _("机构有变化"),
    EventType.ROSTER_APPLIED: _("名册已更新"),
    EventType.CONSENT_GIVEN: _("有人同意提供数据"),
    EventType.CONSENT_WITHDRAWN: _("有人撤回同意"),
    EventType.APP_INSTALLED: _("有学校选用"),
    EventType.APP_REMOVED: _("有学校停用"),
    EventType.APP_RESUMED: _("应用恢复使用"),
    EventType.PING: _("试发"),
}
ONEROSTER_WORDS = (
    _("读取机构、班级、人员（OneRoster 基本）"),
    _("读取机构、班级、人员和相互关系（OneRoster）"),
    _("读取出生日期和性别（OneRoster）"),
    _("读取成绩栏和成绩（OneRoster 基本）"),
    _("读取成绩栏和成绩（OneRoster）"),
    _("写入成绩栏和成绩（OneRoster）"),
    _("为班级添加成绩栏和成绩（OneRoster）"),
    _("删除自己写入的成绩（OneRoster）"),
    _("读取测评成绩（OneRoster）"),
    _("写入测评成绩（OneRoster）"),
    _("删除自己写入的测评成绩（OneRoster）"),
    _("读取学习资源目录（OneRoster 基本）"),
    _("读取学习资源目录（OneRoster）"),
)
SCOPE_WORDS = {
    "directory.read": _("读取机构和人员"),
    "registers.read": _("读取台账（不含个人信息）"),
    "registers.write": _("登记和修改台账"),
    "scim.read": _("读取账号（SCIM）"),
    "scim.write": _("管理账号（SCIM）"),
    **dict(zip(ONEROSTER_SCOPES, ONEROSTER_WORDS, strict=True)),
    "statements/write": _("写入学习记录（xAPI、Caliper）"),
    "statements/read/mine": _("读取自己写入的学习记录"),
    "state": _("保存学习进度（xAPI State）"),
    "define": _("说明学习活动的名称和内容（xAPI）"),
    "crypto": _("使用密码服务"),
    "webhooks": _("管理消息"),
    "lineage.write": _("报告数据血缘（OpenLineage）"),
}
CHOSEN_EVENTS = tuple(event for event in EventType if event not in MANDATORY_EVENTS)


def _org_choices(form: forms.Form, orgs: Sequence[OrgData]) -> None:
    cast(forms.ChoiceField, form.fields["org"]).choices = [(org.public_id, org.name) for org in orgs]


class RegistrationForm(forms.Form):
    """An enterprise asks to offer apps."""

    name = forms.CharField(label=_("单位名称"), max_length=120, help_text=_("与营业执照一致。"))
    credit_code = forms.CharField(label=_("统一社会信用代码"), max_length=18, help_text=_("18 位。"))
    contact_name = forms.CharField(label=_("联系人姓名"), max_length=80)
    email = forms.EmailField(label=_("联系邮箱"), help_text=_("审核结果会发到这里。"))
    phone = forms.CharField(label=_("联系电话"), max_length=30, required=False)
    website = forms.URLField(label=_("单位网站"), max_length=200, required=False, assume_scheme="https")
    org = forms.ChoiceField(label=_("向哪里申请"), help_text=_("向上一级申请，一次通过可供下面所有学校选用。"))

    def __init__(self, *args: object, orgs: Sequence[OrgData], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        _org_choices(self, orgs)

    def clean_credit_code(self) -> str:
        return str(self.cleaned_data["credit_code"]).strip().upper()

    @property
    def org_id(self) -> int:
        return ids.decode("org", self.cleaned_data["org"])

    def applicant(self) -> Applicant:
        facts = self.cleaned_data
        return Applicant(
            name=facts["name"],
            credit_code=facts["credit_code"],
            contact_name=facts["contact_name"],
            email=facts["email"],
            phone=facts["phone"],
            website=facts["website"],
        )


class EntryForm(forms.Form):
    """What an app says of itself; the wanted elements stand beside it, one row each (`WishRows`)."""

    name = forms.CharField(label=_("中文名称"), max_length=40)
    name_en = forms.CharField(label=_("英文名称"), max_length=80)
    category = forms.ChoiceField(label=_("类别"), choices=list(CATEGORIES.items()))
    icon = forms.FileField(
        label=_("图标"),
        required=False,
        help_text=_("正方形 PNG，边长 128 到 1024 像素，64 KB 以内。"),
        widget=forms.FileInput(attrs={"accept": "image/png"}),
    )
    description = forms.CharField(label=_("中文介绍"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))
    description_en = forms.CharField(label=_("英文介绍"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))
    kind = forms.ChoiceField(label=_("登录方式"), choices=list(KINDS.items()))
    launch_url = forms.CharField(
        label=_("打开应用的网址"), max_length=500, help_text=_("用户在门户点开应用时打开；应用从这里开始登录。")
    )
    redirect_uris = forms.CharField(
        label=_("登录后回到的网址"),
        required=False,
        help_text=_("一行一个，必须完全一致。"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    jwks_uri = forms.CharField(
        label=_("公钥网址"),
        max_length=500,
        required=False,
        help_text=_("LTI 应用必须填：应用用自己的密钥签名，我们从这里取公钥核对。"),
    )
    logout_url = forms.CharField(label=_("退出通知网址"), max_length=500, required=False)
    webhook_url = forms.CharField(label=_("消息通知网址"), max_length=500, required=False)
    events = forms.MultipleChoiceField(
        label=_("订阅的消息"),
        required=False,
        choices=[(event.value, EVENTS[event]) for event in CHOSEN_EVENTS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("撤回同意的消息一定会发，不用订阅。"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("需要的接口"),
        required=False,
        choices=[(scope, SCOPE_WORDS[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    serves_minors = forms.BooleanField(label=_("未成年人会使用"), required=False, initial=True)
    privacy_url = forms.CharField(label=_("隐私政策网址"), max_length=500)
    privacy_text = forms.CharField(
        label=_("怎样使用和保护数据"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("用家长看得懂的话写，会显示给学校和家长。"),
    )

    def clean_icon(self) -> bytes:
        file = self.cleaned_data["icon"]
        if not file:
            return b""
        if file.size > MAX_ICON_BYTES:
            raise ValidationError(gettext("图标不能超过 64 KB。"))
        return bytes(file.read())

    def entry(self, wishes: tuple[DataWish, ...], *, icon: bytes = b"") -> Entry:
        facts = self.cleaned_data
        return Entry(
            name=facts["name"],
            name_en=facts["name_en"],
            category=AppCategory(facts["category"]),
            description=facts["description"],
            description_en=facts["description_en"],
            kind=LaunchKind(facts["kind"]),
            launch_url=facts["launch_url"].strip(),
            redirect_uris=tuple(facts["redirect_uris"].split()),
            logout_url=facts["logout_url"].strip(),
            webhook_url=facts["webhook_url"].strip(),
            privacy_url=facts["privacy_url"].strip(),
            privacy_text=facts["privacy_text"],
            serves_minors=facts["serves_minors"],
            scopes=tuple(sorted(facts["scopes"])),
            events=tuple(EventType(value) for value in sorted(facts["events"])),
            wishes=wishes,
            icon=facts["icon"] or icon,
            jwks_uri=facts["jwks_uri"].strip(),
        )


class WishForm(forms.Form):
    """Whether one element is wanted, what for, and why."""

    purpose = forms.ChoiceField(label=_("用途"), required=False)
    reason = forms.CharField(label=_("为什么需要"), max_length=200, required=False)

    def __init__(self, data: QueryDict | None, *, element: ElementData, initial: dict[str, object] | None) -> None:
        super().__init__(data, prefix=element.code, initial=initial)
        self.element = element
        choices = [("", _("不需要")), *((purpose.value, purpose_words(purpose)) for purpose in DataPurpose)]
        cast(forms.ChoiceField, self.fields["purpose"]).choices = choices
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{element.name_zh} {field.label}"

    def wish(self) -> DataWish | None:
        purpose = self.cleaned_data["purpose"]
        if not purpose:
            return None
        return DataWish(self.element.code, DataPurpose(purpose), self.cleaned_data["reason"].strip(), self.element.grade)


class WishRows:
    """One row per element of the registry that is not public, in order of grade."""

    def __init__(self, data: QueryDict | None, elements: Sequence[ElementData], held: Sequence[DataWish]) -> None:
        wanted = {wish.element: wish for wish in held}
        shown = [element for element in elements if element.grade is not Grade.PUBLIC]
        self.rows = [
            WishForm(
                data,
                element=element,
                initial={"purpose": wanted[element.code].purpose, "reason": wanted[element.code].reason}
                if element.code in wanted
                else None,
            )
            for element in sorted(shown, key=lambda element: (element.grade, element.code))
        ]

    def is_valid(self) -> bool:
        return all(list(map(WishForm.is_valid, self.rows)))

    def wishes(self) -> tuple[DataWish, ...]:
        return tuple(wish for row in self.rows if (wish := row.wish()) is not None)


class BranchForm(forms.Form):
    """Which branch is asked."""

    org = forms.ChoiceField(label=_("交给哪里审核"), help_text=_("审核通过后，这个地区的所有学校都可以选用。"))

    def __init__(self, *args: object, orgs: Sequence[OrgData], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        _org_choices(self, orgs)

    @property
    def org_id(self) -> int:
        return ids.decode("org", self.cleaned_data["org"])


class ToolForm(forms.Form):
    """Where a tool registers itself."""

    url = forms.CharField(
        label=_("工具的登记网址"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text=_("LTI 动态注册（Dynamic Registration）的网址，工具的说明里有。"),
    )


class DecisionForm(forms.Form):
    """What an officer decides about a version."""

    decision = forms.ChoiceField(
        label=_("决定"),
        choices=[
            (Decision.APPROVE.value, _("同意上架")),
            (Decision.RETURN.value, _("退回修改")),
            (Decision.REFUSE.value, _("不同意")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("意见"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("退回和不同意必须写。"),
    )


class VendorDecisionForm(forms.Form):
    """What an officer decides about an applicant."""

    decision = forms.ChoiceField(
        label=_("决定"), choices=[("approve", _("同意")), ("refuse", _("不同意"))], widget=forms.RadioSelect
    )
    reason = forms.CharField(label=_("意见"), max_length=300, required=False, help_text=_("不同意必须写，对方会看到。"))


class ReasonForm(forms.Form):
    """A grave step says why."""

    reason = forms.CharField(label=_("原因"), max_length=300, help_text=_("服务商和学校会看到。"))


class QuotaForm(forms.Form):
    """How many calls an app may make."""

    per_minute = forms.IntegerField(label=_("每分钟最多"), min_value=1, max_value=1_000_000)
    per_day = forms.IntegerField(label=_("每天最多"), min_value=1, max_value=1_000_000_000)


class LeaveForm(forms.Form):
    """When an app leaves."""

    leaves_on = forms.DateField(
        label=_("下架日期"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("请填写日期，例如 2026-09-01。"), "invalid": _("请写成 2026-09-01 这样的日期。")},
    )
    reason = forms.CharField(label=_("原因"), max_length=300)

    @property
    def day(self) -> date:
        day: date = self.cleaned_data["leaves_on"]
        return day


class ChooseForm(forms.Form):
    """A school agrees to what an app asks for."""

    has_read_data = forms.BooleanField(label=_("我已了解这个应用要用哪些数据、用来做什么"))
