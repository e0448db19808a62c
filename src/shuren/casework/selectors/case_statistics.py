"""How a flow runs: how many cases stand where, and how long each stage takes, so that steps can be cut (GOV-03)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Count, QuerySet, Sum

from shuren.casework.data import CaseState
from shuren.casework.models import Case, Definition, StageRun
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.selectors.definitions import flow_of
from shuren.casework.selectors.tallies import covers_region, tally_within
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.paging import EXACT_COUNT_LIMIT
from shuren.kernel.scope import path_q

# Times are those of the latest cases: what was slow years ago says nothing about now.
LATEST = 1_000
# So many are sorted in no time.
FEW = EXACT_COUNT_LIMIT
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StageFigures:
    """`live` cases stand at the stage, `late` of them past its due time; times are medians over `visits` of the latest cases."""

    stage: str
    title: str
    live: int
    late: int
    visits: int
    median: timedelta | None
    slowest_tenth: timedelta | None
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """The stages, and what the cases of a flow came to, among those the actor may look into."""

    stages: tuple[StageFigures, ...]
    states: dict[str, int]
    whole: timedelta | None

    @property
    def slowest(self) -> str:
        timed = [one for one in self.stages if one.median is not None]
        return max(timed, key=lambda one: one.median or timedelta()).stage if len(timed) > 1 else ""


def flow_figures(*, actor: Actor, definition: Definition, now: datetime) -> FlowFigures:
    """Figures of one flow within the actor's branches."""
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now)
    tally = tally_within(scope).filter(definition=definition).exclude(state=CaseState.DRAFT.value).order_by()
    states: dict[str, int] = defaultdict(int)
    live: dict[str, int] = {}
    for state, stage, count in tally.values_list("state", "stage").annotate(count=Sum("cases")):
        states[state] += count
        if state == CaseState.RUNNING:
            live[stage] = count
    rows = Case.objects.filter(definition=definition)
    if not covers_region(scope):
        rows = rows.filter(path_q("org_path", scope.paths))
    late = _late(rows, now)
    latest = _latest(rows, is_few=sum(states.values()) <= FEW)
    times, outcomes = _visits(latest)
    flow: FlowSpec = flow_of(definition.current_id or 0)
    stages = tuple(
        StageFigures(
            stage=stage.key,
            title=str(stage.title),
            live=live.get(stage.key, 0),
            late=late.get(stage.key, 0),
            visits=len(times[stage.key]),
            median=middle(times[stage.key]),
            slowest_tenth=_tenth(times[stage.key]),
            outcomes=dict(outcomes[stage.key]),
        )
        for stage in flow.stages
    )
    return FlowFigures(stages, {state: count for state, count in states.items() if count}, middle(_whole(latest)))


def _late(rows: QuerySet[Case], now: datetime) -> dict[str, int]:
    late = rows.filter(state=CaseState.RUNNING.value, stage_due_at__lt=now)
    return dict(late.values_list("stage").annotate(count=Count("*")).order_by())


def _latest(rows: QuerySet[Case], *, is_few: bool) -> list[int]:
    """Ids of the cases handed in last: of few by sorting them, of many by walking the index from the newest on."""
    handed_in = rows.filter(submitted_at__isnull=False)
    return list(handed_in.order_by("-filed_at" if is_few else "-pk").values_list("pk", flat=True)[:LATEST])


def _whole(case_ids: list[int]) -> list[timedelta]:
    """How long each took from being handed in to its end."""
    closed = [
        row
        for begin in range(0, len(case_ids), _AT_ONCE)
        for row in Case.objects.filter(pk__in=case_ids[begin : begin + _AT_ONCE], closed_at__isnull=False).values_list(
            "submitted_at", "closed_at"
        )
    ]
    return [end - begun for begun, end in closed if begun is not None and end is not None]


def _visits(case_ids: list[int]) -> tuple[dict[str, list[timedelta]], dict[str, dict[str, int]]]:
    times: dict[str, list[timedelta]] = defaultdict(list)
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for begin in range(0, len(case_ids), _AT_ONCE):
        rows = StageRun.objects.filter(case_id__in=case_ids[begin : begin + _AT_ONCE], left_at__isnull=False)
        for stage, entered, left, outcome in rows.values_list("stage", "entered_at", "left_at", "outcome"):
            if left is not None:
                times[stage].append(left - entered)
                outcomes[stage][outcome] += 1
    return times, outcomes


def middle(times: list[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(time.total_seconds() for time in times)) if times else None


def _tenth(times: list[timedelta]) -> timedelta | None:
    """What nine of ten visits do not exceed."""
    return sorted(times)[max(0, -(-len(times) * 9 // 10) - 1)] if times else None
