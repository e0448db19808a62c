"""How far a collection is: counted from the orgs' rows each time, so that it is never behind."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Length, StrIndex, Substr

from shuren.casework.data import TargetState
from shuren.casework.models import CollectionTarget
from shuren.casework.rules.collections import HANDED_IN, OPEN_STATES
from shuren.casework.selectors.collections.reach import Reach
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel.scope import path_q

_OPEN = Q(state__in=[state.value for state in OPEN_STATES])


@dataclass(frozen=True, slots=True)
class Progress:
    """How many orgs stand where. `total` counts who is asked, the exempt apart; `late` are past their due time without an answer.

    `late_in` handed in after their due time.
    """

    total: int = 0
    missing: int = 0
    draft: int = 0
    submitted: int = 0
    returned: int = 0
    accepted: int = 0
    exempt: int = 0
    late: int = 0
    late_in: int = 0
    urged: int = 0

    @property
    def handed_in(self) -> int:
        return self.submitted + self.accepted

    @property
    def share_accepted(self) -> float:
        """Per cent accepted of those asked; 100 where nobody is."""
        return 100 * self.accepted / self.total if self.total else 100.0

    @property
    def share_handed_in(self) -> float:
        return 100 * self.handed_in / self.total if self.total else 100.0


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree: an org below the viewer's, and the progress of its branch. Without one below it, it is a leaf."""

    org: OrgData
    progress: Progress
    is_leaf: bool


def progress_of(reach: Reach, *, now: datetime) -> Progress:
    """The whole of what is in reach."""
    return Progress(**reach.targets.aggregate(**_counts(now)))


def progress_by_branch(reach: Reach, path: str, *, now: datetime) -> list[Branch]:
    """Per org one step below `path` (its own line first, where it is asked itself), in order of path; one query for all."""
    step = Substr("org_path", len(path) + 1)
    rows = reach.targets.filter(path_q("org_path", [path])).annotate(step=Substr(step, 1, StrIndex(step, Value("/"))))
    # A step is a leaf when no row of it lies deeper than itself.
    deepest = Max(Length("org_path"))
    found = list(rows.order_by("step").values("step").annotate(deepest=deepest, **_counts(now)))
    orgs = directory.orgs_above(path + row["step"] for row in found)
    by_path = {org.path: org for org in orgs.values()}
    branches = []
    for row in found:
        here = path + row["step"]
        is_leaf = here == path or row["deepest"] == len(here)
        if here in by_path:
            branches.append(Branch(by_path[here], _progress(row), is_leaf))
    return branches


def progress_of_many(collection_ids: list[int], paths: tuple[str, ...], *, now: datetime) -> dict[int, Progress]:
    """The progress in the branches of several collections, for a page of the list."""
    rows = CollectionTarget.objects.filter(path_q("org_path", paths), collection_id__in=collection_ids)
    found = rows.order_by().values("collection_id").annotate(**_counts(now))
    return {row["collection_id"]: _progress(row) for row in found}


def targets_in(reach: Reach, *, state: str = "", search: str = "", now: datetime) -> QuerySet[CollectionTarget]:
    """The orgs in reach in order of path; `state` may also be `late` or `late_in`."""
    rows = reach.targets.select_related("org", "case").defer("case__data", "case__written")
    if state == "late":
        rows = rows.filter(_OPEN, due_at__lt=now)
    elif state == "late_in":
        rows = rows.filter(submitted_at__gt=F("due_at"))
    elif state == "open":
        rows = rows.filter(_OPEN)
    elif state:
        rows = rows.filter(state=state)
    if search:
        rows = rows.filter(Q(org__name__icontains=search) | Q(org__code=search))
    return rows.order_by("org_path")


def targets_of(reach: Reach, org_ids: Collection[int]) -> list[CollectionTarget]:
    """The rows of these orgs, in order of path."""
    rows = reach.targets.filter(org_id__in=org_ids).select_related("org") if org_ids else reach.targets.none()
    return list(rows.order_by("org_path"))


def target_stream(rows: QuerySet[CollectionTarget], *, step: int = 500) -> Iterator[CollectionTarget]:
    """Rows one after the other, never all in memory."""
    return rows.iterator(chunk_size=step)


def _progress(row: Mapping[str, Any]) -> Progress:
    return Progress(**{field.name: row[field.name] for field in fields(Progress)})


def _counts(now: datetime) -> dict[str, Count | Sum]:
    counted: dict[str, Count | Sum] = {state.value: Count("pk", filter=Q(state=state.value)) for state in TargetState}
    counted["total"] = Count("pk", filter=~Q(state=TargetState.EXEMPT.value))
    counted["late"] = Count("pk", filter=_OPEN & Q(due_at__lt=now))
    counted["late_in"] = Count("pk", filter=Q(submitted_at__gt=F("due_at"), state__in=[state.value for state in HANDED_IN]))
    counted["urged"] = Sum("urges", default=0)
    return counted
