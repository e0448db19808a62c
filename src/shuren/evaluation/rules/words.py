"""Words of the reports in the reader's language."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from shuren.evaluation.data import DomainKind, Level, RunStatus, Scale


def level_name(level: Level) -> str:
    """The level itself, one of its kind; other apps translate the same words as headings in the plural."""
    return {
        Level.CITY: pgettext("report level", "市"),
        Level.DISTRICT: pgettext("report level", "区县"),
        Level.SCHOOL: pgettext("report level", "学校"),
        Level.CLASS: pgettext("report level", "班级"),
        Level.PUPIL: pgettext("report level", "学生"),
    }[level]


def own_name(level: Level) -> str:
    """How a report speaks of its own unit."""
    return {
        Level.CITY: _("全市"),
        Level.DISTRICT: _("本区县"),
        Level.SCHOOL: _("本校"),
        Level.CLASS: _("本班"),
        Level.PUPIL: _("你"),
    }[level]


def above_name(level: Level) -> str:
    """How a report speaks of a unit above its own."""
    return {
        Level.CITY: _("全市"),
        Level.DISTRICT: _("所在区县"),
        Level.SCHOOL: _("所在学校"),
        Level.CLASS: _("所在班级"),
        Level.PUPIL: _("学生"),
    }[level]


def counted_units(level: Level, count: int) -> str:
    """“8 个区县” and the like."""
    words = {
        Level.DISTRICT: ngettext("%(count)d 个区县", "%(count)d 个区县", count),
        Level.SCHOOL: ngettext("%(count)d 所学校", "%(count)d 所学校", count),
        Level.CLASS: ngettext("%(count)d 个班级", "%(count)d 个班级", count),
    }
    return words.get(level, "%(count)d") % {"count": count}


def kind_name(kind: DomainKind) -> str:
    return _("内容领域") if kind is DomainKind.CONTENT else _("认知领域")


def status_name(status: RunStatus) -> str:
    return {
        RunStatus.DECLARED: _("已声明"),
        RunStatus.RUNNING: _("进行中"),
        RunStatus.DONE: _("已完成"),
        RunStatus.FAILED: _("失败"),
        RunStatus.CANCELLED: _("已取消"),
    }[status]


def level_names(scale: Scale) -> list[str]:
    """Names of the levels, lowest first: as declared, or the usual ones of four cut scores, or by number."""
    given = [scale.lowest_name, *(cut.name for cut in scale.cuts)]
    if all(given):
        return given
    if len(given) == 5:
        return [_("待达基础"), _("基础"), _("中等"), _("良好"), _("优秀")]
    return [_("水平 %(number)d") % {"number": number} for number in range(len(given))]


def value_labels(text: str) -> dict[float, str]:
    """Meanings of a questionnaire variable's values, written as “1=女;0=男” in the results file."""
    found = {}
    for part in re.split(r"[；;，,、|\n]", text.replace("：", ":")):
        code, separator, label = part.partition("=") if "=" in part else part.partition(":")
        try:
            number = float(code.strip())
        except ValueError:
            continue
        if separator and label.strip():
            found[number] = label.strip()
    return found


def truth_words(key: str, fallback: str) -> str:
    """The line of the truth check in plain words."""
    fixed: Mapping[str, str] = {
        "eap:mean": _("能力估计与官方似真值均值的相关"),
        "between_schools": _("学校之间的方差占比"),
    }
    if key in fixed:
        return fixed[key]
    if key.startswith("eap:"):
        return _("能力估计与官方似真值 %(name)s 的相关") % {"name": key.removeprefix("eap:")}
    if key.startswith("mean:"):
        return _("总体平均分（标准误）：%(name)s") % {"name": fallback}
    return fallback


def step_name(note: str) -> str:
    """A step of a running job."""
    return {
        "calibrate": _("标定题目参数"),
        "eap": _("估计学生能力（EAP）"),
        "wle": _("估计学生能力（WLE）"),
        "domains": _("估计各领域能力"),
        "plausible values": _("抽取似真值"),
        "scale": _("换算到报告量尺"),
        "scores": _("把成绩写入数据湖"),
        "reports": _("生成各级报告"),
        "save": _("保存报告"),
        "done": _("完成"),
    }.get(note, note)
