"""Writes of the portal: the people who hold an installation's first roles."""

from collections.abc import Mapping
from datetime import datetime

from shuren.directory import api as directory
from shuren.directory.data import NewPerson, Role
from shuren.kernel.data import SYSTEM

# The three administrators are three people, because nobody may combine two of these roles (三员分立).
TITLES = {Role.SYSTEM_ADMIN: "系统管理员", Role.SECURITY_ADMIN: "安全管理员", Role.AUDIT_ADMIN: "审计管理员"}


def add_role_holders(people: Mapping[Role, NewPerson], *, org_id: int, now: datetime) -> dict[Role, int]:
    """Add each person and grant them their role on the whole branch of the org; person ids by role."""
    added = {}
    for role, person in people.items():
        added[role] = directory.add_person(actor=SYSTEM, person=person, now=now).id
        directory.grant_role(actor=SYSTEM, person_id=added[role], role=role, org_id=org_id, may_delegate=True, now=now)
    return added
