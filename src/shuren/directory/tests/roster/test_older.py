"""OneRoster 1.1 packages, whose users carry their roles."""

import csv
import io
from pathlib import Path

import pytest

from shuren.directory.models import Affiliation, Person
from shuren.directory.services.check_roster.older import HEADER
from shuren.directory.tests.roster.conftest import Roster, check, found, take_in

pytestmark = pytest.mark.django_db


def as_older(roster: Roster, *, spoil: str = "") -> Roster:
    """The same package as a system of 1.1 writes it."""
    roles: dict[str, list[dict[str, str]]] = {}
    for row in roster.rows.pop("roles"):
        roles.setdefault(row["userSourcedId"], []).append(row)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for user in roster.rows["users"]:
        held = sorted(roles.get(user["sourcedId"], []), key=lambda row: row["roleType"])
        said = user | {
            "orgSourcedIds": ",".join(row["orgSourcedId"] for row in held),
            "role": held[0]["role"] if held else "student",
        }
        writer.writerow([said.get(name, "") for name in HEADER] + ([spoil] if spoil else []))
        spoil = ""
    del roster.rows["users"]
    manifest = roster.manifest().decode().replace("oneroster.version,1.2", "oneroster.version,1.1")
    manifest = manifest.replace("file.users,absent", "file.users,bulk")
    roster.extra_members = {"users.csv": text.getvalue().encode(), "manifest.csv": manifest.encode()}
    return roster


def test_users_of_the_older_edition_bring_their_roles(roster: Roster, tmp_path: Path) -> None:
    names = {row["sourcedId"]: row["familyName"] + row["givenName"] for row in roster.rows["users"]}
    places = {(row["userSourcedId"], row["orgSourcedId"]) for row in roster.rows["roles"]}
    state = take_in(as_older(roster).write(tmp_path / "older.zip"))
    assert state.status == "applied"
    assert dict(Person.objects.values_list("sourced_id", "name")) == names
    held = set(Affiliation.objects.values_list("person__sourced_id", "org__sourced_id"))
    assert places <= held


def test_the_same_package_again_changes_nothing(roster: Roster, tmp_path: Path) -> None:
    package = as_older(roster).write(tmp_path / "older.zip")
    take_in(package)
    before = set(Affiliation.objects.values_list("pk", "sourced_id"))
    take_in(package)
    assert set(Affiliation.objects.values_list("pk", "sourced_id")) == before


def test_a_broken_line_is_named(roster: Roster, tmp_path: Path) -> None:
    findings = found(check(as_older(roster, spoil="too much").write(tmp_path / "older.zip")))
    assert ("users.csv", 2) in {(finding.file, finding.row) for finding in findings}
