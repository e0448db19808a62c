"""Who can see a person, by which right, and who did: the rights of `scope`, followed from the person upward.

Whatever gives a right in `scope` has its counterpart here; a test draws random rosters and holds the two together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db.models import Q

from shuren.directory.data import ConsentState, EnrollmentRole, OrgStatus, OrgType, Permission, Role
from shuren.directory.models import (
    Affiliation,
    BreakGlass,
    ConsentText,
    Disclosure,
    Enrollment,
    Grant,
    GuardianLink,
    Org,
)
from shuren.directory.rules.permissions import BRANCH_ROLES, ROLE_PERMISSIONS
from shuren.directory.rules.tree import ids_of, prefixes_of
from shuren.directory.selectors.consents import asked_texts, consent_of
from shuren.directory.selectors.scope import active_grant_q, current_q, open_glass_q, scope_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.models import AuditEntry
from shuren.kernel.paging import Page, page_of

# Lists of a branch name everybody in it; all else is about one person. Codes of the apps above stand here as they are
# announced: an entry whose target is the person shows on the person's page.
BRANCH_READS = (
    "directory.break_glass_opened",
    "directory.people_exported",
    "directory.roster_exported",
    "identity.accounts_exported",
)
READS = (
    *BRANCH_READS,
    "directory.sensitive_read",
    "directory.person_read",
    "directory.subject_data_given",
    "certificates.downloaded",
    "certificates.record_downloaded",
    "certificates.shared",
    "certificates.told_to_app",
    "evaluation.evidence_downloaded",
    "evaluation.report_downloaded",
)


class Path(StrEnum):
    """What a right comes from."""

    ROSTER = "roster"
    CLASS = "class"
    GRANT = "grant"
    FAMILY = "family"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who can see a person, and why; `given_by` and `until` tell of grants and emergencies."""

    person_id: int
    name: str
    role: Role
    path: Path
    where: str
    sees_sensitive: bool
    given_by: str = ""
    purpose: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AppViewer:
    """A recipient that was told of the person, and when last."""

    recipient: str
    name: str
    purpose: str
    elements: str
    day: date


@dataclass(frozen=True, slots=True)
class AppAsker:
    """A recipient that may ask for the person, as a notice in force says, and where the person stands towards it."""

    name: str
    purpose: str
    elements: tuple[str, ...]
    state: ConsentState


def viewers_of(person_id: int, *, now: datetime) -> list[Viewer]:
    """Everybody else who can open the person's page at this moment; seven queries, whatever the size of the region."""
    day = day_of(now)
    paths = _paths_of(person_id, day)
    prefixes = sorted({prefix for path in paths for prefix in prefixes_of(path)})
    found = [
        *_by_emergency(person_id, prefixes, now),
        *_by_family(person_id, day),
        *_by_class(prefixes, day),
        *_by_office(prefixes, day),
        *_by_grant(prefixes, now),
    ]
    return [viewer for viewer in dict.fromkeys(found) if viewer.person_id != person_id]


def _paths_of(person_id: int, day: date) -> set[str]:
    """Where the person is or is going to be, as `people_within` counts it; the roots, for who belongs nowhere."""
    open_q = Q(end_date__isnull=True) | Q(end_date__gt=day)
    paths = {
        path
        for model in (Affiliation, Enrollment)
        for path in model._default_manager.visible().filter(open_q, person_id=person_id).values_list("org_path", flat=True)
    }
    roots = list(Org.objects.visible().filter(parent__isnull=True).values_list("path", flat=True))
    return paths | (set(roots) if len(roots) == 1 else set())


def _sees(role: Role) -> bool:
    return Permission.VIEW_PEOPLE in ROLE_PERMISSIONS[role]


def _sensitive(role: Role) -> bool:
    return Permission.VIEW_SENSITIVE in ROLE_PERMISSIONS[role]


def _by_grant(prefixes: Sequence[str], now: datetime) -> Iterator[Viewer]:
    rows = Grant.objects.filter(
        active_grant_q(now), org_path__in=prefixes, role__in=[role for role in Role if _sees(role)], org__status=OrgStatus.ACTIVE
    )
    for row in rows.select_related("person", "org", "granted_by").order_by("org_path", "role", "pk"):
        role, giver = Role(row.role), row.granted_by.name if row.granted_by else ""
        yield Viewer(
            row.person_id, row.person.name, role, Path.GRANT, row.org.name, _sensitive(role), giver, row.purpose, row.end_at
        )


def _by_office(prefixes: Sequence[str], day: date) -> Iterator[Viewer]:
    offices = [role for role in Role if _sees(role) and (role in BRANCH_ROLES or role is Role.CLASS_TEACHER)]
    rows = Affiliation.objects.visible().filter(
        current_q(day), org_path__in=prefixes, role__in=offices, org__status=OrgStatus.ACTIVE
    )
    columns = ("person_id", "person__name", "role", "org__name", "org__type")
    for person_id, name, text, org, kind in rows.order_by("org_path", "role", "pk").values_list(*columns):
        role = Role(text)
        if role is not Role.CLASS_TEACHER or kind == OrgType.CLASS:
            yield Viewer(person_id, name, role, Path.ROSTER, org, _sensitive(role))


def _by_class(prefixes: Sequence[str], day: date) -> Iterator[Viewer]:
    rows = Enrollment.objects.visible().filter(
        current_q(day), org_path__in=prefixes, role=EnrollmentRole.TEACHER, class_org__status=OrgStatus.ACTIVE
    )
    columns = ("person_id", "person__name", "is_primary", "class_org__name")
    for person_id, name, main, org in rows.order_by("org_path", "-is_primary", "pk").values_list(*columns):
        yield Viewer(person_id, name, Role.CLASS_TEACHER if main else Role.TEACHER, Path.CLASS, org, False)


def _by_family(person_id: int, day: date) -> Iterator[Viewer]:
    links = GuardianLink.objects.visible().filter(current_q(day), ward_id=person_id).order_by("pk")
    for guardian_id, name, relation in links.values_list("guardian_id", "guardian__name", "relation"):
        yield Viewer(guardian_id, name, Role.PARENT, Path.FAMILY, relation, True)


def _by_emergency(person_id: int, prefixes: Sequence[str], now: datetime) -> Iterator[Viewer]:
    of_branch = Q(subject__isnull=True, org_path__in=prefixes)
    rows = BreakGlass.objects.filter(open_glass_q(now), of_branch | Q(subject_id=person_id)).select_related("holder")
    for row in rows.order_by("pk"):
        yield Viewer(row.holder_id, row.holder.name, Role(row.role), Path.EMERGENCY, row.reason, True, until=row.end_at)


def apps_told_of(person_id: int, *, since: date) -> list[AppViewer]:
    """Recipients that were told of the person since a day, the latest first; the latest hundred."""
    rows = list(
        Disclosure.objects.filter(person_id=person_id, day__gte=since)
        .exclude(recipient="")
        .order_by("-day", "-pk")
        .values_list("recipient", "purpose", "elements", "day")[:100]
    )
    recipients = {recipient for recipient, _purpose, _elements, _day in rows}
    names = dict(ConsentText.objects.filter(recipient__in=recipients).order_by("pk").values_list("recipient", "recipient_name"))
    return [
        AppViewer(recipient, names.get(recipient) or recipient, purpose, elements, day)
        for recipient, purpose, elements, day in rows
    ]


def apps_asking_for(person_id: int, *, now: datetime) -> list[AppAsker]:
    """Recipients that notices in force where the person is name, told of them already or not."""
    texts = [text for text in asked_texts([person_id], now=now)[person_id] if text.recipient]
    ways = dict.fromkeys((text.recipient, text.purpose) for text in texts)
    states = {way: consent_of(person_id=person_id, recipient=way[0], purpose=way[1], now=now).state for way in ways}
    return [
        AppAsker(text.recipient_name or text.recipient, text.purpose, text.elements, states[text.recipient, text.purpose])
        for text in texts
    ]


def page_of_reads(person_id: int, *, now: datetime, number: int, size: int) -> Page[AuditEntry]:
    """Who looked at sensitive facts of the person, looked in an emergency, or took them out in a file; newest first."""
    paths = _paths_of(person_id, day_of(now))
    orgs = sorted({part for path in paths for part in path.split("/") if part})
    of_branch = Q(target__in=[f"org:{org}" for org in orgs], action__in=BRANCH_READS)
    rows = AuditEntry.objects.filter(of_branch | Q(target=f"person:{person_id}", action__in=READS)).order_by("-at", "-id")
    return page_of(rows, lambda entry: entry, number=number, size=size)


def list_targets(*, actor: Actor, permission: Permission, now: datetime) -> list[str]:
    """What an entry about a list of everybody within reach is filed under, so that each of them is told of it.

    The branches the list comes from, and single people; one entry for each.
    """
    scope = scope_of(actor=actor, permission=permission, now=now)
    orgs = [f"org:{ids_of(path)[-1]}" for path in scope.paths]
    others = [f"person:{person_id}" for person_id in sorted(scope.person_ids) if person_id != actor.person_id]
    return [*orgs, *others] or [f"person:{actor.person_id}"]
