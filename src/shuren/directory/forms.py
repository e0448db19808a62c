"""Input of the directory's pages, parsed into `data`; nothing is saved here."""

from collections.abc import Sequence
from datetime import datetime, time

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shuren.directory.data import NewOrg, NewPerson, OrgData, OrgType, Role, Sex
from shuren.kernel import ids

_Choices = Sequence[tuple[str, object]]


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
        self.fields["type"].choices = types  # type: ignore[attr-defined]  # a ChoiceField

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


class ChooseOrgForm(ReasonForm):
    """Another org to move to or merge into."""

    org = forms.ChoiceField(label=_("机构"))
    field_order = ("org", "reason")

    def __init__(self, *args: object, orgs: Sequence[OrgData], label: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's form takes them as they come
        self.fields["org"].label = label  # type: ignore[assignment]  # a lazy text
        choices = [("", _("请选择")), *((org.public_id, "　" * max(0, org.depth - 1) + org.name) for org in orgs)]
        self.fields["org"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

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
        self.fields["sex"].choices = sexes  # type: ignore[attr-defined]  # a ChoiceField

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
        self.fields["role"].choices = roles  # type: ignore[attr-defined]  # a ChoiceField


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
        self.fields["role"].choices = roles  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def given_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def end_at(self) -> datetime | None:
        """The end of the named day in the installation's time zone."""
        day = self.cleaned_data["end_date"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None
