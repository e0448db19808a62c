"""What people fill in about cases and work, besides the forms that are defined as data."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from django import forms
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_lazy as _

_TEXT = forms.Textarea(attrs={"rows": 3})


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("理由"), max_length=1000, widget=_TEXT)


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=1000, required=False, widget=_TEXT)


class ReturnForm(forms.Form):
    to = forms.ChoiceField(label=_("退回到"), widget=forms.RadioSelect)
    reason = forms.CharField(label=_("要改什么"), max_length=1000, widget=_TEXT, help_text=_("对方会看到这段话。"))

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = places  # type: ignore[attr-defined]
        self.fields["to"].initial = places[0][0]


class HandOverForm(forms.Form):
    person = forms.ChoiceField(label=_("转给谁"))
    reason = forms.CharField(label=_("说明"), max_length=1000, required=False, widget=_TEXT)

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = people  # type: ignore[attr-defined]


class SignerForm(forms.Form):
    people = forms.MultipleChoiceField(label=_("请谁加签"), widget=forms.CheckboxSelectMultiple)
    question = forms.CharField(label=_("想问什么"), max_length=1000, required=False, widget=_TEXT)

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].choices = people  # type: ignore[attr-defined]


class LeaveForm(forms.Form):
    """Days in full: from the morning of the first to the end of the last."""

    person = forms.ChoiceField(label=_("委托给谁"))
    begin = forms.DateField(label=_("从哪天"), widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("到哪天（含）"), widget=forms.DateInput(attrs={"type": "date"}))
    flow = forms.ChoiceField(label=_("哪些事项"), required=False)

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], flows: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = people  # type: ignore[attr-defined]
        self.fields["flow"].choices = [("", _("全部事项")), *flows]  # type: ignore[attr-defined]

    @property
    def span(self) -> tuple[datetime, datetime]:
        zone, told = get_default_timezone(), self.cleaned_data
        return (
            datetime.combine(told["begin"], time(0), tzinfo=zone),
            datetime.combine(told["end"], time(23, 59, 59), tzinfo=zone),
        )


class FileForm(forms.Form):
    """For which org, and about whom, a case is filed; both only where there is a choice."""

    org = forms.ChoiceField(label=_("哪个单位"))
    subject = forms.ChoiceField(label=_("为谁办"), required=False)

    def __init__(self, *args: Any, orgs: Sequence[tuple[str, str]], subjects: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = orgs  # type: ignore[attr-defined]
        self.fields["org"].initial = orgs[0][0] if orgs else ""
        if subjects:
            self.fields["subject"].choices = [("", _("本单位")), *subjects]  # type: ignore[attr-defined]
        else:
            del self.fields["subject"]
