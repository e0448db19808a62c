"""What is asked of whom: an actor's own items, those of their offices, and those of people they stand in for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.casework.data import CaseState, WorkData, WorkKind, WorkState
from shuren.casework.models import Delegation, WorkItem
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of

_OPEN_STATES = (CaseState.RUNNING.value,)


@dataclass(frozen=True, slots=True)
class Hat:
    """In whose place an actor may answer: their own, or that of somebody on leave; `flow` narrows the latter."""

    person_id: int
    offices: tuple[tuple[Role, str], ...]
    is_own: bool = True
    flow: str = ""


def hats_of(actor: Actor, now: datetime) -> list[Hat]:
    """The actor's own hat first, then those of people whose work falls to the actor now. Apps wear none."""
    if actor.person_id is None or actor.app is not None:
        return []
    hats = [Hat(actor.person_id, tuple(directory.offices_of(actor=actor, now=now)))]
    for row in delegations_to(actor.person_id, now):
        absent = Actor(person_id=row.person_id, account_id=None, name="")
        hats.append(Hat(row.person_id, tuple(directory.offices_of(actor=absent, now=now)), is_own=False, flow=row.flow))
    return hats


def delegations_to(person_id: int, now: datetime) -> QuerySet[Delegation]:
    """Whoever is on leave now and named this person."""
    return Delegation.objects.filter(delegate_id=person_id, begin_at__lte=now, end_at__gt=now, revoked_at__isnull=True).order_by(
        "id"
    )


def delegations_of(person_id: int) -> QuerySet[Delegation]:
    """A person's own delegations, newest first."""
    return Delegation.objects.select_related("delegate").filter(person_id=person_id).order_by("-begin_at", "-id")


def asked_q(hats: Iterable[Hat], *, is_history: bool = False) -> Q:
    """Items that one may answer under one of the hats; with `is_history` also those one only ever was asked."""
    condition = Q(pk__in=())
    for hat in hats:
        mine = Q(assignee_id=hat.person_id)
        if is_history:
            mine |= Q(done_by_id=hat.person_id) | Q(for_person_id=hat.person_id) | Q(asker_id=hat.person_id)
        for role, path in hat.offices:
            mine |= Q(assignee__isnull=True, role=role.value, org_id=_org_id(path))
        condition |= mine & Q(case__definition__key=hat.flow) if hat.flow else mine
    return condition


def _org_id(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2])


def hat_for(item: WorkItem, hats: Iterable[Hat], flow: str) -> Hat | None:
    """The hat under which this item may be answered; one's own before those of others."""
    for hat in hats:
        if hat.flow and hat.flow != flow:
            continue
        if item.assignee_id is not None:
            if item.assignee_id == hat.person_id:
                return hat
        elif any(role.value == item.role and _org_id(path) == item.org_id for role, path in hat.offices):
            return hat
    return None


def open_work(*, actor: Actor, now: datetime) -> QuerySet[WorkItem]:
    """What waits for the actor now."""
    rows = WorkItem.objects.filter(asked_q(hats_of(actor, now)), state=WorkState.OPEN.value, case__state__in=_OPEN_STATES)
    return rows.select_related("case__definition", "case__org", "stage_run", "assignee", "org")


def open_work_page(
    *, actor: Actor, flow: str = "", which: str = "", search: str = "", number: int = 1, size: int = 25, now: datetime
) -> Page[WorkItem]:
    """What waits for the actor, what is due first on top; `which` is `mine`, `office`, `overdue` or empty."""
    rows = open_work(actor=actor, now=now)
    if flow:
        rows = rows.filter(case__definition__key=flow)
    if which == "mine":
        rows = rows.filter(assignee__isnull=False)
    elif which == "office":
        rows = rows.filter(assignee__isnull=True)
    elif which == "overdue":
        rows = rows.filter(due_at__lt=now)
    if search.strip():
        word = search.strip()
        rows = rows.filter(Q(case__title__icontains=word) | Q(case__number__startswith=word.upper()))
    return page_of(rows.order_by(F("due_at").asc(nulls_last=True), "opened_at", "id"), lambda row: row, number=number, size=size)


def done_work_page(*, actor: Actor, number: int = 1, size: int = 25) -> Page[WorkItem]:
    """What the actor answered, newest first."""
    rows = (
        WorkItem.objects.filter(done_by_id=actor.person_id, state=WorkState.DONE.value)
        if actor.person_id
        else WorkItem.objects.none()
    )
    rows = rows.select_related("case", "case__flow_version", "case__org", "stage_run")
    return page_of(rows.order_by("-done_at", "-id"), lambda row: row, number=number, size=size)


def access_work(*, actor: Actor, id: int, now: datetime) -> WorkItem:
    """An item that the actor may answer, whatever became of it; otherwise `NotFound`."""
    item = WorkItem.objects.select_related("case__definition", "case__org", "stage_run", "assignee", "org").filter(pk=id).first()
    return answerable(item, actor=actor, hats=() if actor.is_system else hats_of(actor, now))


def answerable(item: WorkItem | None, *, actor: Actor, hats: Iterable[Hat]) -> WorkItem:
    """The item, where the actor may answer it under one of the hats or did; otherwise `NotFound`."""
    if item is None:
        raise _not_found()
    is_own = actor.person_id is not None and item.done_by_id == actor.person_id
    if not (actor.is_system or is_own or hat_for(item, hats, _flow_key(item))):
        raise _not_found()
    return item


def _flow_key(item: WorkItem) -> str:
    return str(item.case.definition.key)


def _not_found() -> NotFound:
    return NotFound(_("没有找到这件待办。"))


def open_work_of(case_id: int, *, actor: Actor | None = None, now: datetime | None = None) -> list[WorkItem]:
    """Open items of a case (at most 200); with `actor` only those the actor may answer."""
    rows = WorkItem.objects.select_related("assignee", "org", "stage_run").filter(case_id=case_id, state=WorkState.OPEN.value)
    if actor is not None and now is not None:
        rows = rows.filter(asked_q(hats_of(actor, now)))
    return list(rows.order_by("position", "id")[:200])


def people_asked(items: Iterable[WorkItem], now: datetime) -> list[int]:
    """Whom a notice about these items goes to: those asked, holders of the offices asked, and who stands in for them."""
    named: set[int] = set()
    offices: dict[str, list[int]] = {}
    for item in items:
        if item.assignee_id is not None:
            named.add(item.assignee_id)
        elif item.role and item.org_id:
            offices.setdefault(item.role, []).append(item.org_id)
    for role, org_ids in offices.items():
        for people in holders_at(Role(role), org_ids, now).values():
            named.update(people)
    wanted = sorted(named)
    standing = {
        row.delegate_id
        for begin in range(0, len(wanted), 500)
        for row in Delegation.objects.filter(
            person_id__in=wanted[begin : begin + 500], begin_at__lte=now, end_at__gt=now, revoked_at__isnull=True
        )
    }
    return sorted(named | standing)


def holders_at(role: Role, org_ids: list[int], now: datetime) -> dict[int, list[int]]:
    """Who holds a role at just these orgs; class teachers are those who lead the class."""
    found = directory.holders_of(role, org_ids, now=now)
    if role is Role.CLASS_TEACHER:
        leading = directory.class_teachers_of(org_ids, day=day_of(now))
        return {org_id: sorted({*people, *leading.get(org_id, ())}) for org_id, people in found.items()}
    return found


def people_named(person_ids: Iterable[int]) -> dict[int, str]:
    return {person.id: person.name for person in directory.people_by_ids(list(person_ids)).values()}


def work_data(item: WorkItem) -> WorkData:
    return WorkData(
        id=item.pk,
        public_id=ids.encode("work", item.pk),
        case_id=item.case_id,
        stage=item.stage_run.stage,
        kind=WorkKind(item.kind),
        state=WorkState(item.state),
        assignee_person_id=item.assignee_id,
        role=item.role,
        org_id=item.org_id,
        due_at=item.due_at,
    )
