"""A step of `region`: people of every level who can sign in, and the addresses each of them has reason to open.

Writes `cast.json` into the data folder: per account its name and password, and lists of addresses of org pages, of people,
and of reports by level, all inside the account's own branch.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from tests.faults.school_test import CODE

from shuren.assessment import api as assessment
from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewPerson, OrgData, OrgType, PersonData, Role
from shuren.evaluation.data import Level
from shuren.evaluation.models import EvaluationRun
from shuren.identity import api as identity
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM

PASSWORD = "bench-2026-pass"
# How many sign in at each level of the tree, in which role.
WANTED = {
    OrgType.PROVINCE: (Role.PROVINCE_OFFICER, 2),
    OrgType.CITY: (Role.CITY_OFFICER, 4),
    OrgType.COUNTY: (Role.COUNTY_OFFICER, 12),
    OrgType.SCHOOL: (Role.HEAD, 24),
    OrgType.CLASS: (Role.CLASS_TEACHER, 24),
}
KEPT = 40

Row = TypeVar("Row")


def spread(rows: Sequence[Row], count: int) -> Sequence[Row]:
    """`count` of the rows, from all over them."""
    return rows[:: max(1, len(rows) // count)][:count]


def seats() -> Iterator[tuple[OrgData, Role]]:
    """Who sits where: at every level orgs from all over the region, the root with as many officers as are wanted."""
    root = directory.root_org()
    assert root is not None
    for kind, (role, count) in WANTED.items():
        orgs = [root] * count if root.type is kind else directory.subtree(root.path, types={kind})
        yield from ((org, role) for org in spread(orgs, count))


def sit(org: OrgData, role: Role) -> int:
    """Give a person of the bench the role on the org, and an account; returns the person's id."""
    now = clock.now()
    person = directory.add_person(actor=SYSTEM, person=NewPerson(name="压力测试", is_synthetic=True), now=now).id
    directory.grant_role(actor=SYSTEM, person_id=person, role=role, org_id=org.id, now=now)
    identity.create_accounts(actor=SYSTEM, person_ids=[person], usernames={person: f"bench-{person}"}, now=now)
    identity.set_password(actor=SYSTEM, person_id=person, password=PASSWORD, must_change=False, now=now)
    return person


def people_in(org: OrgData, role: Role) -> list[PersonData]:
    """Some pupils or teachers of the org; of a class those enrolled in it, since their school is where they belong."""
    if org.type is not OrgType.CLASS:
        return list(spread(directory.people_of_org(org.path, roles={role}, limit=2_000), KEPT))
    enrolled = EnrollmentRole.STUDENT if role is Role.PUPIL else EnrollmentRole.TEACHER
    rows = list(directory.enrollments_of_paths([org.path], role=enrolled))
    return list(directory.people_by_ids(row.person_id for row in spread(rows, KEPT)).values())


def addresses(org: OrgData, reports: Sequence[tuple[str, str, str]]) -> dict[str, list[str]]:
    """What somebody who answers for the org opens, by the kind of page; `reports` are level, path and address of each."""
    pupils, teachers = people_in(org, Role.PUPIL), people_in(org, Role.TEACHER)
    found: dict[str, list[str]] = {"org": [f"/orgs/{row.public_id}/" for row in spread(directory.subtree(org.path), KEPT)]}
    found["people of an org"] = [f"{address}people/" for address in found["org"]]
    found["person"] = [f"/people/{row.public_id}/" for row in (*pupils, *teachers)]
    for level in Level:
        own = [address for held, path, address in reports if held == level and path.startswith(org.path)]
        found[f"{level} report"] = list(spread(own, KEPT))
    if org.type in (OrgType.SCHOOL, OrgType.CLASS):
        run = reports[0][2].split("/")[2]
        found["pupil report"] = [f"/reports/{run}/pupils/{row.public_id}/" for row in pupils]
    return {name: rows for name, rows in found.items() if rows}


def unit_reports() -> list[tuple[str, str, str]]:
    """Level, path and address of every unit report of the bench's test."""
    (run,) = EvaluationRun.objects.filter(assessment_id=assessment.assessment_id_of_code(CODE), status="done")
    rows = run.unit_reports.filter(is_withheld=False).values_list("level", "org_path", "org_id")
    names = directory.orgs_by_ids(org_id for _level, _path, org_id in rows)
    return [(level, path, f"/reports/{ids.encode('run', run.pk)}/{names[org_id].public_id}/") for level, path, org_id in rows]


def main(_options: list[str]) -> None:
    reports = unit_reports()
    cast = []
    for org, role in seats():
        person = sit(org, role)
        account = {"username": f"bench-{person}", "password": PASSWORD, "role": role.value}
        cast.append({**account, "addresses": addresses(org, reports)})
    Path(settings.DATA_DIR, "cast.json").write_text(json.dumps(cast, ensure_ascii=False))
