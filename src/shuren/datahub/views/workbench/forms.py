"""What is ticked and written on the workbench's pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shuren.datahub.data import ScheduleEvery
from shuren.datahub.rules.workbench.compose import MOST, Composition, Match, Pick, Sort, Use, kind_of, matches_for, uses_for
from shuren.datahub.rules.workbench.due import LONGEST_KEPT
from shuren.datahub.selectors.workbench import AskedColumn
from shuren.datahub.services.workbench.schedule import Timing
from shuren.datahub.views.asset_words import GRADES
from shuren.datahub.views.words import COLUMN_KINDS, EVERY, MASKS, MATCHES, SORTS, USES
from shuren.kernel.errors import Invalid
from shuren.standards.data import MaskStyle

PURPOSE = "workbench_purpose"
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a choice."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column as it stands in the table where one ticks."""

    number: int
    name: str
    title: str
    kind: str
    grade: str
    mask: str
    is_hidden: bool
    value: str
    uses: tuple[Option, ...]
    matches: tuple[Option, ...]
    sorts: tuple[Option, ...]


def column_rows(columns: Mapping[str, AskedColumn], picks: Mapping[str, Pick]) -> list[ColumnRow]:
    """Every column with what is ticked for it."""
    language = get_language() or ""
    rows = []
    for number, (name, one) in enumerate(columns.items()):
        pick, kind = picks.get(name, Pick(name)), kind_of(one.type)
        rows.append(
            ColumnRow(
                number=number,
                name=name,
                title=one.column.title(language),
                kind=str(COLUMN_KINDS[kind]),
                grade=str(GRADES[one.column.grade]),
                mask="" if one.mask is MaskStyle.NONE else str(MASKS[one.mask]),
                is_hidden=one.mask is MaskStyle.ALL,
                value=pick.value,
                uses=_options(USES, uses_for(kind), pick.use),
                matches=_options(MATCHES, matches_for(kind), pick.test),
                sorts=_options(SORTS, Sort, pick.sort),
            )
        )
    return rows


def composition_in(sent: Mapping[str, str], columns: Mapping[str, AskedColumn]) -> Composition:
    """What was ticked; words that no choice offers count as nothing ticked."""
    picks = []
    for number, name in enumerate(columns):
        picks.append(
            Pick(
                name,
                _word(Use, sent.get(f"use-{number}")),
                _word(Match, sent.get(f"test-{number}")),
                sent.get(f"value-{number}", "")[:500],
                _word(Sort, sent.get(f"sort-{number}")),
            )
        )
    limit = sent.get("limit", "").replace(",", "").strip() or "1000"
    if not limit.isascii() or not limit.isdigit():
        raise Invalid(_("最多行数应在 1 到 %(most)s 之间。") % {"most": f"{MOST:,}"})
    kinds = {name: kind_of(one.type) for name, one in columns.items()}
    return Composition(tuple(picks), "count" in sent, int(limit[:9]), kinds)


def _options(words: Mapping[Word, str | Promise], offered: Iterable[Word], chosen: Word | None) -> tuple[Option, ...]:
    return tuple(Option(one.value, str(words[one]), one is chosen) for one in offered)


def _word(kind: type[Word], text: str | None) -> Word | None:
    return kind(text) if text in {one.value for one in kind} else None


def _purpose() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("本次用途"),
        max_length=200,
        help_text=gettext_lazy("写明办什么事。写一次，退出登录前都用它；用途会写入审计。"),
    )


class SqlForm(forms.Form):
    """A question by hand, and what it is for."""

    purpose = _purpose()
    sql = forms.CharField(
        label=gettext_lazy("SQL 查询"),
        max_length=20_000,
        strip=True,
        widget=forms.Textarea(
            attrs={"rows": 12, "class": "form-control is-code", "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text=gettext_lazy("一条 SELECT。只看得到自己范围里的行；个人信息已脱敏；最多 30 秒、10,000 行。"),
    )


class PurposeForm(forms.Form):
    """What a saved question is asked for today."""

    purpose = _purpose()


class SaveForm(forms.Form):
    """What a question is called, and who finds it."""

    title = forms.CharField(label=gettext_lazy("标题"), max_length=120)
    note = forms.CharField(label=gettext_lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    is_shared = forms.BooleanField(
        label=gettext_lazy("与本单位及下级单位的人共用"),
        required=False,
        help_text=gettext_lazy("别人打开时，查到的是他们自己范围里的数据。"),
    )


class ScheduleForm(forms.Form):
    """How often, on which day and at which hour, what for, and how many answers stay."""

    every = forms.ChoiceField(label=gettext_lazy("多久查一次"))
    day = forms.IntegerField(
        label=gettext_lazy("哪一天"),
        min_value=1,
        max_value=31,
        initial=1,
        required=False,
        help_text=gettext_lazy("每周：1 到 7 是周一到周日。每月：1 到 31，没有这一天的月份在最后一天查。每天：不用填。"),
    )
    hour = forms.IntegerField(label=gettext_lazy("几点"), min_value=0, max_value=23, initial=7)
    keeps = forms.IntegerField(label=gettext_lazy("保留最近几次的结果"), min_value=1, max_value=LONGEST_KEPT, initial=12)
    purpose = forms.CharField(label=gettext_lazy("用途"), max_length=200)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # what Django's form takes
        self.fields["every"].choices = [(one.value, str(EVERY[one])) for one in ScheduleEvery]  # type: ignore[attr-defined]

    def timing(self) -> Timing:
        told = self.cleaned_data
        return Timing(ScheduleEvery(told["every"]), told["day"] or 1, told["hour"], told["purpose"], told["keeps"])
