"""What is asked of a unit that applies for data, and of the owner who decides."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import SharedColumn, Sharing, SharingAttribute, SharingWay
from shuren.datahub.rules.sharing import default_mask, is_too_plain
from shuren.datahub.selectors.shared_datasets import masked_words
from shuren.datahub.views.words import ATTRIBUTES, MASKS, WAYS
from shuren.kernel import ids
from shuren.standards.data import MaskStyle

Choices = Sequence[tuple[str, str]]
_WITHHELD = "withheld"
_ENDS = forms.DateInput(attrs={"type": "date"})


def _org_ids(data: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(ids.decode("org", one) for one in data["orgs"])


def _ways(data: Mapping[str, Any]) -> tuple[SharingWay, ...]:
    return tuple(SharingWay(way) for way in data["ways"])


class TermsForm(forms.Form):
    """The attribute, and the law or the condition behind it."""

    attribute = forms.ChoiceField(label=gettext_lazy("共享属性"), widget=forms.RadioSelect)
    ground = forms.CharField(
        label=gettext_lazy("依据或条件"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("不予共享的写法律、行政法规或政策依据；有条件共享的写条件。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["attribute"].choices = [(one.value, str(ATTRIBUTES[one])) for one in SharingAttribute]  # type: ignore[attr-defined]


class _SharingForm(forms.Form):
    """Branches, ways and the last day, as both sides see them."""

    orgs = forms.MultipleChoiceField(
        label=gettext_lazy("哪些单位的数据"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("包括它们的下级。"),
    )
    ways = forms.MultipleChoiceField(label=gettext_lazy("使用方式"), widget=forms.CheckboxSelectMultiple)
    ends_on = forms.DateField(label=gettext_lazy("用到哪天（含）"), widget=_ENDS)

    def __init__(self, *args: Any, orgs: Choices, ways: Sequence[SharingWay], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["orgs"].choices = list(orgs)  # type: ignore[attr-defined]
        self.fields["ways"].choices = [(way.value, str(WAYS[way])) for way in ways]  # type: ignore[attr-defined]


class ApplicationForm(_SharingForm):
    """Who applies, for which columns and rows, what for, how and how long."""

    unit = forms.ChoiceField(label=gettext_lazy("申请单位"))
    purpose = forms.CharField(
        label=gettext_lazy("用途"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("写明办什么事、依据什么，以及为什么需要这些列。"),
    )
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("需要的列"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("够用就好。L3、L4 是个人信息，一般脱敏后提供。"),
    )
    field_order = ("unit", "purpose", "columns", "orgs", "ways", "ends_on")

    def __init__(self, *args: Any, units: Choices, held: Mapping[str, SharedColumn], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = list(units)  # type: ignore[attr-defined]
        self.fields["columns"].choices = [(name, masked_words(one)) for name, one in held.items()]  # type: ignore[attr-defined]

    def asked(self) -> Sharing:
        data = self.cleaned_data
        return Sharing(dict.fromkeys(data["columns"], ""), _org_ids(data), _ways(data), data["ends_on"])


class ApprovalForm(_SharingForm):
    """Each column asked for as it is, masked or not at all; branches, ways and days as asked, or fewer."""

    reason = forms.CharField(label=gettext_lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, asked: Mapping[str, SharedColumn], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {f"column_{number}": name for number, name in enumerate(asked)}
        for place, name in self.places.items():
            styles = [style for style in MaskStyle if not is_too_plain(asked[name], style)]
            self.fields[place] = forms.ChoiceField(
                label=masked_words(asked[name]),
                choices=[(_WITHHELD, _("不提供")), *((style.value, str(MASKS[style])) for style in styles)],
                initial=default_mask(asked[name]).value,
            )
        self.order_fields([*self.places, "orgs", "ways", "ends_on", "reason"])

    def given(self) -> Sharing:
        data = self.cleaned_data
        masks = {name: data[place] for place, name in self.places.items() if data[place] != _WITHHELD}
        return Sharing(masks, _org_ids(data), _ways(data), data["ends_on"])


class ReasonForm(forms.Form):
    """Why not, or why not any more."""

    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class QuestionForm(forms.Form):
    """One SELECT over the granted dataset."""

    sql = forms.CharField(
        label=gettext_lazy("SQL 查询"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
    )


def year_from(today: date) -> date:
    """A year on, as a first proposal for the last day."""
    return today.replace(year=today.year + 1, day=min(today.day, 28))
