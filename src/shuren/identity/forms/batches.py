"""What somebody chooses before first passwords are made for a branch."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shuren.identity.data import BatchReach, Recipients, SlipForm
from shuren.identity.words import FORM_NAMES, REACH_NAMES, RECIPIENT_NAMES


class BatchForm(forms.Form):
    """For whom, who among them, and on what paper."""

    recipients = forms.TypedMultipleChoiceField(
        label=_("发给谁"),
        coerce=Recipients,
        choices=[(key.value, name) for key, name in RECIPIENT_NAMES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    reach = forms.TypedChoiceField(
        label=_("其中哪些人"),
        coerce=BatchReach,
        choices=[(key.value, name) for key, name in REACH_NAMES.items()],
        initial=BatchReach.NEW.value,
        widget=forms.RadioSelect,
    )
    form = forms.TypedChoiceField(
        label=_("印成什么"),
        coerce=SlipForm,
        choices=[(key.value, name) for key, name in FORM_NAMES.items()],
        initial=SlipForm.ENVELOPES.value,
        widget=forms.RadioSelect,
    )
