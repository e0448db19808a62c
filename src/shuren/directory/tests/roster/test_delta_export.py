"""A delta export says what changed since a moment, and brings who had the export before to where we are."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from shuren.directory.data import RosterForm
from shuren.directory.models import Org, Person
from shuren.directory.services.export_roster.service import export_roster
from shuren.directory.tests.roster.conftest import NOW, Roster, apply, check
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid


def rows_of(path: Path, name: str) -> dict[str, dict[str, str]]:
    with zipfile.ZipFile(path) as package:
        text = package.read(f"{name}.csv").decode()
    return {row["sourcedId"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.django_db
def test_a_delta_brings_the_other_side_to_where_we_are(
    roster: Roster, tmp_path: Path, django_db_reset: Callable[[], None]
) -> None:
    apply(check(roster.write(tmp_path / "first.zip")))
    full, delta, after = tmp_path / "full.zip", tmp_path / "delta.zip", tmp_path / "after.zip"
    top = Org.objects.get(sourced_id="C").pk
    form = RosterForm.ONEROSTER
    export_roster(actor=SYSTEM, org_id=top, form=form, path=full, now=NOW)
    since = clock.now()

    # One is renamed, one enrollment and one role end, the rest stays.
    gone = roster.rows["enrollments"][-1]["sourcedId"]
    roster.rows["enrollments"].pop()
    renamed = roster.rows["users"][0]
    renamed["familyName"] = "改"
    roster.rows["users"] = [renamed, *roster.rows["users"][1:]]
    apply(check(roster.write(tmp_path / "second.zip")))
    export_roster(actor=SYSTEM, org_id=top, form=form, path=delta, now=NOW, since=since)
    export_roster(actor=SYSTEM, org_id=top, form=form, path=after, now=NOW)

    assert rows_of(delta, "orgs") == {}
    ended = rows_of(delta, "enrollments")
    assert {sid: row["status"] for sid, row in ended.items()} == {gone: "tobedeleted"}
    assert all(row["dateLastModified"] >= since.isoformat(timespec="milliseconds") for row in ended.values())
    told = rows_of(delta, "users")
    assert told[renamed["sourcedId"]]["familyName"] == "改"
    assert set(told) < set(rows_of(full, "users"))
    with zipfile.ZipFile(delta) as package:
        assert "file.enrollments,delta" in package.read("manifest.csv").decode()

    django_db_reset()
    apply(check(full))
    apply(check(delta))
    again = tmp_path / "again.zip"
    export_roster(actor=SYSTEM, org_id=Org.objects.get(sourced_id="C").pk, form=form, path=again, now=NOW)
    for name in ("orgs", "users", "roles", "enrollments", "classes"):
        assert rows_of(again, name) == rows_of(after, name)


@pytest.mark.django_db
def test_who_left_is_told_of_by_id_alone_and_only_packages_are_deltas(roster: Roster, tmp_path: Path) -> None:
    apply(check(roster.write(tmp_path / "first.zip")))
    since = clock.now()
    person = Person.objects.filter(affiliations__role="teacher").order_by("pk")[0]
    roster.rows["roles"] = [row for row in roster.rows["roles"] if row["userSourcedId"] != person.sourced_id]
    roster.rows["enrollments"] = [row for row in roster.rows["enrollments"] if row["userSourcedId"] != person.sourced_id]
    roster.drop("users", person.sourced_id)
    apply(check(roster.write(tmp_path / "second.zip")))
    delta = tmp_path / "delta.zip"
    top = Org.objects.get(sourced_id="C").pk
    export_roster(actor=SYSTEM, org_id=top, form=RosterForm.ONEROSTER, path=delta, now=NOW + timedelta(days=1), since=since)
    told = rows_of(delta, "users")[person.sourced_id]
    assert (told["status"], told["familyName"], told["enabledUser"]) == ("tobedeleted", "*", "false")
    with pytest.raises(Invalid):
        export_roster(actor=SYSTEM, org_id=top, form=RosterForm.EXCEL, path=tmp_path / "x.xlsx", now=NOW, since=since)


@pytest.mark.django_db
def test_a_delta_of_demographics_leaves_those_it_does_not_speak_of(roster: Roster, tmp_path: Path) -> None:
    users = [row["sourcedId"] for row in roster.rows["users"]]
    roster.rows["demographics"] = [{"sourcedId": sid, "birthDate": "2015-03-02", "sex": "female"} for sid in users]
    apply(check(roster.write(tmp_path / "first.zip")))
    marks = {"status": "active", "dateLastModified": "2026-10-12T01:00:00.000Z"}
    one, other = roster.rows["users"][0], roster.rows["users"][1]
    roster.rows = {
        "users": [{**one, **marks, "familyName": "改"}, {**other, **marks}],
        "demographics": [{**marks, "sourcedId": other["sourcedId"], "birthDate": "2015-04-05", "sex": "male"}],
    }
    roster.states = {"users": "delta", "demographics": "delta"}
    apply(check(roster.write(tmp_path / "delta.zip")))
    kept, told = (Person.objects.get(sourced_id=row["sourcedId"]) for row in (one, other))
    assert (str(kept.birth_date), kept.sex, kept.family_name) == ("2015-03-02", "2", "改")
    assert (str(told.birth_date), told.sex) == ("2015-04-05", "1")
