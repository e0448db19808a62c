"""What is asked about where an element comes from, and which of its candidates holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import SourceRank, TieRule
from shuren.standards import api as standards
from shuren.standards.data import Door

Choices = Sequence[tuple[str, str]]


class ProducerForm(forms.Form):
    """Doors and orgs; none of either means any."""

    doors = forms.MultipleChoiceField(
        label=gettext_lazy("只能从这里写入"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("都不选，就是从哪里写都可以。"),
    )
    orgs = forms.MultipleChoiceField(
        label=gettext_lazy("只能由这些单位写入"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("包括它们的下级。都不选，就是哪个单位写都可以。"),
    )
    note = forms.CharField(label=gettext_lazy("依据"), max_length=300, required=False)

    def __init__(self, *args: Any, orgs: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["doors"].choices = [(door.value, standards.door_words(door)) for door in Door]  # type: ignore[attr-defined]
        self.fields["orgs"].choices = list(orgs)  # type: ignore[attr-defined]
        if not orgs:
            self.fields["orgs"].widget = forms.MultipleHiddenInput()


class PrecedenceForm(forms.Form):
    """Sources in order, one a line; a number after a source is how many days it holds."""

    sources = forms.CharField(
        label=gettext_lazy("来源，先信的在前"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("每行一个来源；后面空一格写有效天数，不写就一直有效。例如：parent 365"),
    )
    tie = forms.ChoiceField(label=gettext_lazy("同一来源同时有两个值"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tie"].choices = [  # type: ignore[attr-defined]
            (TieRule.AGREED.value, _("取与其他来源一致的多数")),
            (TieRule.FIRST.value, _("取先到的")),
        ]

    def clean_sources(self) -> list[SourceRank]:
        found = []
        for line in str(self.cleaned_data["sources"]).splitlines():
            words = line.split()
            if not words:
                continue
            if len(words) > 2 or len(words[0]) > 60 or (len(words) == 2 and not words[1].isdecimal()):
                raise forms.ValidationError(_("“%(line)s”不是“来源 天数”的写法。") % {"line": line.strip()[:60]})
            found.append(SourceRank(words[0], int(words[1]) if len(words) == 2 else None))
        return found


class GoldenForm(forms.Form):
    """One of the candidates, and why."""

    candidate = forms.ChoiceField(label=gettext_lazy("采用哪个值"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("依据"), max_length=300, required=False, help_text=gettext_lazy("改选别的值时必填。")
    )

    def __init__(self, *args: Any, candidates: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["candidate"].choices = list(candidates.items())  # type: ignore[attr-defined]


class AcceptForm(forms.Form):
    """All waiting values of one source at once."""

    source = forms.ChoiceField(label=gettext_lazy("认可哪个来源的值"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, sources: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = list(sources)  # type: ignore[attr-defined]
