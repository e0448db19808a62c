"""Packages of OneRoster 1.1: users carried their roles then; 1.2 keeps these in a file of their own."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from shuren.directory.rules.roster.oneroster import ROLES, USERS
from shuren.directory.services.check_roster.messages import Problem

VERSION = "1.1"
HEADER = [
    *("sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username", "userIds"),
    *("givenName", "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades"),
    "password",
]
# The one role that 1.2 parted; all others kept their names.
_ROLES = {"administrator": "siteAdministrator"}
_MAX_ID = 64


def part_users(users: Path, roles: Path) -> Iterator[Problem]:
    """Rewrite unpacked users of 1.1 as users and roles of 1.2, line by line, so that findings still name the user's line.

    The first org of a user is the primary one. Extension columns stay at the end of the users.
    """
    drafted = users.with_suffix(".drafted")
    with (
        users.open("r", encoding="utf-8-sig", newline="") as source,
        drafted.open("w", encoding="utf-8", newline="") as target,
        roles.open("w", encoding="utf-8", newline="") as beside,
    ):
        lines = csv.reader(source)
        header = next(lines, [])
        if header[: len(HEADER)] != HEADER:
            yield _wrong_header(header)
            return
        extra = header[len(HEADER) :]
        written, tied = csv.writer(target, lineterminator="\r\n"), csv.writer(beside, lineterminator="\r\n")
        written.writerow([*USERS.header, *extra])
        tied.writerow(ROLES.header)
        try:
            for line in lines:
                if line and len(line) != len(header):
                    value, detail = str(len(line)), str(len(header))
                    yield Problem(rule="width", file="users.csv", row=lines.line_num, value=value, detail=detail)
                    continue
                cells = dict(zip(HEADER, line, strict=False))
                written.writerow([*(cells.get(name, "") for name in USERS.header), *line[len(HEADER) :]] if line else [])
                tied.writerows(_roles_of(cells))
        except csv.Error as fault:
            yield Problem(rule="line_broken", file="users.csv", row=lines.line_num, detail=str(fault))
    drafted.replace(users)


def _wrong_header(header: list[str]) -> Problem:
    place = next((at for at, name in enumerate(HEADER) if at >= len(header) or header[at] != name), 0)
    seen = header[place] if place < len(header) else ""
    return Problem(rule="header", file="users.csv", row=1, column=HEADER[place], value=seen, detail=",".join(HEADER))


def _roles_of(cells: dict[str, str]) -> Iterator[list[str]]:
    orgs = [org.strip() for org in cells.get("orgSourcedIds", "").split(",") if org.strip()]
    role = cells.get("role", "")
    for place, org in enumerate(orgs):
        said = {
            "sourcedId": _id_of(cells["sourcedId"], org),
            "status": cells.get("status", ""),
            "dateLastModified": cells.get("dateLastModified", ""),
            "userSourcedId": cells["sourcedId"],
            "roleType": "secondary" if place else "primary",
            "role": _ROLES.get(role, role),
            "orgSourcedId": org,
        }
        yield [said.get(name, "") for name in ROLES.header]


def _id_of(user: str, org: str) -> str:
    """The same from file to file, for 1.1 gave roles no id."""
    plain = f"{user}@{org}"
    return plain if len(plain) <= _MAX_ID else hashlib.sha256(plain.encode()).hexdigest()
