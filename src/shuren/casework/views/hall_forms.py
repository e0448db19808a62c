"""What is filled in in the hall, besides the items' own forms."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shuren.casework.data import Satisfaction
from shuren.casework.rules.ratings import GRADES, REASONS

_NUMBER = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"})


class FollowForm(forms.Form):
    """The number of a case, and what proves that one may follow it."""

    number = forms.CharField(label=_("办件编号"), max_length=30, widget=_NUMBER, help_text=_("在受理回执和“我的办件”里。"))
    proof = forms.CharField(
        label=_("查询码，或手机号后四位"), max_length=12, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class RateForm(forms.Form):
    """A grade, and why it is a bad one."""

    satisfaction = forms.TypedChoiceField(
        label=_("您对这次办理满意吗？"),
        choices=[(grade.value, text) for grade, text in GRADES.items()],
        widget=forms.RadioSelect,
        coerce=Satisfaction,
    )
    reasons = forms.MultipleChoiceField(
        label=_("不满意的原因"),
        required=False,
        choices=list(REASONS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("只在选“不满意”“非常不满意”时填写，可以选几项。"),
    )
    comment = forms.CharField(
        label=_("想说的话"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 4}), help_text=_("不会公开。")
    )


class RateByCodeForm(RateForm):
    """The same for somebody without an account, by the receipt."""

    number = forms.CharField(label=_("办件编号"), max_length=30, widget=_NUMBER)
    proof = forms.CharField(label=_("查询码"), max_length=12, help_text=_("在受理回执上，8 位。"))
    field_order = ("number", "proof", "satisfaction", "reasons", "comment")


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("撤回原因"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class ExcludeForm(forms.Form):
    reason = forms.CharField(
        label=_("认定为恶意差评的理由"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明核实的经过和依据。理由会写入审计记录。"),
    )


class CatchmentForm(forms.Form):
    word = forms.CharField(label=_("小区、村组或道路"), max_length=40, required=False)


class PlacesForm(forms.Form):
    places = forms.IntegerField(label=_("可以录取的学位数"), min_value=0, max_value=5000)


class WindowForm(forms.Form):
    """For whom a clerk files."""

    name = forms.CharField(label=_("申请人姓名"), max_length=40)
    phone = forms.CharField(label=_("手机号"), max_length=20, help_text=_("用于查询进度和回访，加密保存。"))
    document = forms.CharField(
        label=_("身份证件号"), max_length=30, required=False, help_text=_("只用来向政务平台核验身份，本平台不保存。")
    )
