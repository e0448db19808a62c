from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest

from shuren.kernel.paging import Page
from shuren.pages.data import (
    CellKind,
    Chart,
    ChartKind,
    Choice,
    Column,
    Filter,
    ListQuery,
    ListSpec,
    Point,
    Reference,
    Series,
    Status,
)


@dataclass(frozen=True)
class Pupil:
    name: str
    score: float | None
    born: date
    is_active: bool = True


def pupils(count: int) -> list[Pupil]:
    return [Pupil(f"学生{number:05d}", 400 + number / 8, date(2016, 1, 1 + number % 28)) for number in range(count)]


@pytest.fixture
def spec_of() -> Callable[..., ListSpec[Pupil]]:
    def make(rows: list[Pupil], *, is_exact: bool = True, **changes: object) -> ListSpec[Pupil]:
        def matching(query: ListQuery) -> list[Pupil]:
            found = [row for row in rows if query.search in row.name]
            if "state" in query.filters:
                found = [row for row in found if row.is_active == (query.filters["state"] == "active")]
            if query.sort:
                key = query.sort.removeprefix("-")
                found.sort(key=lambda row: getattr(row, key), reverse=query.sort.startswith("-"))
            return found

        def page(query: ListQuery) -> Page[Pupil]:
            found = matching(query)
            last = max(1, -(-len(found) // query.size))
            number = min(query.number, last)
            start = (number - 1) * query.size
            return Page(found[start : start + query.size], len(found), is_exact, number, query.size)

        settings: dict[str, object] = {
            "name": "pupils",
            "title": "学生",
            "search_label": "姓名",
            "rows": page,
            "filters": (
                Filter(
                    key="state", label="状态", choices=(Choice(value="active", label="在籍"), Choice(value="left", label="转出"))
                ),
            ),
            "columns": (
                Column(key="name", title="姓名", value=lambda row: row.name, url=lambda row: f"/people/{row.name}/", sort="name"),
                Column(key="score", title="成绩", value=lambda row: row.score, kind=CellKind.NUMBER, decimals=1, sort="score"),
                Column(key="born", title="出生日期", value=lambda row: row.born, kind=CellKind.DATE, is_shown=False),
                Column(
                    key="state",
                    title="状态",
                    value=lambda row: Status(text="在籍" if row.is_active else "转出", tone="good" if row.is_active else "plain"),
                    kind=CellKind.STATUS,
                ),
            ),
        }
        return ListSpec(**(settings | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def charts() -> dict[ChartKind, Chart]:
    """One chart of each kind; the last unit is suppressed wherever units are drawn."""
    units = (
        Point(label="青川区", value=512.34, low=504.0, high=520.6, count=612, url="/reports/1/", is_focus=True),
        Point(label="明德区", value=498.75, low=487.1, high=510.4, count=455),
        Point(label="太平镇教学点", value=777.77, low=770.0, high=785.0, count=7, is_suppressed=True, note="人数不足 10，不显示"),
    )
    bins = tuple(Point(label=f"{low}", begin=low, end=low + 50, value=share) for low, share in ((400, 20), (450, 50), (500, 30)))
    square = {"type": "Polygon", "coordinates": [[[100, 30], [101, 30], [101, 29], [100, 29], [100, 30]]]}
    levels = tuple(
        Series(name=name, points=(Point(label="青川区", value=share), Point(label="明德区", value=other)))
        for name, share, other in (("基础", 20.0, 30.0), ("中等", 50.0, 50.0), ("良好", 30.0, 20.0))
    )
    years = tuple(
        Point(label=year, value=value, low=value - 5, high=value + 5) for year, value in (("2025", 501.0), ("2026", 509.0))
    )
    return {
        ChartKind.HISTOGRAM: Chart(
            kind=ChartKind.HISTOGRAM, title="分布", series=(Series(name="区", points=bins), Series(name="市", points=bins))
        ),
        ChartKind.LEVELS: Chart(kind=ChartKind.LEVELS, title="水平", series=levels, unit="%"),
        ChartKind.INTERVAL_DOTS: Chart(
            kind=ChartKind.INTERVAL_DOTS,
            title="青川区 <高于> 全市",
            series=(Series(name="", points=units),),
            label_title="区县",
            value_title="平均分",
            references=(Reference(label="全市", value=508.3),),
        ),
        ChartKind.ITEM_BARS: Chart(
            kind=ChartKind.ITEM_BARS,
            title="题目",
            unit="%",
            series=(
                Series(name="本校", points=(Point(label="M01", value=41.9, low=38.0, high=45.8),)),
                Series(name="全市", points=(Point(label="M01", value=50.0),)),
            ),
        ),
        ChartKind.TILES: Chart(
            kind=ChartKind.TILES,
            title="地图",
            series=(Series(name="", points=(Point(label="青川区", value=5.0, geometry=square),)),),
        ),
        ChartKind.TREND: Chart(
            kind=ChartKind.TREND, title="变化", series=(Series(name="青川区", points=years), Series(name="全市", points=years))
        ),
    }
