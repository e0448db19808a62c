"""How long data are kept: the laws that an owner may name, what a grade says by itself, and what falls due when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.kernel.errors import Invalid

_YEAR = 366
LONGEST_RECALL = 90
_PERSONAL = ("L3", "L4")


@dataclass(frozen=True, slots=True)
class Basis:
    """A law: the least number of days it asks for, and whether it lets personal data be kept without end."""

    title: str | Promise
    least_days: int = 0
    is_for_ever: bool = False
    needs_ground: bool = False


BASES: Mapping[str, Basis] = {
    # 网络安全法 on logs; 个人信息保护法 art. 19 and 56; 国家档案局令第 8 号; 会计档案管理办法 (2015).
    "shortest": Basis(gettext_lazy("《个人信息保护法》第十九条：为实现处理目的所必要的最短时间")),
    "logs": Basis(gettext_lazy("《网络安全法》：网络日志留存不少于六个月"), 184),
    "assessment": Basis(gettext_lazy("《个人信息保护法》第五十六条：影响评估报告和处理情况记录至少保存三年"), 3 * _YEAR),
    "records_10": Basis(gettext_lazy("《机关文件材料归档范围和文书档案保管期限规定》：定期 10 年"), 10 * _YEAR),
    "records_30": Basis(gettext_lazy("《机关文件材料归档范围和文书档案保管期限规定》：定期 30 年"), 30 * _YEAR),
    "records_ever": Basis(gettext_lazy("《机关文件材料归档范围和文书档案保管期限规定》：永久"), is_for_ever=True),
    "accounts": Basis(gettext_lazy("《会计档案管理办法》：会计凭证和账簿 30 年"), 30 * _YEAR),
    "own": Basis(gettext_lazy("本地规定（在说明里写出名称和条款）"), is_for_ever=True, needs_ground=True),
}

_BY_GRADE: Mapping[str, LifeCycle] = {
    "L1": LifeCycle(basis="records_ever"),
    "L2": LifeCycle(basis="records_10", in_use_days=5 * _YEAR, then=LifeCycleEnd.ARCHIVE, archived_days=5 * _YEAR),
    "L3": LifeCycle(basis="shortest", in_use_days=3 * _YEAR, then=LifeCycleEnd.ARCHIVE, archived_days=3 * _YEAR),
    "L4": LifeCycle(basis="shortest", in_use_days=_YEAR, then=LifeCycleEnd.DESTROY),
}


def default_life_cycle(grade: str) -> LifeCycle:
    """What a dataset of this grade has while its owner has set nothing; of an unknown grade the most careful."""
    return _BY_GRADE.get(grade, _BY_GRADE["L4"])


def check_life_cycle(told: LifeCycle, *, grade: str) -> None:
    """Refuse a rule that contradicts itself, keeps shorter than its law asks, or keeps personal data without end."""
    basis = BASES.get(told.basis)
    if basis is None:
        raise Invalid(_("请选择保存的依据。"))
    if basis.needs_ground and not told.ground.strip():
        raise Invalid(_("请写出所依据规定的名称和条款。"))
    if (told.in_use_days is None) != (told.then is LifeCycleEnd.KEEP):
        raise Invalid(_("一直使用的不写使用期限；到期归档或销毁的要写。"))
    if told.archived_days is not None and told.then is not LifeCycleEnd.ARCHIVE:
        raise Invalid(_("只有到期归档的才有归档期限。"))
    total = told.total_days
    if total is not None and total < basis.least_days:
        said = {"days": total, "least": basis.least_days, "law": str(basis.title)}
        raise Invalid(
            _("总共只保存 %(days)s 天，短于法定的 %(least)s 天：%(law)s。") % said,
            remedy=_("请延长使用或归档的期限，或改选适用的依据。"),
        )
    if total is None and grade in _PERSONAL and not basis.is_for_ever:
        raise Invalid(
            _("个人信息不能没有期限地保存：%(law)s。") % {"law": str(basis.title)},
            remedy=_("请写明到期后销毁，或选择允许永久保存的依据。"),
        )


def stated(told: LifeCycle, *, is_held: bool) -> dict[str, object]:
    """The rule as the policy file states it; `life_cycle_in` reads it back."""
    return {
        "basis": told.basis,
        "law": str(BASES[told.basis].title),
        "least_days": BASES[told.basis].least_days,
        "ground": told.ground,
        "counted_from": told.counted_from.value,
        "in_use_days": told.in_use_days,
        "then": told.then.value,
        "archived_days": told.archived_days,
        "is_declared": told.is_declared,
        "is_held": is_held,
    }


def life_cycle_in(policy: Mapping[str, object]) -> LifeCycle:
    """The rule that a policy file states."""
    told = policy["life_cycle"]
    assert isinstance(told, Mapping)
    return LifeCycle(
        basis=told["basis"],
        ground=told["ground"],
        counted_from=LifeCycleStart(told["counted_from"]),
        in_use_days=told["in_use_days"],
        then=LifeCycleEnd(told["then"]),
        archived_days=told["archived_days"],
        is_declared=told["is_declared"],
    )


def last_day_about(values: Mapping[str, str]) -> date | None:
    """The last day that a partition is about, read off its values: a day, a month, a school year or a year; None for none."""
    found = [day for key, value in values.items() if (day := _last_day(key, value)) is not None]
    return min(found) if found else None


def _last_day(key: str, value: str) -> date | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
        if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
            year, month = int(value[:4]), int(value[5:])
            return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        if re.fullmatch(r"\d{4}-\d{4}", value) and int(value[5:]) == int(value[:4]) + 1:
            return date(int(value[5:]), 8, 31)
        if "year" in key and re.fullmatch(r"\d{4}", value):
            return date(int(value), 12, 31)
    except ValueError:
        return None
    return None


def started_on(told: LifeCycle, values: Mapping[str, str], written: date) -> date:
    """The day that the time limits of a partition are counted from."""
    about = last_day_about(values) if told.counted_from is LifeCycleStart.PARTITION else None
    return about or written


def leaves_use_on(told: LifeCycle, start: date) -> date | None:
    """The first day on which a partition is no longer to be in use."""
    return _later(start, told.in_use_days) if told.then is not LifeCycleEnd.KEEP else None


def destroyed_from(told: LifeCycle, start: date) -> date | None:
    """The first day on which a partition is to be destroyed."""
    return _later(start, told.total_days)


def _later(start: date, days: int | None) -> date | None:
    if days is None:
        return None
    try:
        return start + timedelta(days=days)
    except OverflowError:
        return None


def backups_end_on(keep: str, *, day: date) -> date:
    """The last day on which a backup made up to `day` may still be kept, by the days, weeks and months of the setting.

    The last backup before `day` may be the one that its month keeps, and that month the last of those kept.
    """
    daily, weekly, monthly = (int(part) for part in keep.split(","))
    return day + timedelta(days=max(daily, 7 * weekly, 31 * monthly) + 1)
