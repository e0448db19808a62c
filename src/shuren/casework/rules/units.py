"""Units of measure as they are written in definitions, in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

# What is written alike everywhere (%, kWh, Mbit/s) stands as it is.
UNITS: dict[str, str | Promise] = {
    "元": pgettext_lazy("unit", "元"),
    "万元": pgettext_lazy("unit", "万元"),
    "人": pgettext_lazy("unit", "人"),
    "个": pgettext_lazy("unit", "个"),
    "分钟": pgettext_lazy("unit", "分钟"),
    "间": pgettext_lazy("unit", "间"),
    "条": pgettext_lazy("unit", "条"),
    "件": pgettext_lazy("unit", "件"),
    "次": pgettext_lazy("unit", "次"),
    "小时": pgettext_lazy("unit", "小时"),
    "台": pgettext_lazy("unit", "台"),
    "分": pgettext_lazy("unit", "分"),
    "年": pgettext_lazy("unit", "年"),
    "学时": pgettext_lazy("unit", "学时"),
    "份": pgettext_lazy("unit", "份"),
    "项": pgettext_lazy("unit", "项"),
    "天": pgettext_lazy("unit", "天"),
    "人次": pgettext_lazy("unit", "人次"),
    "起": pgettext_lazy("unit", "起"),
    "节": pgettext_lazy("unit", "节"),
    "所": pgettext_lazy("unit", "所"),
    "平方米": pgettext_lazy("unit", "平方米"),
    "家": pgettext_lazy("unit", "家"),
    "秒": pgettext_lazy("unit", "秒"),
    "月": pgettext_lazy("unit", "月"),
    "套": pgettext_lazy("unit", "套"),
    "场": pgettext_lazy("unit", "场"),
    "单": pgettext_lazy("unit", "单"),
    "元/生·年": pgettext_lazy("unit", "元/生·年"),
    "元/月": pgettext_lazy("unit", "元/月"),
    "个月": pgettext_lazy("unit", "个月"),
}


def unit_text(unit: str) -> str:
    """The unit as the reader says it; one that a region made up stands as it is."""
    return str(UNITS.get(unit, unit))
