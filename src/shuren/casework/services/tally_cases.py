"""Counting cases by where they stand: those that were filed or moved since, and all of them anew."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, F, Q, Sum

from shuren.casework.models import Case, CaseTally, Definition
from shuren.casework.models.cases import UNTALLIED
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType

# A case that is being counted cannot be decided in the meantime, so few are counted at a time.
AT_ONCE = 500
_ROOMS = (OrgType.CLASS, OrgType.GRADE)


class _Place(NamedTuple):
    """One row of the tally; without an org it is of the whole region."""

    definition_id: int
    org_id: int | None
    state: str
    stage: str


class _Sums(NamedTuple):
    cases: int = 0
    asked: int = 0
    saved: int = 0

    def plus(self, other: "_Sums", *, times: int = 1) -> "_Sums":
        return _Sums(*(one + times * more for one, more in zip(self, other, strict=True)))


@transaction.atomic
def tally_cases(*, limit: int = AT_ONCE) -> int:
    """Count what was filed or moved since it was counted, and mark it as counted; returns how many cases that was.

    Count and mark are one transaction, so a kill loses and doubles nothing; a case that is moving right now comes next time.
    """
    columns = ("pk", "definition_id", "org_id", "state", "stage", "tallied_state", "tallied_stage", "asked", "saved")
    waiting = Case.objects.filter(UNTALLIED).order_by("pk").select_for_update(skip_locked=True, no_key=True)
    rows = list(waiting.values_list(*columns, named=True)[:limit])
    if not rows:
        return 0
    _hold(row.definition_id for row in rows)
    homes = _homes({row.org_id for row in rows})
    changes: dict[_Place, _Sums] = defaultdict(_Sums)
    for row in rows:
        one = _Sums(1, row.asked, row.saved)
        for org_id in (homes[row.org_id].id, None):
            now = _Place(row.definition_id, org_id, row.state, row.stage)
            changes[now] = changes[now].plus(one)
            if row.tallied_state:
                before = _Place(row.definition_id, org_id, row.tallied_state, row.tallied_stage)
                changes[before] = changes[before].plus(one, times=-1)
    held = _held({place.definition_id for place in changes}, {place.org_id for place in changes if place.org_id})
    _write({place: _sums(held.get(place)).plus(sums) for place, sums in changes.items()}, held, homes)
    Case.objects.filter(pk__in=[row.pk for row in rows]).update(tallied_state=F("state"), tallied_stage=F("stage"))
    return len(rows)


@transaction.atomic
def recount_cases(*, definition_id: int) -> int:
    """Make the tally of a definition anew from what its cases are marked as; returns how many rows of it were wrong.

    Nothing else changes marks while it runs, so cases may go on moving.
    """
    _hold([definition_id])
    marked = Case.objects.filter(definition_id=definition_id).exclude(tallied_state="").order_by()
    groups = list(
        marked.values_list("org_id", "tallied_state", "tallied_stage").annotate(Count("pk"), Sum("asked"), Sum("saved"))
    )
    homes = _homes({group[0] for group in groups})
    wanted: dict[_Place, _Sums] = defaultdict(_Sums)
    for group_org, state, stage, *sums in groups:
        for org_id in (homes[group_org].id, None):
            place = _Place(definition_id, org_id, state, stage)
            wanted[place] = wanted[place].plus(_Sums(*sums))
    held = _held([definition_id], None)
    gone = {place: _Sums() for place in held if place not in wanted}
    return _write(wanted | gone, held, homes)


def _hold(definition_ids: Iterable[int]) -> None:
    """One counts a definition at a time; cases of it may be filed meanwhile."""
    held = Definition.objects.filter(pk__in=set(definition_ids)).order_by("pk").select_for_update(no_key=True)
    list(held.values_list("pk"))


def _homes(org_ids: Collection[int]) -> Mapping[int, OrgData]:
    """The org that each counts for: itself, or the school of a class or grade."""
    homes = dict(directory.orgs_by_ids(org_ids))
    while rooms := {id: org.parent_id for id, org in homes.items() if org.type in _ROOMS and org.parent_id is not None}:
        above = directory.orgs_by_ids(set(rooms.values()))
        homes |= {id: above[parent_id] for id, parent_id in rooms.items()}
    return homes


def _held(definition_ids: Collection[int], org_ids: Collection[int] | None) -> dict[_Place, CaseTally]:
    """The rows that are there, of these orgs (of all where None) and of the region."""
    rows = CaseTally.objects.filter(definition_id__in=definition_ids)
    if org_ids is not None:
        rows = rows.filter(Q(org_id__in=org_ids) | Q(org__isnull=True))
    return {_Place(row.definition_id, row.org_id, row.state, row.stage): row for row in rows}


def _sums(row: CaseTally | None) -> _Sums:
    return _Sums(row.cases, row.asked, row.saved) if row else _Sums()


def _write(wanted: Mapping[_Place, _Sums], held: Mapping[_Place, CaseTally], homes: Mapping[int, OrgData]) -> int:
    """Bring the rows to what is wanted; returns how many were something else."""
    paths = {org.id: org.path for org in homes.values()}
    made, changed = [], []
    for place, sums in wanted.items():
        row = held.get(place)
        if row is None:
            path = paths[place.org_id] if place.org_id else ""
            made.append(CaseTally(**place._asdict(), org_path=path, **sums._asdict()))
        elif _sums(row) != sums:
            row.cases, row.asked, row.saved = sums
            changed.append(row)
    CaseTally.objects.bulk_create(made, batch_size=AT_ONCE)
    CaseTally.objects.bulk_update(changed, ["cases", "asked", "saved"], batch_size=AT_ONCE)
    return len(made) + len(changed)
