"""Applying writes what was shown and nothing else; the same file again changes nothing; an undone import leaves no trace."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.db import connection

from shuren.directory import api
from shuren.directory.data import NewPerson, Role, RosterForm
from shuren.directory.models import (
    AcademicSession,
    Affiliation,
    AppliedRoster,
    ClassDetail,
    Course,
    Enrollment,
    GuardianLink,
    Org,
    OrgHistory,
    PendingRoster,
    Person,
)
from shuren.directory.services.apply_roster import pending as pending_rows
from shuren.directory.services.apply_roster import service, writers, writes
from shuren.directory.services.apply_roster.pending import sweep_pending, undo_pending
from shuren.directory.tests.roster.conftest import NOW, Roster, apply, changes, check, found, take_in
from shuren.intake import api as intake
from shuren.intake.data import ImportStatus
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry, Event

pytestmark = pytest.mark.django_db
MODELS = (Org, AcademicSession, Course, ClassDetail, Person, Affiliation, Enrollment, GuardianLink, OrgHistory)


def everything() -> list[dict[str, Any]]:
    """All rosters' rows, for comparing before and after; when they changed is no part of what they say."""
    rows = [row for model in MODELS for row in serializers.serialize("python", model._default_manager.order_by("pk"))]
    for row in rows:
        row["fields"].pop("modified_at", None)
    return rows


def test_first_import_builds_tree_people_and_ties(roster: Roster, tmp_path: Path) -> None:
    state = take_in(roster.write(tmp_path / "r.zip"))
    assert state.status == "applied"
    city, county, school, class_ = (Org.objects.get(sourced_id=sid) for sid in ("C", "D", "S1", "K1"))
    assert class_.path == f"{city.pk}/{county.pk}/{school.pk}/{class_.pk}/"
    assert (city.type, county.type, class_.type, class_.depth) == ("city", "county", "class", 4)
    assert list(class_.class_detail.terms.values_list("sourced_id", flat=True)) == ["Y1"]
    assert class_.class_detail.course.sourced_id == "HR"
    pupil = Person.objects.get(sourced_id="P1")
    assert (pupil.name, pupil.sex, pupil.birth_date.isoformat(), pupil.sort_key[:6]) == ("张安", "1", "2017-01-10", "zhang1")
    assert len(set(Person.objects.values_list("number", flat=True))) == 8
    role = Affiliation.objects.get(sourced_id="RT1")
    assert (role.role, role.org_path, role.is_primary) == ("class_teacher", school.path, True)
    assert Enrollment.objects.get(sourced_id="EP1").org_path == class_.path
    assert {link.relation for link in GuardianLink.objects.filter(guardian__sourced_id="M")} == {"母亲"}
    assert Event.objects.filter(name="directory.roster_applied").count() == 1
    assert AuditEntry.objects.filter(action="directory.roster_applied").count() == 1


def test_same_file_again_changes_nothing(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    before = everything()
    state = take_in(roster.write(tmp_path / "r.zip"))
    assert changes(state) == {}
    assert everything() == before


def test_changed_file_applies_only_the_difference(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    untouched = set(Person.objects.exclude(sourced_id__in=("P1", "P2")).values_list("sourced_id", "import_id"))
    roster.row("users", "P1")["givenName"] = "平安"
    roster.row("demographics", "P2")["birthDate"] = "2017-03-03"
    roster.row("enrollments", "EP2")["classSourcedId"] = "K2"
    roster.rows["users"].append({**roster.row("users", "P4"), "sourcedId": "P5", "givenName": "新"})
    state = check(roster.write(tmp_path / "r2.zip"), confirm_ended=True)
    assert changes(state) == {"person": (1, 2, 0), "enrollment": (0, 1, 0)}
    sample = next(row for row in state.difference["person"]["samples"]["changed"] if row["sid"] == "P1")
    assert sample["cells"] == [{"cell": "name", "before": "张安", "after": "张平安"}]
    assert Person.objects.get(sourced_id="P1").name == "张安"
    apply(state)
    assert Person.objects.get(sourced_id="P1").name == "张平安"
    assert Enrollment.objects.get(sourced_id="EP2").org_path == Org.objects.get(sourced_id="K2").path
    assert untouched <= set(Person.objects.values_list("sourced_id", "import_id"))


def test_missing_rows_end_and_come_back(roster: Roster, tmp_path: Path) -> None:
    first = roster.write(tmp_path / "r.zip")
    take_in(first)
    for name, sid in (("enrollments", "EP4"), ("roles", "RP4"), ("users", "P4"), ("demographics", "P4")):
        roster.drop(name, sid)
    state = take_in(roster.write(tmp_path / "r2.zip"))
    assert changes(state) == {"person": (0, 0, 1), "affiliation": (0, 0, 1), "enrollment": (0, 0, 1)}
    assert not Person.objects.get(sourced_id="P4").is_active
    assert Affiliation.objects.get(sourced_id="RP4").end_date == NOW.date()
    assert changes(check(roster.write(tmp_path / "r2.zip"))) == {}
    back = take_in(first)
    assert changes(back) == {"person": (0, 1, 0), "affiliation": (0, 1, 0), "enrollment": (0, 1, 0)}
    assert Person.objects.get(sourced_id="P4").is_active
    assert Enrollment.objects.get(sourced_id="EP4").end_date is None


def test_file_of_one_school_ends_nothing_elsewhere(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    for name, sids in {
        "orgs": ["C", "D", "S2"],
        "classes": ["K3"],
        "users": ["T2", "P4", "P3"],
        "roles": ["RT2", "RP4", "RP3"],
        "enrollments": ["E3", "EP4", "EP3"],
        "demographics": ["P4", "P3"],
    }.items():
        for sid in sids:
            roster.drop(name, sid)
    state = take_in(roster.write(tmp_path / "one.zip"))
    assert changes(state) == {"person": (0, 0, 1), "affiliation": (0, 0, 1), "enrollment": (0, 0, 1)}
    assert Org.objects.get(sourced_id="S2").status == "active"
    assert Person.objects.get(sourced_id="P4").is_active


def test_many_endings_want_a_confirmation(province_file: Callable[..., Path], roster: Roster, tmp_path: Path) -> None:
    for number in range(40):
        sid = f"Z{number}"
        roster.rows["users"].append(
            {"sourcedId": sid, "enabledUser": "true", "username": sid, "familyName": "赵", "givenName": "云"}
        )
        roster.rows["roles"].append(
            {"sourcedId": f"R{sid}", "userSourcedId": sid, "roleType": "primary", "role": "student", "orgSourcedId": "S2"}
        )
    take_in(roster.write(tmp_path / "r.zip"))
    roster.rows["users"], roster.rows["roles"] = roster.rows["users"][:-20], roster.rows["roles"][:-20]
    state = check(roster.write(tmp_path / "r2.zip"))
    assert state.difference["needs_confirmation"]
    assert state.difference["guards"][0] == {"kind": "person", "ended": 20, "held": 48}
    with pytest.raises(Invalid):
        apply(state)
    assert Person.objects.filter(is_active=True).count() == 48
    again = check(roster.write(tmp_path / "r2.zip"))
    api.confirm_roster(actor=SYSTEM, import_id=again.id, now=NOW)
    apply(again)
    assert Person.objects.filter(is_active=True).count() == 28


def test_moved_school_takes_everybody_along(roster: Roster, tmp_path: Path) -> None:
    roster.rows["orgs"].append(
        {"sourcedId": "G", "name": "启明教育集团", "type": "local", "parentSourcedId": "D", "metadata.orgType": "group"}
    )
    take_in(roster.write(tmp_path / "r.zip"))
    roster.row("orgs", "S1")["parentSourcedId"] = "G"
    roster.rows["classes"].append({**roster.row("classes", "K1"), "sourcedId": "K9", "title": "三年级(9)班"})
    take_in(roster.write(tmp_path / "r2.zip"))
    group, school = Org.objects.get(sourced_id="G"), Org.objects.get(sourced_id="S1")
    assert school.path == f"{group.path}{school.pk}/"
    for model, sid in ((Org, "K1"), (Org, "K9")):
        row = model.objects.get(sourced_id=sid)
        assert row.path == f"{school.path}{row.pk}/"
        assert row.depth == 5
    assert Enrollment.objects.get(sourced_id="EP1").org_path == Org.objects.get(sourced_id="K1").path
    assert Affiliation.objects.get(sourced_id="RP1").org_path == school.path
    assert OrgHistory.objects.filter(org=school, change="moved").count() == 1


def test_delta_file_touches_only_its_rows(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    row = {**roster.row("users", "P2"), "givenName": "宁宁", "status": "active", "dateLastModified": "2026-10-01T08:00:00Z"}
    gone = {**roster.row("enrollments", "EP3"), "status": "tobedeleted", "dateLastModified": "2026-10-01T08:00:00Z"}
    delta = Roster({"users": [row], "enrollments": [gone]}, states={"users": "delta", "enrollments": "delta"})
    state = take_in(delta.write(tmp_path / "delta.zip"))
    assert changes(state) == {"person": (0, 1, 0), "enrollment": (0, 0, 1)}
    person = Person.objects.get(sourced_id="P2")
    assert (person.name, person.sex, person.birth_date.isoformat()) == ("张宁宁", "2", "2017-02-10")


@pytest.mark.parametrize("step", ["_switch", "_end", "_tell"])
def test_a_fault_in_any_step_leaves_nothing(roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    state = check(roster.write(tmp_path / "r.zip"))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(service._Run, step, fail)
        with pytest.raises(OSError, match="disk full"):
            apply(state)
    assert everything() == []
    assert not PendingRoster.objects.exists()
    assert not AppliedRoster.objects.exists()
    service.apply_roster(import_id=state.id, now=NOW, on_progress=lambda done, total: None)
    assert Person.objects.count() == 8


@pytest.mark.parametrize("write", range(9))
def test_a_fault_in_any_write_leaves_nothing(roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    state = check(roster.write(tmp_path / "r.zip"))
    name = "copy_in" if connection.vendor == "postgresql" else "batch_in"
    real = getattr(writers, name)
    calls = iter(range(100))

    def fail(*arguments: Any, **options: Any) -> int:
        if next(calls) == write:
            raise OSError("gone")
        return int(real(*arguments, **options))

    monkeypatch.setattr(service, name, fail)
    with pytest.raises(OSError, match="gone"):
        apply(state)
    assert everything() == []


@pytest.mark.django_db(transaction=True)
def test_every_single_row_may_be_the_last_before_a_fault(roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows written and deleted one by one, each committed alone: no order of the file breaks a reference."""
    for name in ("orgs", "classes", "users"):
        roster.rows[name].reverse()
    state = check(roster.write(tmp_path / "r.zip"))
    for module, name in ((writers, "_FIRST_BATCH"), (writers, "_MAX_BATCH"), (writers, "MIN_BATCH"), (pending_rows, "_STEP")):
        monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr(writes, "RUN", 3)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(service._Run, "_tell", fail)
        with pytest.raises(OSError, match="disk full"):
            apply(state)
    assert everything() == []
    service.apply_roster(import_id=state.id, now=NOW, on_progress=lambda done, total: None)
    assert Person.objects.count() == 8


def test_rows_of_a_running_import_are_not_seen(roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    pending = AppliedRoster.objects.get()
    PendingRoster.objects.create(import_id=pending.import_id, ranges=pending.ranges, begun_at=NOW)
    assert not Org.objects.visible().exists()
    assert not Person.objects.visible().exists()
    assert api.root_org() is None
    with monkeypatch.context() as patch:
        patch.setattr(pending_rows, "import_state", lambda id: replace(intake.import_state(id), status=ImportStatus.APPLYING))
        assert sweep_pending() == 0
    assert sweep_pending() == 1
    assert everything() == []
    assert not undo_pending(pending.import_id)


def test_a_change_after_the_check_is_noticed(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    roster.row("users", "P1")["givenName"] = "平安"
    state = check(roster.write(tmp_path / "r2.zip"))
    Person.objects.filter(sourced_id="P1").update(name="张三")
    with pytest.raises(Conflict):
        apply(state)
    assert Person.objects.get(sourced_id="P1").name == "张三"


def test_undo_puts_everything_back(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    before = everything()
    roster.rows["orgs"].append(
        {"sourcedId": "G", "name": "集团", "type": "local", "parentSourcedId": "D", "metadata.orgType": "group"}
    )
    roster.row("orgs", "S1")["parentSourcedId"] = "G"
    roster.row("users", "P1")["givenName"] = "平安"
    roster.row("classes", "K1")["termSourcedIds"] = "Y"
    roster.drop("enrollments", "EP4")
    roster.rows["users"].append({**roster.row("users", "P4"), "sourcedId": "P5"})
    state = take_in(roster.write(tmp_path / "r2.zip"))
    assert everything() != before
    assert api.may_undo_roster(state.id, now=NOW)
    api.undo_roster(actor=SYSTEM, import_id=state.id, now=NOW)
    assert everything() == before
    assert intake.import_state(state.id).status == "undone"
    with pytest.raises(NotFound):
        api.undo_roster(actor=SYSTEM, import_id=state.id, now=NOW)


def test_undo_only_last_and_fresh_and_untouched(roster: Roster, tmp_path: Path) -> None:
    first = take_in(roster.write(tmp_path / "r.zip"))
    roster.row("users", "P1")["givenName"] = "平安"
    second = take_in(roster.write(tmp_path / "r2.zip"))
    with pytest.raises(Conflict):
        api.undo_roster(actor=SYSTEM, import_id=first.id, now=NOW)
    with pytest.raises(Conflict):
        api.undo_roster(actor=SYSTEM, import_id=second.id, now=NOW + timedelta(hours=25))
    api.undo_roster(actor=SYSTEM, import_id=second.id, now=NOW)
    edited = Org.objects.get(sourced_id="S1")
    api.rename_org(actor=SYSTEM, org_id=edited.pk, name="改名小学", now=NOW)
    with pytest.raises(Conflict):
        api.undo_roster(actor=SYSTEM, import_id=first.id, now=NOW)
    assert Org.objects.get(pk=edited.pk).name == "改名小学"


def test_people_entered_by_hand_stay_out_of_the_way(roster: Roster, tmp_path: Path) -> None:
    by_hand = api.add_person(actor=SYSTEM, person=NewPerson(name="手工录入"), now=NOW).id
    take_in(roster.write(tmp_path / "r.zip"))
    assert Person.objects.get(pk=by_hand).is_active
    assert changes(check(roster.write(tmp_path / "r.zip"))) == {}


@pytest.mark.parametrize("form", list(RosterForm))
def test_export_imports_back_without_a_difference(roster: Roster, tmp_path: Path, form: RosterForm) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    root = api.root_org()
    assert root is not None
    path = tmp_path / f"out.{'zip' if form is RosterForm.ONEROSTER else 'xlsx'}"
    api.export_roster(actor=SYSTEM, org_id=root.id, form=form, path=path, now=NOW)
    state = check(path)
    assert [finding for finding in found(state) if finding.is_error] == []
    assert changes(state) == {}


@pytest.mark.parametrize("form", list(RosterForm))
def test_province_goes_in_comes_out_and_goes_in_again(
    province_file: Callable[..., Path], tmp_path: Path, form: RosterForm
) -> None:
    state = take_in(province_file(300, form))
    assert state.counts["person"] == 300
    root = api.root_org()
    assert root is not None
    for other in RosterForm:
        path = tmp_path / f"out.{'zip' if other is RosterForm.ONEROSTER else 'xlsx'}"
        api.export_roster(actor=SYSTEM, org_id=root.id, form=other, path=path, now=NOW, has_national_ids=True)
        again = check(path)
        assert [finding for finding in found(again) if finding.is_error] == []
        assert changes(again) == {}


@pytest.mark.parametrize("tie", [None, "S2"])
def test_guardian_who_has_no_role_in_the_branch_keeps_the_wards(roster: Roster, tmp_path: Path, tie: str | None) -> None:
    roster.drop("roles", "RM")
    take_in(roster.write(tmp_path / "r.zip"))
    ids = api.org_ids_by_sourced(["S1", "S2"])
    if tie:
        api.affiliate(actor=SYSTEM, person_id=Person.objects.get(sourced_id="M").pk, org_id=ids[tie], role=Role.TEACHER, now=NOW)
    admin = api.add_person(actor=SYSTEM, person=NewPerson(name="管理员"), now=NOW).id
    api.affiliate(actor=SYSTEM, person_id=admin, org_id=ids["S1"], role=Role.SCHOOL_ADMIN, now=NOW)
    actor = Actor(person_id=admin, account_id=1, name="管理员")
    path = tmp_path / "s1.zip"
    api.export_roster(actor=SYSTEM, org_id=ids["S1"], form=RosterForm.ONEROSTER, path=path, now=NOW)
    state = check(path, actor=actor)
    assert state.status == "ready", found(state)
    assert changes(state) == {}
    changed = check(renamed(path, "M", tmp_path / "changed.zip"), actor=actor)
    assert changed.status == ("rejected" if tie else "ready")
    assert [finding.file for finding in found(changed) if finding.is_error] == (["users.csv"] if tie else [])


def renamed(package: Path, sid: str, target: Path) -> Path:
    """The same package in which one person has another name."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            rows = list(csv.reader(io.TextIOWrapper(source.open(name), encoding="utf-8", newline="")))
            if name == "users.csv":
                full = rows[0].index("metadata.fullName")
                rows = [[f"{cell}新" if row[0] == sid and at == full else cell for at, cell in enumerate(row)] for row in rows]
            text = io.StringIO()
            csv.writer(text, lineterminator="\r\n").writerows(rows)
            copy.writestr(name, text.getvalue())
    return target


def test_export_of_a_branch_is_scoped_and_audited(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    school = api.org_ids_by_sourced(["S2"])["S2"]
    path = tmp_path / "s2.zip"
    counts = api.export_roster(actor=SYSTEM, org_id=school, form=RosterForm.ONEROSTER, path=path, now=NOW)
    assert (counts["orgs"], counts["classes"], counts["users"], counts["enrollments"]) == (1, 1, 2, 2)
    assert AuditEntry.objects.get(action="directory.roster_exported").details["has_national_ids"] is False
    assert changes(check(path)) == {}
