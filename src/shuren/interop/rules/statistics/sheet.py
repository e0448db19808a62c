"""How a form lies on a sheet: its head, merged headings, the row of codes that everything is found by, its lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from shuren.interop.rules.statistics.spec import ColumnSpec, TemplateSpec

# The columns of titles and of line numbers, as every national form calls them.
TITLE_CODE, LINE_CODE = "甲", "乙"
LEADS = 2
CROSSED = "×"
# Where the head ends: title, four lines of facts, and one left empty.
HEAD_ROWS = 6
# A sheet of its own says whose form it is.
IDENTITY = "shuren"
IDENTITY_HEADINGS = ("report", "key", "year")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading over columns `first` to `last`, on level `top` to `bottom` of the head of the table, all from 0."""

    text: str
    top: int
    bottom: int
    first: int
    last: int


def header_depth(columns: Sequence[ColumnSpec]) -> int:
    """How many rows the headings of the columns take."""
    return 1 + max((len(column.groups) for column in columns), default=0)


def headings(columns: Sequence[ColumnSpec], language: str) -> list[Heading]:
    """Every heading once, level by level from left to right.

    Equal groups beside one another are one, and a column without some reaches down to the codes.
    """
    depth = header_depth(columns)
    found = [one for level in range(depth - 1) for one in _groups(columns, level, language)]
    for place, column in enumerate(columns):
        found.append(Heading(column.title.text(language), len(column.groups), depth - 1, place, place))
    return sorted(found, key=lambda one: (one.top, one.first))


def _groups(columns: Sequence[ColumnSpec], level: int, language: str) -> Iterator[Heading]:
    first = 0
    while first < len(columns):
        path = _path(columns[first], level)
        last = first
        while path and last + 1 < len(columns) and _path(columns[last + 1], level) == path:
            last += 1
        if path:
            yield Heading(columns[first].groups[level].text(language), level, level, first, last)
        first = last + 1


def _path(column: ColumnSpec, level: int) -> tuple[str, ...]:
    """The groups down to a level, by their Chinese words; empty where the column has none there."""
    return tuple(group.zh for group in column.groups[: level + 1]) if len(column.groups) > level else ()


def codes(template: TemplateSpec) -> list[str]:
    """The row of codes, which is the heading that a file is read back by."""
    return [TITLE_CODE, LINE_CODE, *(column.code for column in template.columns)]


def head_facts(template: TemplateSpec, facts: Mapping[str, str], language: str) -> list[tuple[str, str]]:
    """What stands at the head of a form, in its order."""
    approval = template.approval.text(language) if template.approval else ""
    unit = template.unit.text(language) if template.unit else ""
    told = [
        (_("表号"), template.number),
        (_("制定机关"), template.authority.text(language)),
        (_("批准文号"), approval),
        (_("填报单位"), facts["unit"]),
        (_("单位代码"), facts["code"]),
        (_("学年"), facts["year"]),
        (_("标准时点"), facts["day"]),
        (_("计量单位"), unit),
    ]
    return [(label, value) for label, value in told if value]
