"""What the hall decides without a database: clocks, where a case belongs, what changed between versions, who gets a place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuren.casework.data import FINAL_STATES, CaseState
from shuren.casework.rules.specs.words import Span, Words
from shuren.casework.rules.specs.work import ItemSpec
from shuren.casework.rules.workdays import NONE, Holidays, workdays_between
from shuren.directory.data import OrgData, OrgType
from shuren.kernel.clock import day_of

# The last fifth of a promise is near its end; of a single day, what is left of it after four in the afternoon.
_NEAR_PART = 5
_NEAR_END_OF_DAY = timedelta(hours=8)
_SCHOOLS = (OrgType.SCHOOL, OrgType.CAMPUS, OrgType.TEACHING_POINT)


class Light(StrEnum):
    """How the promise stands: `GREEN` in time, `YELLOW` near its end (`is_near`), `RED` late."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Link(StrEnum):
    """The links of a case as government platforms name them: accepted, being decided, done."""

    ACCEPT = "受理"
    DECIDE = "审批"
    DONE = "办结"


class Concern(StrEnum):
    """Whose matter an application is."""

    SELF = "self"
    WARD = "ward"
    ORG = "org"


@dataclass(frozen=True, slots=True)
class Change:
    """What a version of a guide says otherwise than the one before it."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A registration that waits for a place; groups of lower number come first."""

    case_id: int
    group: int


@dataclass(frozen=True, slots=True)
class Places:
    """Who gets a place by rank, who must draw for the `left` ones, and for whom none is left."""

    admitted: tuple[int, ...]
    to_draw: tuple[int, ...]
    elsewhere: tuple[int, ...]
    left: int


def light_of(
    due_at: datetime | None,
    *,
    promise: Span | None,
    closed_at: datetime | None = None,
    now: datetime,
    holidays: Holidays = NONE,
) -> Light | None:
    """The light of a promise; None where nothing is promised."""
    if due_at is None:
        return None
    if (closed_at or now) > due_at:
        return Light.RED
    if closed_at is not None or promise is None:
        return Light.GREEN
    return Light.YELLOW if is_near(due_at, promise=promise, now=now, holidays=holidays) else Light.GREEN


def is_near(due_at: datetime, *, promise: Span, now: datetime, holidays: Holidays = NONE) -> bool:
    """Whether no more than a fifth of what was promised is left.

    Days are counted without today: of two to four days the last one is near, of five the last two, of twenty the last five.
    A promise of one day is near from four in the afternoon of its last day on, one of hours in their last fifth.
    """
    today, last = day_of(now), day_of(due_at)
    if promise.hours is not None:
        return due_at - now <= timedelta(hours=promise.hours) / _NEAR_PART
    days = promise.working_days or promise.days or 0
    if days <= 1:
        return due_at - now <= _NEAR_END_OF_DAY
    left = (last - today).days if promise.working_days is None else workdays_between(today, last, holidays=holidays)
    return left <= days // _NEAR_PART


def link_of(state: CaseState, stage: str, stages: Sequence[str]) -> Link:
    """The link of a case: its first stage accepts, every later one decides."""
    if state in FINAL_STATES:
        return Link.DONE
    return Link.DECIDE if stage in stages[1:] else Link.ACCEPT


def concern_of(spec: ItemSpec) -> tuple[Concern, ...]:
    """Whose matter an item may be, from whom it is for."""
    found = []
    if {"parent"} & set(spec.for_whom):
        found.append(Concern.WARD)
    if {"citizen", "pupil", "teacher", "institution"} & set(spec.for_whom):
        found.append(Concern.SELF)
    if "school" in spec.for_whom and spec.applies.roles:
        found.append(Concern.ORG)
    return tuple(found) or (Concern.SELF,)


def place_in(spec: ItemSpec, chain: Sequence[OrgData]) -> OrgData | None:
    """Where a case belongs: among the orgs of `chain`, outermost first, the nearest of the types that handle the item."""
    wanted = _SCHOOLS if spec.filed_at == "school" else spec.level
    return next((org for org in reversed(chain) if org.type in wanted), None)


def span_text(span: Span) -> str:
    """A span of time in words."""
    if span.working_days is not None:
        return ngettext("%(count)d 个工作日", "%(count)d 个工作日", span.working_days) % {"count": span.working_days}
    if span.days is not None:
        return ngettext("%(count)d 日", "%(count)d 日", span.days) % {"count": span.days}
    return ngettext("%(count)d 小时", "%(count)d 小时", span.hours or 0) % {"count": span.hours}


def visits_text(visits: int) -> str:
    if visits == 0:
        return _("不用跑，全程网上办")
    if visits == 1:
        return _("最多跑一次")
    return _("最多跑 %(count)d 次") % {"count": visits}


def changes_between(before: ItemSpec, after: ItemSpec) -> list[Change]:
    """What the later version of a guide says otherwise, line by line; empty where only inner matters changed."""
    old, new = _lines(before), _lines(after)
    return [Change(title, old[title], new[title]) for title in new if old[title] != new[title]]


def _lines(spec: ItemSpec) -> dict[str, str]:
    return {
        _("名称"): str(spec.title),
        _("说明"): str(spec.guide),
        _("办理条件"): _joined(spec.conditions),
        _("材料"): _joined(material.title for material in spec.materials),
        _("办理流程"): _joined(spec.steps),
        _("法定时限"): span_text(spec.statutory),
        _("承诺时限"): span_text(spec.promise),
        _("收费"): str(spec.fee),
        _("跑动次数"): visits_text(spec.visits),
        _("办理依据"): str(spec.basis or ""),
    }


def _joined(texts: Iterable[Words]) -> str:
    return "；".join(str(text) for text in texts)


def ranked(wishes: Iterable[Wish], places: int) -> Places:
    """Places by group: whole groups while they fit; the first that does not draws for what is left; later ones get none."""
    if places < 0:
        raise ValueError("places are never fewer than none")
    groups: dict[int, list[int]] = {}
    for wish in sorted(wishes, key=lambda wish: (wish.group, wish.case_id)):
        groups.setdefault(wish.group, []).append(wish.case_id)
    admitted: list[int] = []
    to_draw: list[int] = []
    elsewhere: list[int] = []
    left = places
    for case_ids in groups.values():
        if not to_draw and len(case_ids) <= left:
            admitted += case_ids
            left -= len(case_ids)
        elif not to_draw and left:
            to_draw = case_ids
        else:
            elsewhere += case_ids
    return Places(tuple(admitted), tuple(to_draw), tuple(elsewhere), left)


def masked_name(name: str) -> str:
    """A name of which only the first character is told."""
    return f"{name.strip()[:1]}**" if name.strip() else ""


def phone_in(data: Mapping[str, Any]) -> str:
    """The telephone number that an application gives, as digits."""
    return "".join(letter for letter in str(data.get("phone", "")) if letter.isdigit())
