"""What administrators type about signing in."""

from django import forms
from django.utils.translation import gettext_lazy as _


class NetworksForm(forms.Form):
    """Address blocks, one per line."""

    networks = forms.CharField(
        label=_("校内网络地址"),
        required=False,
        max_length=2_000,
        help_text=_("一行一段，例如 10.8.0.0/16。学生用图片登录时，设备必须在这些地址里。"),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )


class PolicyForm(forms.Form):
    """What one role must show."""

    role = forms.CharField(max_length=20)
    requirement = forms.CharField(max_length=20)
    grace_days = forms.IntegerField(min_value=0, max_value=180)
