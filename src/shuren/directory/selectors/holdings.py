"""What a person holds at a moment, from five tables at once: every request asks, so it is plain SQL with nothing to compile."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection

from shuren.directory.data import EnrollmentRole, OrgType, Permission, Role
from shuren.directory.rules.permissions import BRANCH_ROLES, EMERGENCY, ROLE_PERMISSIONS
from shuren.kernel.clock import day_of
from shuren.kernel.moments import stored
from shuren.kernel.reading import once

# Permissions whose object is a person: for these a pupil reaches themself and a guardian the wards.
_PERSONAL = frozenset({Permission.VIEW_PEOPLE, Permission.VIEW_PUPIL_REPORTS})
_TREE = frozenset({Permission.VIEW_ORGS})

_ACTIVE = "t.person_id = %(person)s AND o.status = 'active'"
_CURRENT = "(t.begin_date IS NULL OR t.begin_date <= %(day)s) AND (t.end_date IS NULL OR t.end_date > %(day)s)"
_STANDS = "NOT EXISTS (SELECT 1 FROM directory_pendingroster p WHERE p.import_id = t.import_id)"
# The rows that count, for questions over them with `asked_with`.
GRANTS = f"""FROM directory_grant t JOIN directory_org o ON o.id = t.org_id
WHERE {_ACTIVE} AND (t.confirm_by IS NULL OR t.confirmed_at IS NOT NULL)
  AND t.revoked_at IS NULL AND t.begin_at <= %(now)s AND (t.end_at IS NULL OR t.end_at > %(now)s)"""
TIES = f"FROM directory_affiliation t JOIN directory_org o ON o.id = t.org_id WHERE {_ACTIVE} AND {_CURRENT} AND {_STANDS}"
SEATS = f"FROM directory_enrollment t JOIN directory_org o ON o.id = t.class_org_id WHERE {_ACTIVE} AND {_CURRENT} AND {_STANDS}"
WARDS = f"FROM directory_guardianlink t WHERE t.guardian_id = %(person)s AND {_CURRENT} AND {_STANDS}"
_GLASSES = """FROM directory_breakglass t
WHERE t.holder_id = %(person)s AND t.closed_at IS NULL AND t.begin_at <= %(now)s AND t.end_at > %(now)s"""
_HELD = f"""
SELECT 'grant', t.role, t.org_path, '', 0 {GRANTS}
UNION ALL SELECT 'tie', t.role, t.org_path, o.type, 0 {TIES}
UNION ALL SELECT 'seat', t.role, t.org_path, '', CASE WHEN t.is_primary THEN 1 ELSE 0 END {SEATS}
UNION ALL SELECT 'ward', '', '', '', t.ward_id {WARDS}
UNION ALL SELECT 'glass', t.role, t.org_path, '', COALESCE(t.subject_id, 0) {_GLASSES}
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """One hat, and what it reaches: a branch, or single people.

    `only` narrows what the role otherwise allows; `opens` takes its place in an emergency.
    """

    role: Role
    path: str = ""
    person_ids: frozenset[int] = field(default_factory=frozenset)
    only: frozenset[Permission] | None = None
    opens: frozenset[Permission] | None = None

    def allows(self, permission: Permission) -> bool:
        if self.opens is not None:
            return permission in self.opens
        return permission in ROLE_PERMISSIONS[self.role] and (self.only is None or permission in self.only)


def holdings_of(person_id: int, now: datetime) -> tuple[Holding, ...]:
    """Every hat of a person at this moment, in one statement; a page that is read asks once."""
    return once(("holdings", person_id), lambda: _held(person_id, now))


def asked_with(person_id: int, now: datetime) -> dict[str, int | str | date]:
    """The parameters of the parts above."""
    return {"person": person_id, "day": day_of(now), "now": stored(now)}


def _held(person_id: int, now: datetime) -> tuple[Holding, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_HELD, asked_with(person_id, now))
        rows = cursor.fetchall()
    found = [holding for source, *row in rows if source != "ward" for holding in _READ[source](person_id, *row)]
    wards = frozenset(number for source, *_rest, number in rows if source == "ward")
    if wards:  # all of them are one holding
        found.append(Holding(Role.PARENT, person_ids=wards | {person_id}, only=_PERSONAL))
    return tuple(found)


def _granted(_person_id: int, role: str, path: str, _kind: str, _number: int) -> Iterator[Holding]:
    yield Holding(Role(role), path)


def _tied(person_id: int, text: str, path: str, kind: str, _number: int) -> Iterator[Holding]:
    role = Role(text)
    if role in BRANCH_ROLES or (role is Role.CLASS_TEACHER and kind == OrgType.CLASS):
        yield Holding(role, path)
    elif role in (Role.TEACHER, Role.CLASS_TEACHER):
        yield Holding(role, path, only=_TREE)
    elif role is Role.PUPIL:
        yield Holding(role, person_ids=frozenset({person_id}), only=_PERSONAL)


def _seated(person_id: int, role: str, path: str, _kind: str, is_primary: int) -> Iterator[Holding]:
    if role == EnrollmentRole.STUDENT:
        yield Holding(Role.PUPIL, path, only=_TREE)
        yield Holding(Role.PUPIL, person_ids=frozenset({person_id}), only=_PERSONAL)
    else:
        yield Holding(Role.TEACHER, path)
        if is_primary:
            yield Holding(Role.CLASS_TEACHER, path)


def _in_emergency(_person_id: int, role: str, path: str, _kind: str, subject_id: int) -> Iterator[Holding]:
    if subject_id:
        yield Holding(Role(role), person_ids=frozenset({subject_id}), opens=EMERGENCY)
    else:
        yield Holding(Role(role), path, opens=EMERGENCY)


_READ = {"grant": _granted, "tie": _tied, "seat": _seated, "glass": _in_emergency}
