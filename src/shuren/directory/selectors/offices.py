"""Officers by the roster, read: whose office nobody has looked at for long."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from shuren.directory.data import Permission, PersonData, Role
from shuren.directory.models import Affiliation
from shuren.directory.rules.permissions import ADMINS, STRONG
from shuren.directory.selectors.people import people_within, person_data
from shuren.directory.selectors.scope import current_q, scope_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page, page_of, stream_of
from shuren.kernel.scope import path_q

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """An office as a page lists it beside grants (`selectors.grants.GrantRow`)."""

    affiliation_id: int
    person: PersonData
    may_open: bool
    role: Role
    org_name: str
    org_public_id: str
    begin: date | None
    giver_name: str = ""
    certify_by: datetime | None = None


def old_offices(*, now: datetime) -> QuerySet[Affiliation]:
    """Officers in office whom nobody has certified for `CERTIFY_MONTHS`; an office without a first day counts as old."""
    before = now - settings.CERTIFY_MONTHS * _MONTH
    begun = Q(begin_date__isnull=True) | Q(begin_date__lte=day_of(before))
    is_old = Q(certified_at__lte=before) | (Q(certified_at__isnull=True) & begun)
    roles = [role.value for role in STRONG - ADMINS]
    return Affiliation.objects.visible().filter(current_q(day_of(now)), is_old, role__in=roles)


def certifiable_offices(*, actor: Actor, now: datetime) -> QuerySet[Affiliation]:
    """Those of branches whose access `actor` reviews, the oldest first; never their own."""
    scope = scope_of(actor=actor, permission=Permission.REVIEW_ACCESS, now=now)
    rows = old_offices(now=now).filter(path_q("org_path", scope.paths))
    rows = rows if actor.person_id is None else rows.exclude(person_id=actor.person_id)
    return rows.select_related("person", "org").order_by("org_path", "pk")


def page_of_offices(*, actor: Actor, now: datetime, number: int, size: int) -> Page[OfficeRow]:
    page = page_of(certifiable_offices(actor=actor, now=now), lambda row: row, number=number, size=size)
    return Page(_office_rows(page.rows, actor, now), page.total, page.is_exact, page.number, page.size)


def stream_offices(*, actor: Actor, now: datetime) -> Iterator[OfficeRow]:
    return stream_of(certifiable_offices(actor=actor, now=now), lambda offices: _office_rows(offices, actor, now))


def _office_rows(rows: Collection[Affiliation], actor: Actor, now: datetime) -> list[OfficeRow]:
    people = scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now)
    open_ids = people_within(people, {row.person_id for row in rows}, day=day_of(now))
    return [
        OfficeRow(
            affiliation_id=row.pk,
            person=person_data(row.person),
            may_open=row.person_id in open_ids,
            role=Role(row.role),
            org_name=row.org.name,
            org_public_id=ids.encode("org", row.org_id),
            begin=row.begin_date,
        )
        for row in rows
    ]
