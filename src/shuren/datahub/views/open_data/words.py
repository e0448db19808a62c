"""Words of open data."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import OpenShape, OpenState, OpenTreatment
from shuren.datahub.models import OpenVersion
from shuren.pages.data import Status

TREATMENTS: dict[OpenTreatment, str | Promise] = {
    OpenTreatment.EXACT: gettext_lazy("原样"),
    OpenTreatment.YEAR: gettext_lazy("只留年份"),
    OpenTreatment.AGE_BAND: gettext_lazy("五岁一段的年龄"),
    OpenTreatment.BAND: gettext_lazy("十个数一段"),
    OpenTreatment.SCHOOL: gettext_lazy("到学校"),
    OpenTreatment.COUNTY: gettext_lazy("到县区"),
    OpenTreatment.CITY: gettext_lazy("到市"),
    OpenTreatment.MEAN: gettext_lazy("每组的平均值"),
}
SHAPES: dict[OpenShape, str | Promise] = {
    OpenShape.GROUPS: gettext_lazy("按组汇总：每组的行数和平均值"),
    OpenShape.RECORDS: gettext_lazy("逐行：一行一条记录"),
}
STATES: dict[OpenState, str | Promise] = {
    OpenState.DRAFT: gettext_lazy("草稿"),
    OpenState.WAITING: gettext_lazy("待另一人批准"),
    OpenState.REFUSED: gettext_lazy("已退回"),
    OpenState.PUBLISHED: gettext_lazy("已开放"),
    OpenState.WITHDRAWN: gettext_lazy("已撤回"),
}
TONES = {
    OpenState.DRAFT: "plain",
    OpenState.WAITING: "warn",
    OpenState.REFUSED: "bad",
    OpenState.PUBLISHED: "good",
    OpenState.WITHDRAWN: "plain",
}
LICENCES: dict[str, str | Promise] = {
    "CC-BY-4.0": gettext_lazy("署名即可使用（CC BY 4.0）"),
    "CC0-1.0": gettext_lazy("任意使用（CC0 1.0）"),
}


def state_of(version: OpenVersion) -> Status:
    state = OpenState(version.state)
    return Status(text=str(STATES[state]), tone=TONES[state])


def remedy_words(action: str, column: str, small: int) -> str:
    """One thing that would help, and what would be left to do."""
    if action == "suppress":
        return _("勾选“太小的组不公开”：小组连同会暴露它的组都留空。")
    left = _("就没有太小的组了。") if small == 0 else _("还剩 %(small)s 个太小的组。") % {"small": f"{small:,}"}
    if action == "drop":
        return _("不公开“%(column)s”，") % {"column": column} + left
    return _("把“%(column)s”分得再粗一级，") % {"column": column} + left
