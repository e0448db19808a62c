"""Which of some roles a person holds, for the door: every sign-in asks, so it is plain SQL with nothing to compile.

The rules are those of `role_options`; a test holds the two side by side.
"""

from datetime import datetime

from django.db import connection

from shuren.directory.data import Role
from shuren.directory.selectors.holdings import GRANTS, SEATS, TIES, WARDS, asked_with

# Each with the roles that can come from there.
_SOURCES = (
    (frozenset(Role), f"SELECT t.role {GRANTS}"),
    (frozenset(Role), f"SELECT t.role {TIES}"),
    (frozenset({Role.PUPIL}), f"SELECT 'pupil' {SEATS} AND t.role <> 'teacher'"),
    (frozenset({Role.TEACHER}), f"SELECT 'teacher' {SEATS} AND t.role = 'teacher'"),
    (frozenset({Role.CLASS_TEACHER}), f"SELECT 'class_teacher' {SEATS} AND t.role = 'teacher' AND t.is_primary"),
    (frozenset({Role.PARENT}), f"SELECT 'parent' {WARDS}"),
)


def roles_among(person_id: int, roles: frozenset[Role], now: datetime) -> frozenset[Role]:
    """Those of `roles` that the person holds; asks only where such a role can come from."""
    if not roles:
        return frozenset()
    asked = " UNION ALL ".join(sql for given, sql in _SOURCES if given & roles)
    with connection.cursor() as cursor:
        cursor.execute(asked, asked_with(person_id, now))
        return roles & {Role(role) for (role,) in cursor.fetchall()}
