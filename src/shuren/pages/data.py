"""What a page is told to show: charts, lists, cells and actions, free of Django and of any model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from shuren.kernel.paging import Page

Row = TypeVar("Row")
Cell = str | int | float | bool | date | datetime | None


class PdfUnavailable(RuntimeError):
    """PDF cannot be made on this machine until `package` (an operating-system package) is installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"PDF needs the system package {package}")
        self.package = package


class TooManyRows(ValueError):
    """More rows than an Excel sheet made here may hold; CSV has no such limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} rows")
        self.limit = limit


class ChartKind(StrEnum):
    """How a chart is drawn, on the page and in print alike."""

    HISTOGRAM = "histogram"
    LEVELS = "levels"
    INTERVAL_DOTS = "interval_dots"
    ITEM_BARS = "item_bars"
    TILES = "tiles"
    TREND = "trend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One drawn value; `low` and `high` bound its interval, `begin` and `end` the bin of a histogram.

    `value` None shows "—", or "*" with the chart's note when `is_suppressed`. `url` makes the point a link.
    `geometry` is a GeoJSON Polygon or MultiPolygon (tiles only); `group` gathers tiles that belong together.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    begin: float | None = None
    end: float | None = None
    url: str = ""
    note: str = ""
    group: str = ""
    is_focus: bool = False
    is_suppressed: bool = False
    geometry: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points that share a name; the first series is the subject, later ones are what it is compared with."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A line across the chart: a mean of the unit above, a cut score, a target."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture with its numbers; `title` states the finding, `label_title` heads the table's first column.

    In `LEVELS` each series is a level from lowest to highest and its points are the units, values in per cent;
    every series names the same labels in the same order. In all other kinds the series stand beside each other.
    The value axis holds at least `minimum` to `maximum`. With `is_compact` the rows stand close and only the focus is
    named: a place among many that stay without names.
    """

    kind: ChartKind
    title: str
    series: tuple[Series, ...]
    label_title: str = ""
    value_title: str = ""
    unit: str = ""
    decimals: int = 1
    references: tuple[Reference, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    interval_title: str = ""
    note: str = ""
    name: str = ""
    is_compact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDot:
    """A thing on a map of boundaries; `url` makes it a link."""

    label: str
    longitude: float
    latitude: float
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalScale:
    """The scale that the interval bars of one table share: its ends, and marks such as cut scores."""

    low: float
    high: float
    marks: tuple[Reference, ...] = ()


class CellKind(StrEnum):
    """How a column is aligned and written; numbers keep their type in Excel."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A word with its tone (`good`, `warn`, `bad`, `busy` or `plain`); the word always stands beside the colour."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[Row]):
    """A column of a list; `sort` is the key handed to the selector, empty when the column cannot be sorted."""

    key: str
    title: str
    value: Callable[[Row], Cell | Status]
    kind: CellKind = CellKind.TEXT
    url: Callable[[Row], str] | None = None
    sort: str = ""
    decimals: int = 0
    is_shown: bool = True
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value that a filter offers."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition above a list; without choices it is a text field, or a date field with `is_date`."""

    key: str
    label: str
    choices: tuple[Choice, ...] = ()
    is_date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button or link; with `is_post` it is sent as a form, asking `confirm` first where that is given."""

    label: str
    url: str
    icon: str = ""
    is_primary: bool = False
    is_post: bool = False
    is_danger: bool = False
    confirm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyState:
    """What a page says when there is nothing: why, and the first step."""

    title: str
    text: str = ""
    action: Action | None = None
    icon: str = "inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What the reader asked of a list; `sort` is one of the columns' sort keys, with `-` for descending.

    `cursor` is a `next_cursor` that an endless list gave out before; empty at its beginning.
    """

    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    number: int = 1
    size: int = 25
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec(Generic[Row]):
    """A list page; `rows` answers one page, `stream` every matching row for an export.

    Without `stream` an export walks `rows` page by page. `on_export` is called with the query and `csv` or
    `xlsx` before the first byte leaves, so that the owner can write into the audit log whom the file is about; without it the
    list itself writes that it was exported, and how it was narrowed. An `is_endless` list is not
    counted and turned over by cursor, from new to old; it is exported as CSV only. `row_id` switches on
    ticking of rows; `bulk` actions receive the ticked ids as `ids` fields of a POST.
    """

    name: str
    title: str
    columns: tuple[Column[Row], ...]
    rows: Callable[[ListQuery], Page[Row]]
    stream: Callable[[ListQuery], Iterable[Row]] | None = None
    filters: tuple[Filter, ...] = ()
    search_label: str = ""
    default_sort: str = ""
    sizes: tuple[int, ...] = (25, 50, 100)
    empty: EmptyState | None = None
    actions: tuple[Action, ...] = ()
    row_actions: Callable[[Row], tuple[Action, ...]] | None = None
    row_id: Callable[[Row], str] | None = None
    bulk: tuple[Action, ...] = ()
    on_export: Callable[[ListQuery, str], None] | None = None
    note: str = ""
    is_endless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of a detail page's facts; `help` explains the name in plain words."""

    label: str
    value: Cell | Status
    url: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab of a detail page, a page of its own with its own address."""

    label: str
    url: str
    is_current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """Who did what and when, for the side of a detail page."""

    who: str
    what: str
    at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewView:
    """A list as somebody sees it: `path` is the page's, `query` what the address asks, `list_name` which list there."""

    name: str
    list_name: str
    list_title: str
    path: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedViewData:
    """A view as its owner finds it again."""

    id: int
    public_id: str
    name: str
    list_name: str
    list_title: str
    path: str
    query: str
    saved_at: datetime

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One sentence for a first visit; `key` is what the account has read, and never changes its meaning."""

    key: str
    text: str
