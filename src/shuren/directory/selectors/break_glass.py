"""Emergencies, read: what is open now, what waits for a review, what was looked at."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import BreakGlassData, Permission, Role
from shuren.directory.models import BreakGlass
from shuren.directory.rules.permissions import wider_path
from shuren.directory.selectors.consents import places_of
from shuren.directory.selectors.holdings import holdings_of
from shuren.directory.selectors.orgs import orgs_by_ids
from shuren.directory.selectors.people import people_by_ids
from shuren.directory.selectors.scope import open_glass_q, scope_of
from shuren.kernel import audit, ids
from shuren.kernel.announced import target_words
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, outermost, path_q


def glass_data(row: BreakGlass) -> BreakGlassData:
    return BreakGlassData(
        id=row.pk,
        public_id=ids.encode("break_glass", row.pk),
        holder_id=row.holder_id,
        holder_name=row.holder.name,
        role=Role(row.role),
        subject_id=row.subject_id,
        subject_name=row.subject.name if row.subject else "",
        org_name=row.org.name if row.org else "",
        path=row.org_path,
        reason=row.reason,
        begin_at=row.begin_at,
        end_at=row.end_at,
        closed_at=row.closed_at,
        review_by=row.review_by,
        reviewed_at=row.reviewed_at,
        is_justified=row.is_justified,
        finding=row.finding,
    )


def emergency_scope(*, actor: Actor, now: datetime) -> Scope:
    """What `actor` may open in an emergency: the branches where they hold `BREAK_GLASS`, and one level up from each."""
    scope = scope_of(actor=actor, permission=Permission.BREAK_GLASS, now=now)
    return Scope(paths=outermost(wider_path(path) for path in scope.paths))


def glass_note(*, actor: Actor, now: datetime) -> dict[str, object]:
    """For the details of an audit entry: which emergencies the actor has open at this moment, if any."""
    if actor.person_id is None:
        return {}
    rows = BreakGlass.objects.filter(open_glass_q(now), holder_id=actor.person_id).order_by("pk")
    found = list(rows.values_list("pk", flat=True))
    return {"break_glass": found} if found else {}


def branch_glass_over(*, actor: Actor, person_id: int, now: datetime) -> list[BreakGlass]:
    """The branches that the actor has open and that the person is in, unless they may see the person without."""
    if actor.person_id is None:
        return []
    rows = list(BreakGlass.objects.filter(open_glass_q(now), holder_id=actor.person_id, subject__isnull=True).order_by("pk"))
    if not rows:
        return []
    places = places_of([person_id], day=day_of(now))[person_id]
    for holding in holdings_of(actor.person_id, now):
        is_own = person_id in holding.person_ids or any(holding.path and place.startswith(holding.path) for place in places)
        if is_own and holding.opens is None and holding.allows(Permission.VIEW_PEOPLE):
            return []
    return [row for row in rows if any(place.startswith(row.org_path) for place in places)]


def glass_in_scope(*, actor: Actor, now: datetime) -> QuerySet[BreakGlass]:
    """The actor's own, and those of branches whose access they review."""
    review = scope_of(actor=actor, permission=Permission.REVIEW_ACCESS, now=now)
    mine = Q(holder_id=actor.person_id) if actor.person_id is not None else Q(pk__in=())
    rows = BreakGlass.objects.filter(path_q("org_path", review.paths) | mine)
    return rows.select_related("holder", "subject", "org").order_by("-begin_at", "-pk")


def access_break_glass(*, actor: Actor, id: int, now: datetime) -> BreakGlassData:
    row = glass_in_scope(actor=actor, now=now).filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这次紧急查看。"))
    return glass_data(row)


def page_of_glass(*, actor: Actor, now: datetime, is_open: bool, number: int, size: int) -> Page[BreakGlassData]:
    """Newest first; `is_open` leaves only those that still wait for a review."""
    rows = glass_in_scope(actor=actor, now=now)
    if is_open:
        rows = rows.filter(reviewed_at__isnull=True)
    return page_of(rows, glass_data, number=number, size=size)


def may_review(*, actor: Actor, glass: BreakGlassData, now: datetime) -> bool:
    scope = scope_of(actor=actor, permission=Permission.REVIEW_ACCESS, now=now)
    return glass.reviewed_at is None and actor.person_id != glass.holder_id and scope.covers(glass.path)


def page_of_seen(glass: BreakGlassData, *, account_id: int | None, number: int, size: int) -> Page[AuditEntry]:
    """Every entry the holder left while it was open, newest first."""
    end = glass.closed_at or glass.end_at
    rows = audit.entries(since=glass.begin_at).filter(actor_account_id=account_id, at__lte=end)
    if account_id is None:
        rows = audit.entries(since=glass.begin_at).filter(actor_person_id=glass.holder_id, at__lte=end)
    return page_of(rows, lambda entry: entry, number=number, size=size)


def targets_named(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """What the entries are about, in words: people and orgs by name, all else by kind and row."""
    targets = {entry.target for entry in entries}
    rows = {kind: {target: int(row) for target in targets if (row := _row_of(target, kind))} for kind in ("person", "org")}
    people = {id: person.name for id, person in people_by_ids(rows["person"].values()).items()}
    orgs = {id: org.name for id, org in orgs_by_ids(rows["org"].values()).items()}
    names = {target: people.get(id) for target, id in rows["person"].items()}
    names |= {target: orgs.get(id) for target, id in rows["org"].items()}
    return {target: names.get(target) or target_words(target) for target in targets}


def _row_of(target: str, kind: str) -> str:
    found, _colon, row = target.partition(":")
    return row if found == kind and row.isdecimal() else ""


def account_of(glass: BreakGlassData) -> int | None:
    return BreakGlass.objects.values_list("account_id", flat=True).get(pk=glass.id)
