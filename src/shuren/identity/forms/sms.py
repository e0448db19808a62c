"""What people type who come in by a code sent to their phone."""

from django import forms
from django.utils.translation import gettext_lazy as _


class PhoneForm(forms.Form):
    """The own mobile number."""

    phone = forms.RegexField(
        r"^\+?[0-9]{6,20}$",
        label=_("手机号"),
        error_messages={"required": _("请填写手机号。"), "invalid": _("请填写完整的手机号，只用数字。")},
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )


class SmsCodeForm(forms.Form):
    """The six digits of the message."""

    code = forms.CharField(
        label=_("短信验证码"),
        max_length=10,
        error_messages={"required": _("请填写短信里的 6 位数字。")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
