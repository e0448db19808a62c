"""Input of the directory's pages, parsed into `data`; nothing is saved here."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shuren.directory.data import NewOrg, NewPerson, OrgData, OrgType, Role, Sex
from shuren.directory.rules.boundaries import MAX_BYTES
from shuren.directory.rules.permissions import EMERGENCY_HOURS, roles_at
from shuren.kernel import ids

_Choices = Sequence[tuple[str, object]]
_YEAR = timedelta(days=366)
_CHOOSE = {"required": _("请选择一项。"), "invalid_choice": _("请从列出的内容中选择一项。")}


class DayField(forms.DateField):
    """A day; `earliest` and `latest` keep slips of the pen out and say what would be right."""

    def __init__(self, *, earliest: date | None = None, latest: date | None = None, **kwargs: object) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"required": _("请填写日期，例如 2026-09-01。"), "invalid": _("请写成 2026-09-01 这样的日期。")},
            **kwargs,  # type: ignore[arg-type]  # Django's field takes them as they come
        )
        self.earliest, self.latest = earliest, latest

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value and self.earliest and value < self.earliest:
            raise ValidationError(
                gettext("日期不能早于 %(day)s，请改用这一天或以后的日期。") % {"day": self.earliest.isoformat()}
            )
        if value and self.latest and value > self.latest:
            raise ValidationError(gettext("日期不能晚于 %(day)s，请改用这一天或以前的日期。") % {"day": self.latest.isoformat()})


def offer(form: forms.Form, field: str, choices: _Choices) -> None:
    """What a field of choices lets one choose from."""
    cast(forms.ChoiceField, form.fields[field]).choices = choices


def begin_today(form: forms.Form, today: date) -> None:
    """Today unless said otherwise, and one year ahead at most."""
    field = cast(DayField, form.fields["begin_date"])
    field.initial, field.latest = today, today + _YEAR


class ReasonForm(forms.Form):
    """A change that wants a reason on file."""

    reason = forms.CharField(label=_("原因"), max_length=200, required=False, help_text=_("写进变更记录，例如“区划调整”。"))


class OrgForm(forms.Form):
    """A new org under a known parent."""

    type = forms.ChoiceField(label=_("机构类型"))
    name = forms.CharField(label=_("机构名称"), max_length=120)
    short_name = forms.CharField(label=_("简称"), max_length=60, required=False)
    code = forms.CharField(label=_("机构标识码"), max_length=18, required=False, help_text=_("学校填 10 位学校（机构）标识码。"))
    division_code = forms.CharField(label=_("行政区划代码"), max_length=12, required=False, help_text=_("6 位，GB/T 2260。"))
    credit_code = forms.CharField(label=_("统一社会信用代码"), max_length=18, required=False)

    def __init__(self, *args: object, types: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "type", types)

    def new_org(self, parent_id: int) -> NewOrg:
        facts = self.cleaned_data
        return NewOrg(
            parent_id=parent_id,
            type=OrgType(facts["type"]),
            name=facts["name"],
            short_name=facts["short_name"],
            code=facts["code"],
            division_code=facts["division_code"],
            credit_code=facts["credit_code"],
        )


class CorrectOrgForm(ReasonForm):
    """A new name or corrected codes of an org."""

    name = forms.CharField(label=_("机构名称"), max_length=120)
    short_name = forms.CharField(label=_("简称"), max_length=60, required=False)
    code = forms.CharField(label=_("机构标识码"), max_length=18, required=False, help_text=_("学校填 10 位学校（机构）标识码。"))
    division_code = forms.CharField(label=_("行政区划代码"), max_length=12, required=False, help_text=_("6 位，GB/T 2260。"))
    credit_code = forms.CharField(label=_("统一社会信用代码"), max_length=18, required=False)
    field_order = ("name", "short_name", "code", "division_code", "credit_code", "reason")

    def changes(self) -> dict[str, object]:
        return {key: value for key, value in self.cleaned_data.items() if key != "reason"}


class BoundariesForm(forms.Form):
    """A GeoJSON file with the boundaries of the orgs below one."""

    file = forms.FileField(
        label=_("GeoJSON 文件"),
        help_text=_("每个下级机构一个面，属性 name 写它的名称，或者 adcode 写它的行政区划代码。"),
        widget=forms.FileInput(attrs={"accept": ".geojson,.json,application/geo+json"}),
        error_messages={"required": _("请选择文件。"), "empty": _("这个文件是空的。")},
    )

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise ValidationError(gettext("文件超过 %(size)s MB，请简化边界后再导出。") % {"size": MAX_BYTES // 2**20})
        return bytes(file.read())


class ChooseOrgForm(ReasonForm):
    """Another org to move to or merge into."""

    org = forms.ChoiceField(label=_("机构"))
    field_order = ("org", "reason")

    def __init__(self, *args: object, orgs: Sequence[OrgData], label: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        self.fields["org"].label = label  # type: ignore[assignment]  # a lazy text
        choices = [("", _("请选择")), *((org.public_id, "　" * max(0, org.depth - 1) + org.name) for org in orgs)]
        offer(self, "org", choices)

    @property
    def org_id(self) -> int:
        return ids.decode("org", self.cleaned_data["org"])


class PersonForm(forms.Form):
    """A person's own facts."""

    name = forms.CharField(label=_("姓名"), max_length=80)
    sex = forms.ChoiceField(label=_("性别"))
    birth_date = forms.DateField(
        label=_("出生日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    pupil_number = forms.CharField(label=_("学籍号"), max_length=19, required=False, help_text=_("G、J 或 L 开头，共 19 位。"))
    staff_number = forms.CharField(label=_("教职工号"), max_length=40, required=False)
    phone = forms.CharField(label=_("手机号"), max_length=30, required=False)
    email = forms.EmailField(label=_("电子邮箱"), max_length=120, required=False)
    national_id = forms.CharField(label=_("身份证件号"), max_length=20, required=False, help_text=_("加密保存。不改动就留空。"))

    def __init__(self, *args: object, sexes: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "sex", sexes)

    def changes(self) -> dict[str, object]:
        return {key: value for key, value in self.cleaned_data.items() if key not in ("reason", "role")}

    def new_person(self) -> NewPerson:
        facts = self.changes()
        return NewPerson(**{**facts, "sex": Sex(str(facts["sex"]))})  # type: ignore[arg-type]  # cleaned by the fields


class CorrectPersonForm(PersonForm, ReasonForm):
    """A correction, with its reason."""


class NewPersonForm(PersonForm):
    """A new person and their role in the org they are entered from."""

    role = forms.ChoiceField(label=_("角色"))
    field_order = ("role", "name", "sex")

    def __init__(self, *args: object, roles: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "role", roles)


class GrantForm(forms.Form):
    """A role for a person on a known branch."""

    number = forms.CharField(label=_("人员编号"), max_length=40, help_text=_("对方的人员编号、学籍号或教职工号。"))
    role = forms.ChoiceField(label=_("角色"))
    purpose = forms.CharField(label=_("用途"), max_length=60, required=False, help_text=_("例如“2026 年质量监测”。"))
    end_date = forms.DateField(
        label=_("有效期至"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("到这一天结束为止；不填表示长期。"),
    )
    may_delegate = forms.BooleanField(label=_("允许再授权给别人"), required=False)

    def __init__(self, *args: object, roles: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "role", roles)

    @property
    def given_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def end_at(self) -> datetime | None:
        """The end of the named day in the installation's time zone."""
        day = self.cleaned_data["end_date"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None


class PickForm(forms.Form):
    """Something is picked from what a search found, and when it begins."""

    pick = forms.ChoiceField(
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择一项。"), "invalid_choice": _("请从查找结果中选择一项。")},
    )
    begin_date = DayField(label=_("开始日期"))

    def __init__(self, *args: object, picks: _Choices, label: object, today: date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "pick", picks)
        self.fields["pick"].label = label  # type: ignore[assignment]  # a lazy text
        begin_today(self, today)

    @property
    def picked(self) -> str:
        return str(self.cleaned_data["pick"])


class RoleForm(PickForm):
    """A role at the picked org."""

    role = forms.ChoiceField(label=_("角色"), error_messages=_CHOOSE)
    end_date = DayField(label=_("结束日期"), required=False, help_text=_("从这一天起不再担任；不填表示长期。"))
    field_order = ("pick", "role", "begin_date", "end_date")

    def __init__(self, *args: object, roles: _Choices, kinds: dict[str, OrgType], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as the form above takes them
        offer(self, "role", [("", _("请选择")), *roles])
        self.kinds, self.words = kinds, dict(roles)

    def clean(self) -> dict[str, object]:
        facts = super().clean() or self.cleaned_data
        kind = self.kinds.get(str(facts.get("pick", "")))
        if kind is not None and facts.get("role") and Role(facts["role"]) not in roles_at(kind):
            allowed = gettext("、").join(str(self.words[role.value]) for role in roles_at(kind) if role.value in self.words)
            message = gettext("这个机构没有这个角色。请另选机构，或改选：%(roles)s。") % {"roles": allowed}
            self.add_error("role", message)
        begin, end = facts.get("begin_date"), facts.get("end_date")
        if begin and end and end <= begin:
            self.add_error("end_date", gettext("结束日期必须晚于开始日期 %(day)s。") % {"day": begin.isoformat()})
        return facts


class ClassForm(PickForm):
    """A place in the picked class: learning beside the home class, or teaching."""

    role = forms.ChoiceField(label=_("身份"), error_messages=_CHOOSE)
    field_order = ("pick", "role", "begin_date")

    def __init__(self, *args: object, roles: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as the form above takes them
        offer(self, "role", roles)


class PlaceForm(PickForm):
    """The home class a pupil goes to, from which day, and why."""

    reason = forms.CharField(label=_("原因"), max_length=200, required=False, help_text=_("写进审计记录，例如“随父母工作调动”。"))
    field_order = ("pick", "begin_date", "reason")


class PupilsForm(forms.Form):
    """Pupils who begin in a known class on one day."""

    pupils = forms.MultipleChoiceField(
        label=_("学生"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("请至少勾选一名学生。"),
            "invalid_choice": _("名单里有人已经编班，或不在本校。请刷新页面后重新勾选。"),
        },
    )
    begin_date = DayField(label=_("开始日期"))

    def __init__(self, *args: object, pupils: _Choices, today: date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "pupils", pupils)
        begin_today(self, today)


class EndForm(forms.Form):
    """The first day on which something no longer holds."""

    end_date = DayField(label=_("结束日期"), help_text=_("从这一天起不再有效。"))

    def __init__(self, *args: object, today: date, begin: date | None, end: date | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        field = cast(DayField, self.fields["end_date"])
        field.initial = max(today, begin) if begin else today
        field.earliest, field.latest = begin, end - timedelta(days=1) if end else today + _YEAR


class GuardianForm(PickForm):
    """A known person becomes a guardian."""

    relation = forms.ChoiceField(label=_("与学生的关系"), error_messages=_CHOOSE)
    field_order = ("pick", "relation", "begin_date")

    def __init__(self, *args: object, relations: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as the form above takes them
        offer(self, "relation", [("", _("请选择")), *relations])


class NewGuardianForm(forms.Form):
    """A guardian who is not in the directory yet."""

    name = forms.CharField(label=_("姓名"), max_length=80, error_messages={"required": _("请填写姓名。")})
    relation = forms.ChoiceField(label=_("与学生的关系"), error_messages=_CHOOSE)
    sex = forms.ChoiceField(label=_("性别"))
    phone = forms.CharField(label=_("手机号"), max_length=30, required=False)
    national_id = forms.CharField(
        label=_("身份证件号"), max_length=20, required=False, help_text=_("加密保存，用来发现同一个人是否已经登记过。")
    )

    def __init__(self, *args: object, relations: _Choices, sexes: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "relation", [("", _("请选择")), *relations])
        offer(self, "sex", sexes)

    def new_person(self) -> NewPerson:
        facts = self.cleaned_data
        return NewPerson(
            name=facts["name"], sex=Sex(facts["sex"]), phone=facts["phone"], national_id=facts["national_id"].strip()
        )


class ConsentTextForm(forms.Form):
    """A notice of the school itself."""

    title_zh = forms.CharField(label=_("标题"), max_length=120, error_messages={"required": _("请填写标题。")})
    body_zh = forms.CharField(
        label=_("内容"),
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("用家长看得懂的话写：用什么信息，做什么，保存多久，怎么撤回。"),
        error_messages={"required": _("请填写内容。")},
    )
    title_en = forms.CharField(label=_("标题（英文）"), max_length=120, required=False)
    body_en = forms.CharField(label=_("内容（英文）"), widget=forms.Textarea(attrs={"rows": 5}), required=False)
    purpose = forms.RegexField(
        label=_("用途代码"),
        regex=r"^[a-z][a-z0-9_]{0,39}$",
        help_text=_("小写字母、数字和下划线，例如 campus_card。手环等穿戴设备用 wearables。"),
        error_messages={"required": _("请填写用途代码。"), "invalid": _("用途代码只能用小写字母、数字和下划线。")},
    )
    elements = forms.MultipleChoiceField(
        label=_("用哪些信息"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("请至少选择一项要用到的信息。"), "invalid_choice": _("请从列出的内容中选择一项。")},
    )
    is_correction = forms.BooleanField(
        label=_("只改正文字，意思没有变"),
        required=False,
        help_text=_("不勾的话，改了标题或内容就请大家重新决定；多用了信息时一定会重新征求。"),
    )

    def __init__(self, *args: object, elements: _Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        offer(self, "elements", elements)


class BreakGlassForm(forms.Form):
    """Whom, why, how long."""

    number = forms.CharField(label=_("人员编号、学籍号或教职工号"), max_length=64, error_messages={"required": _("请填写编号。")})
    reason = forms.CharField(
        label=_("原因"),
        max_length=300,
        min_length=8,
        help_text=_("写清楚发生了什么，例如“校外活动受伤，需要联系家长”。"),
        error_messages={"required": _("请填写原因。"), "min_length": _("请写清楚原因，至少 8 个字。")},
    )
    hours = forms.ChoiceField(label=_("几个小时"), choices=[(str(hour), str(hour)) for hour in range(1, EMERGENCY_HOURS + 1)])


class BreakGlassReviewForm(forms.Form):
    """Was it an emergency."""

    verdict = forms.ChoiceField(
        label=_("结论"),
        choices=[("yes", _("理由成立")), ("no", _("理由不成立"))],
        widget=forms.RadioSelect,
        error_messages=_CHOOSE,
    )
    finding = forms.CharField(label=_("复核意见"), max_length=500, error_messages={"required": _("请写下复核意见。")})
