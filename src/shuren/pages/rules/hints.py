"""The hints of a first visit: three at most per kind of page, in the words of the page."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from shuren.pages.data import Hint

MOST_SHOWN = 3


def hints_of(place: str) -> tuple[Hint, ...]:
    """The hints of one kind of page (`home`, `list`, `report`); none for a place that has none."""
    return {"home": _home, "list": _list, "report": _report}.get(place, tuple)()


def hints_left(place: str, read: Collection[str]) -> tuple[Hint, ...]:
    """Those that have not been put away."""
    return tuple(hint for hint in hints_of(place) if hint.key not in read)[:MOST_SHOWN]


def _home() -> tuple[Hint, ...]:
    return (
        Hint(key="home.search", text=_("页面最上面的搜索框能找到人、学校和页面，打拼音也行。")),
        Hint(key="home.account", text=_("右上角可以换语言、换深色浅色；有几个身份的人也在那里切换。")),
    )


def _list() -> tuple[Hint, ...]:
    return (
        Hint(key="list.sort", text=_("点列名可以排序；“列”里选择要看哪些列。")),
        Hint(key="list.views", text=_("常用的筛选存成“视图”，下次一点就回来，链接也可以发给同事。")),
        Hint(key="list.export", text=_("导出的就是眼前筛选出的全部行，不止这一页。")),
    )


def _report() -> tuple[Hint, ...]:
    return (
        Hint(key="report.interval", text=_("圆点旁的横线是误差范围：两条横线重叠得多，差别就可能只是偶然。")),
        Hint(key="report.drill", text=_("点图里的单位，进入它的报告；上面的路径带您回来。")),
        Hint(key="report.table", text=_("每张图下面都有数据表，图和数据都可以下载。")),
    )
