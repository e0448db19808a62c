"""What parents type to come to their child."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

_PHONE = re.compile(r"\+?\d{7,15}")
# The words of the roster form, where a relation is written down as it is said.
RELATIONS = [
    ("父亲", _("父亲")),
    ("母亲", _("母亲")),
    ("祖父", _("祖父")),
    ("祖母", _("祖母")),
    ("外祖父", _("外祖父")),
    ("外祖母", _("外祖母")),
    ("其他", _("其他监护人")),
]


class CodeForm(forms.Form):
    """The code on the slip, and whose slip it is."""

    code = forms.CharField(
        label=_("绑定码"),
        max_length=20,
        help_text=_("老师发的纸条上的 10 位字母和数字，不分大小写"),
        error_messages={"required": _("请填写绑定码。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    ward_name = forms.CharField(
        label=_("孩子的姓名"),
        max_length=80,
        error_messages={"required": _("请填写孩子的姓名。")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RelationForm(forms.Form):
    """What a signed-in person is to the child."""

    relation = forms.ChoiceField(label=_("您是孩子的"), choices=RELATIONS)


class NewGuardianForm(RelationForm):
    """Somebody who has no account yet."""

    name = forms.CharField(
        label=_("您的姓名"),
        max_length=80,
        error_messages={"required": _("请填写您的姓名。")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        help_text=_("以后用手机号登录"),
        error_messages={"required": _("请填写手机号。")},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    password = forms.CharField(
        label=_("设一个密码"),
        max_length=128,
        strip=False,
        help_text=_("至少 8 个字符，混用字母、数字、符号中的两种；不要用姓名、编号或生日。"),
        error_messages={"required": _("请设一个密码。")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    field_order = ("name", "relation", "phone", "password")

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_phone(self) -> str:
        phone = re.sub(r"[\s-]", "", self.cleaned_data["phone"])
        if not _PHONE.fullmatch(phone):
            raise forms.ValidationError(_("手机号应是 7 到 15 位数字。"))
        return phone
