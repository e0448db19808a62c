"""Grants, read: who holds what where, and what somebody may give on."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import EnrollmentRole, GrantData, OrgStatus, Permission, PersonData, Role
from shuren.directory.models import Affiliation, Enrollment, Grant
from shuren.directory.rules.permissions import BRANCH_ROLES, HANDS, ROLE_PERMISSIONS, may_give
from shuren.directory.selectors.people import people_within, person_data
from shuren.directory.selectors.scope import active_grant_q, current_q, scope_of, scopes_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of, stream_of
from shuren.kernel.scope import path_q


@dataclass(frozen=True, slots=True)
class GivingRight:
    """A role somebody may give on. Without `grant_id` it comes from an office (head, officer) held by affiliation.

    An office gives inferior roles only: whoever is to hold the office itself is entered in the roster.
    """

    role: Role
    path: str
    grant_id: int | None = None
    begin_at: datetime | None = None
    end_at: datetime | None = None

    def reaches(self, role: Role, path: str) -> bool:
        if self.grant_id is None and self.role == role:
            return False
        return path.startswith(self.path) and may_give(self.role, role)


def giving_rights(*, actor: Actor, now: datetime) -> list[GivingRight]:
    """What `actor` may give on, through the chosen hat only if one is chosen; grants before offices.

    A grant that came through two hands already (`rules.permissions.HANDS`) is given on no further.
    """
    if actor.person_id is None:
        return []
    grants = Grant.objects.filter(
        active_grant_q(now),
        Q(**{f"{'__'.join(['source'] * (HANDS - 1))}__isnull": True}),
        person_id=actor.person_id,
        may_delegate=True,
        org__status=OrgStatus.ACTIVE,
    ).order_by("org_path", "id")
    rights = [GivingRight(Role(g.role), g.org_path, g.pk, g.begin_at, g.end_at) for g in grants]
    offices = Affiliation.objects.visible().filter(current_q(day_of(now)), person_id=actor.person_id, role__in=BRANCH_ROLES)
    rights += [GivingRight(Role(role), path) for role, path in offices.values_list("role", "org_path")]
    return [
        right
        for right in rights
        if Permission.GRANT_ROLES in ROLE_PERMISSIONS[right.role] and (actor.role is None or right.role == actor.role)
    ]


def held_roles(person_id: int, *, now: datetime) -> frozenset[Role]:
    """Roles held by grant, by affiliation, or as class teacher by enrollment, now or later, for the rule of exclusion."""
    granted = Grant.objects.filter(Q(end_at__isnull=True) | Q(end_at__gt=now), person_id=person_id, revoked_at__isnull=True)
    open_q = Q(end_date__isnull=True) | Q(end_date__gt=day_of(now))
    affiliated = Affiliation.objects.visible().filter(open_q, person_id=person_id)
    classes = Enrollment.objects.visible().filter(open_q, person_id=person_id, role=EnrollmentRole.TEACHER, is_primary=True)
    roles = [*granted.values_list("role", flat=True), *affiliated.values_list("role", flat=True)]
    return frozenset(map(Role, roles)) | ({Role.CLASS_TEACHER} if classes.exists() else frozenset())


def grant_data(grant: Grant) -> GrantData:
    return GrantData(
        id=grant.pk,
        person_id=grant.person_id,
        role=Role(grant.role),
        org_id=grant.org_id,
        org_path=grant.org_path,
        purpose=grant.purpose,
        begin_at=grant.begin_at,
        end_at=grant.end_at,
        granted_by_id=grant.granted_by_id,
        may_delegate=grant.may_delegate,
        confirm_by=grant.confirm_by,
        certify_by=grant.certify_by,
        is_waiting=grant.confirm_by is not None and grant.confirmed_at is None,
    )


def grants_of(person_id: int, *, now: datetime) -> list[GrantData]:
    """A person's grants in force."""
    rows = Grant.objects.filter(active_grant_q(now), person_id=person_id).order_by("org_path", "role")
    return [grant_data(grant) for grant in rows]


def grants_in_scope(*, actor: Actor, now: datetime) -> QuerySet[Grant]:
    """Grants not revoked on branches where `actor` may give roles, and those `actor` holds or gave."""
    scope = scope_of(actor=actor, permission=Permission.GRANT_ROLES, now=now)
    mine = Q(person_id=actor.person_id) | Q(granted_by_id=actor.person_id) if actor.person_id else Q(pk__in=())
    rows = Grant.objects.filter(path_q("org_path", scope.paths) | mine, revoked_at__isnull=True)
    return rows.select_related("person", "org", "granted_by")


def access_grant(*, actor: Actor, id: int, now: datetime) -> GrantData:
    grant = grants_in_scope(actor=actor, now=now).filter(pk=id).first()
    if grant is None:
        raise NotFound(_("没有找到这条授权。"))
    return grant_data(grant)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as a page lists it, with names. Who looks after grants does not thereby read people (`may_open`)."""

    grant: GrantData
    person: PersonData
    may_open: bool
    org_name: str
    org_public_id: str
    giver_name: str

    @property
    def role(self) -> Role:
        return self.grant.role

    @property
    def begin(self) -> datetime:
        return self.grant.begin_at

    @property
    def certify_by(self) -> datetime | None:
        return self.grant.certify_by


def page_of_grants(*, actor: Actor, now: datetime, search: str, role: str, number: int, size: int) -> Page[GrantRow]:
    """Grants that `actor` may look after, newest first; `search` is a name or number."""
    rows = grants_in_scope(actor=actor, now=now).order_by("-begin_at", "-id")
    if search:
        rows = rows.filter(Q(person__name__contains=search) | Q(person__number=search))
    if role:
        rows = rows.filter(role=role)
    page = page_of(rows, lambda grant: grant, number=number, size=size)
    return Page(_grant_rows(page.rows, actor, now), page.total, page.is_exact, page.number, page.size)


def _grant_rows(grants: Collection[Grant], actor: Actor, now: datetime) -> list[GrantRow]:
    people = scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now)
    open_ids = people_within(people, {grant.person_id for grant in grants}, day=day_of(now))
    return [_grant_row(grant, grant.person_id in open_ids) for grant in grants]


def _grant_row(grant: Grant, may_open: bool) -> GrantRow:
    return GrantRow(
        grant=grant_data(grant),
        person=person_data(grant.person),
        may_open=may_open,
        org_name=grant.org.name,
        org_public_id=ids.encode("org", grant.org_id),
        giver_name=grant.granted_by.name if grant.granted_by else "",
    )


def grants_at(path: str, *, actor: Actor, now: datetime) -> list[GrantRow]:
    """Grants in force on the org at `path`, given there or above, outermost first."""
    rows = grants_reaching(path, now=now).select_related("granted_by").order_by("org_path", "role", "id")
    return _grant_rows(list(rows[:500]), actor, now)


def grants_reaching(path: str, *, now: datetime) -> QuerySet[Grant]:
    """Grants in force on the org at `path` or above it."""
    prefixes = [path[: end + 1] for end, letter in enumerate(path) if letter == "/"]
    return Grant.objects.filter(active_grant_q(now), org_path__in=prefixes).select_related("person", "org")


def certifiable_grants(*, actor: Actor, now: datetime) -> QuerySet[Grant]:
    """Grants somebody is asked to confirm or end, on branches where `actor` may give roles; never their own.

    What the installation gave is looked through by whoever reviews access there.
    """
    asked = (Permission.GRANT_ROLES, Permission.REVIEW_ACCESS)
    scopes = scopes_of(actor=actor, permissions=asked, now=now)
    given = Q(path_q("org_path", scopes[Permission.GRANT_ROLES].paths), granted_by__isnull=False)
    own = Q(path_q("org_path", scopes[Permission.REVIEW_ACCESS].paths), granted_by__isnull=True)
    rows = Grant.objects.filter(active_grant_q(now), given | own, certify_by__isnull=False)
    rows = rows if actor.person_id is None else rows.exclude(person_id=actor.person_id)
    return rows.select_related("person", "org", "granted_by").order_by("certify_by", "pk")


def page_of_certifiable(*, actor: Actor, now: datetime, number: int, size: int) -> Page[GrantRow]:
    """What waits for an answer, the most urgent first."""
    page = page_of(certifiable_grants(actor=actor, now=now), lambda grant: grant, number=number, size=size)
    return Page(_grant_rows(page.rows, actor, now), page.total, page.is_exact, page.number, page.size)


def stream_certifiable(*, actor: Actor, now: datetime) -> Iterator[GrantRow]:
    return stream_of(certifiable_grants(actor=actor, now=now), lambda grants: _grant_rows(grants, actor, now))
