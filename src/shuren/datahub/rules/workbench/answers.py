"""What an answer shows: how its values are written, which chart fits, and what differs from the answer before."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from shuren.datahub.rules.workbench.compose import NUMBERS, Kind, Use, kind_of
from shuren.kernel.errors import Invalid
from shuren.pages.data import CellKind, Chart, ChartKind, Point, Series

MOST_BARS = 40
MOST_POINTS = 200
_FEW = 2
_NAMES = ("id", "code", "year", "grade", "month", "day")


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of an answer; `is_name` are numbers that name something and are not counted with: ids, years."""

    name: str
    title: str
    kind: Kind
    is_name: bool

    @property
    def is_measure(self) -> bool:
        return self.kind in NUMBERS and not self.is_name

    @property
    def cell(self) -> CellKind:
        return CellKind.NUMBER if self.is_measure else CellKind.TEXT

    @property
    def decimals(self) -> int:
        return 2 if self.kind is Kind.NUMBER else 0


def packed(table: pa.Table) -> bytes:
    """The table as a compressed Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def unpacked(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(pa.BufferReader(content)).read_all() if content else pa.table({})


def columns_shown(table: pa.Table, titles: Mapping[str, str], words: Mapping[Use, str]) -> list[Shown]:
    """The columns with their titles: those of the dataset by its own, sums and means by what they were made of."""
    found = []
    for one in table.schema:
        base, _low, use = one.name.rpartition("_")
        kind = kind_of(str(one.type))
        is_made = base in titles and use in {each.value for each in words}
        title = f"{titles[base]} · {words[Use(use)]}" if is_made else titles.get(one.name, one.name)
        if one.name == "row_count":
            title = _("行数")
        is_name = not is_made and any(one.name == name or one.name.endswith(f"_{name}") for name in _NAMES)
        found.append(Shown(one.name, title, kind, is_name))
    return found


def lines_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Row by row and by place: a question may give two columns one name."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []


def fitting(columns: Sequence[Shown], rows: int) -> tuple[str, int | None, int | None]:
    """The chart that fits without being told: its kind, and the places of label and value; empty for none."""
    measures = [at for at, one in enumerate(columns) if one.is_measure]
    labels = [at for at, one in enumerate(columns) if not one.is_measure and one.kind is not Kind.OTHER]
    if not measures or rows < _FEW:
        return "", None, None
    if not labels:
        return "histogram", None, measures[0]
    days = [at for at in labels if columns[at].kind is Kind.DAY or columns[at].name.endswith(("year", "month"))]
    if days:
        return "line", days[0], measures[0]
    return ("bar", labels[0], measures[0]) if len(labels) < len(columns) else ("", None, None)


def chart_of(kind: str, table: pa.Table, columns: Sequence[Shown], label: int | None, value: int) -> Chart:
    """The chart asked for; `Invalid` where the columns do not carry it."""
    if columns[value].kind not in NUMBERS:
        raise Invalid(_("“%(column)s”不是数，画不成图。") % {"column": columns[value].title})
    values = table.column(value).to_pylist()
    if kind == "histogram":
        return _histogram([float(one) for one in values if one is not None], columns[value])
    if label is None:
        raise Invalid(_("请选择作为横轴的列。"))
    most = MOST_BARS if kind == "bar" else MOST_POINTS
    pairs = list(zip(table.column(label).to_pylist(), values, strict=True))
    if kind == "line":
        pairs.sort(key=lambda pair: (pair[0] is None, pair[0] if pair[0] is not None else 0))
    first: dict[str, float | None] = {}
    for name, number in pairs:
        first.setdefault("—" if name is None or name == "" else str(name), None if number is None else float(number))
    points = tuple(Point(label=name, value=number) for name, number in list(first.items())[:most])
    told = {"value": columns[value].title, "label": columns[label].title}
    notes = []
    if len(first) > most:
        notes.append(_("只画前 %(most)d 个。") % {"most": most})
    if len(first) < len(pairs):
        notes.append(_("同名的只画第一行。"))
    return Chart(
        kind=ChartKind.ITEM_BARS if kind == "bar" else ChartKind.TREND,
        title=_("各“%(label)s”的%(value)s") % told,
        series=(Series(name=columns[value].title, points=points),),
        label_title=columns[label].title,
        value_title=columns[value].title,
        decimals=columns[value].decimals,
        minimum=0.0 if kind == "bar" else None,
        note="".join(notes),
    )


def _histogram(values: list[float], column: Shown) -> Chart:
    if not values:
        raise Invalid(_("“%(column)s”没有值，画不成图。") % {"column": column.title})
    low, high = min(values), max(values)
    bins = min(20, ceil(log2(len(values)) + 1))
    width = (high - low) / bins or 1.0
    counted = Counter(min(bins - 1, int((value - low) / width)) for value in values)
    points = []
    for at in range(bins):
        begin, end = low + at * width, low + (at + 1) * width
        points.append(Point(label=f"{begin:,.1f}–{end:,.1f}", value=float(counted[at]), begin=begin, end=end))
    return Chart(
        kind=ChartKind.HISTOGRAM,
        title=_("%(value)s的分布") % {"value": column.title},
        series=(Series(name=_("行数"), points=tuple(points)),),
        label_title=column.title,
        value_title=_("行数"),
        decimals=0,
    )


def difference(before: pa.Table, now: pa.Table) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]] | None:
    """The rows that came and those that went; None where the columns are not the same."""
    if before.schema.names != now.schema.names:
        return None
    old, new = Counter(lines_of(before)), Counter(lines_of(now))
    return list((new - old).elements()), list((old - new).elements())
