"""Which of some roles a person holds, for the door: every sign-in asks, so it is plain SQL with nothing to compile.

The rules are those of `role_options`; a test holds the two side by side.
"""

from datetime import datetime

from django.db import connection

from shuren.directory.data import Role
from shuren.kernel.clock import day_of
from shuren.kernel.moments import stored

_ACTIVE = "t.person_id = %(person)s AND o.status = 'active'"
_CURRENT = "(t.begin_date IS NULL OR t.begin_date <= %(day)s) AND (t.end_date IS NULL OR t.end_date > %(day)s)"
_STANDS = "NOT EXISTS (SELECT 1 FROM directory_pendingroster p WHERE p.import_id = t.import_id)"
_GRANTS = f"""FROM directory_grant t JOIN directory_org o ON o.id = t.org_id
WHERE {_ACTIVE} AND (t.confirm_by IS NULL OR t.confirmed_at IS NOT NULL)
  AND t.revoked_at IS NULL AND t.begin_at <= %(now)s AND (t.end_at IS NULL OR t.end_at > %(now)s)"""
_TIES = f"FROM directory_affiliation t JOIN directory_org o ON o.id = t.org_id WHERE {_ACTIVE} AND {_CURRENT} AND {_STANDS}"
_SEATS = f"FROM directory_enrollment t JOIN directory_org o ON o.id = t.class_org_id WHERE {_ACTIVE} AND {_CURRENT} AND {_STANDS}"
_WARDS = f"FROM directory_guardianlink t WHERE t.guardian_id = %(person)s AND {_CURRENT} AND {_STANDS}"
# Each with the roles that can come from there.
_SOURCES = (
    (frozenset(Role), f"SELECT t.role {_GRANTS}"),
    (frozenset(Role), f"SELECT t.role {_TIES}"),
    (frozenset({Role.PUPIL}), f"SELECT 'pupil' {_SEATS} AND t.role <> 'teacher'"),
    (frozenset({Role.TEACHER}), f"SELECT 'teacher' {_SEATS} AND t.role = 'teacher'"),
    (frozenset({Role.CLASS_TEACHER}), f"SELECT 'class_teacher' {_SEATS} AND t.role = 'teacher' AND t.is_primary"),
    (frozenset({Role.PARENT}), f"SELECT 'parent' {_WARDS}"),
)


def roles_among(person_id: int, roles: frozenset[Role], now: datetime) -> frozenset[Role]:
    """Those of `roles` that the person holds; asks only where such a role can come from."""
    if not roles:
        return frozenset()
    asked = " UNION ALL ".join(sql for given, sql in _SOURCES if given & roles)
    with connection.cursor() as cursor:
        cursor.execute(asked, {"person": person_id, "day": day_of(now), "now": stored(now)})
        return roles & {Role(role) for (role,) in cursor.fetchall()}
