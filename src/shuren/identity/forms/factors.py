"""What people type for their second factors."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CodeForm(forms.Form):
    """Six digits of an app or of a message, or a recovery code."""

    code = forms.CharField(
        label=_("验证数字"),
        max_length=20,
        error_messages={"required": _("请填写数字。")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "spellcheck": "false"}),
    )


class ConfirmForm(forms.Form):
    """The own password once more."""

    password = forms.CharField(
        label=_("密码"),
        max_length=128,
        strip=False,
        error_messages={"required": _("请填写密码。")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasskeyNameForm(forms.Form):
    """What its owner calls a passkey."""

    name = forms.CharField(label=_("名称"), max_length=60, error_messages={"required": _("请填写名称。")})
