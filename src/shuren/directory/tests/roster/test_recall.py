"""A package compared with the lines of the last one gives what reading every line gives."""

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from shuren.directory.data import RosterForm
from shuren.directory.models import Affiliation, GuardianLink, Org, Person
from shuren.directory.services.check_roster import recall, service
from shuren.directory.services.check_roster.remember import remember_roster
from shuren.directory.services.move_org import move_org
from shuren.directory.services.undo_roster import undo_roster
from shuren.directory.tests.roster.conftest import NOW, Roster, apply, changes, check, found, take_in
from shuren.intake.api import import_dir
from shuren.intake.data import ImportState
from shuren.kernel.data import SYSTEM

Files = dict[str, list[list[str]]]
Province = Callable[..., Path]
PEOPLE = 700


def read(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".csv"): list(csv.reader(io.TextIOWrapper(archive.open(name), encoding="utf-8", newline="")))
            for name in archive.namelist()
        }


def write(files: Files, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in files.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            archive.writestr(f"{name}.csv", text.getvalue())
    return path


def spoil(files: Files, dice: random.Random, times: int) -> None:
    """Change, drop, double, swap and invent lines as hands and other programs do, sound and unsound ones."""
    names = ["users", "users", "roles", "roles", "enrollments", "enrollments", "demographics", "classes", "orgs"]
    for _ in range(times):
        name = dice.choice(names)
        header, *rows = files[name]
        at = dice.randrange(1, len(rows))
        row = files[name][at]
        kind = dice.random()
        if kind < 0.2:
            del files[name][at]
        elif kind < 0.27:
            files[name].append(list(row))
        elif kind < 0.34:
            files[name].append([f"{row[0]}-new", *row[1:]])
        elif kind < 0.44:
            files[name][at] = dice.choice(rows)
        else:
            column = dice.randrange(3, len(header))
            other = dice.choice(rows)[column]
            row[column] = dice.choice([other, other, f"{row[column]}新", "", "2026-02-30"])


def assert_same(recalled: ImportState, whole: ImportState) -> None:
    """Both checks tell the same: status, counts, every finding, and of every kind what comes, changes and ends."""
    assert findings(recalled) == findings(whole)
    assert (recalled.status, recalled.counts) == (whole.status, whole.counts)
    assert recalled.difference.keys() == whole.difference.keys()
    for kind, part in recalled.difference.items():
        assert part == whole.difference[kind], kind


def findings(state: ImportState) -> list[str]:
    return sorted(f"{item.file} {item.row} {item.column} {item.value} {item.reason}" for item in found(state))


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ImportState, ImportState]:
    """The same file checked with what is remembered and without."""
    recalled = check(path, now=NOW + timedelta(hours=2))
    with monkeypatch.context() as patch:
        patch.setattr(service, "find_remembered", lambda reach: None)
        return recalled, check(path, now=NOW + timedelta(hours=2))


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each check passed over."""
    counts: list[int] = []

    def count(*arguments: object) -> dict[str, str]:
        wanted = real(*arguments)  # type: ignore[arg-type]  # handed through
        stage = arguments[0]
        counts.append(sum(stage.passed(kind) for kind in ("person", "affiliation", "enrollment")))  # type: ignore[attr-defined]  # a stage
        return wanted

    real = recall.ids_to_read
    monkeypatch.setattr("shuren.directory.services.check_roster.package.ids_to_read", count)
    return counts


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 60))])
def test_recalled_check_tells_what_a_whole_one_tells(
    seed: int, province_file: Province, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passed: list[int]
) -> None:
    dice = random.Random(seed)
    base = province_file(PEOPLE)
    first = take_in(base)
    assert remember_roster(first.id) > PEOPLE * 3
    if seed % 2:
        between = read(base)
        spoil(between, dice, 3)
        state = check(write(between, tmp_path / "between.zip"), now=NOW + timedelta(hours=1))
        if state.status == "ready":
            apply(state, now=NOW + timedelta(hours=1))
    files = read(base)
    spoil(files, dice, dice.choice([1, 3, 8]))
    path = write(files, tmp_path / "again.zip")
    recalled, whole = both_ways(path, monkeypatch)
    assert_same(recalled, whole)
    assert passed
    assert passed[-1] > PEOPLE
    if recalled.status == "ready":
        apply(recalled, now=NOW + timedelta(hours=3))
        assert changes(check(path, now=NOW + timedelta(hours=4))) == {}


@pytest.mark.django_db
def test_same_file_again_reads_hardly_a_line_and_changes_nothing(province_file: Province, passed: list[int]) -> None:
    first = take_in(province_file(PEOPLE))
    remember_roster(first.id)
    again = check(province_file(PEOPLE))
    assert again.status == "ready"
    assert changes(again) == {}
    assert passed == [sum(first.counts["written"][kind]["added"] for kind in ("person", "affiliation", "enrollment"))]
    assert again.counts == {kind: part["added"] for kind, part in first.counts["written"].items()}


@pytest.mark.django_db
def test_row_a_hand_added_ends_as_in_a_whole_reading(province_file: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    remember_roster(take_in(province_file(PEOPLE)).id)
    tie = Affiliation.objects.filter(role="teacher").select_related("person", "org").order_by("pk")[0]
    Affiliation.objects.create(
        person=tie.person, org=tie.org, org_path=tie.org_path, role="staff", is_primary=False, sourced_id="by-hand"
    )
    recalled, whole = both_ways(province_file(PEOPLE), monkeypatch)
    assert_same(recalled, whole)
    assert changes(recalled) == {"affiliation": (0, 0, 1)}


@pytest.mark.django_db
def test_nothing_is_recalled_after_a_branch_was_moved(
    roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passed: list[int]
) -> None:
    monkeypatch.setattr(recall, "_MOST", 1.0)
    path = roster.write(tmp_path / "first.zip")
    remember_roster(take_in(path).id)
    assert changes(check(path, now=NOW + timedelta(hours=1))) == {}
    assert passed == [8 + 8 + 7]
    orgs = dict(Org.objects.values_list("sourced_id", "pk"))
    move_org(actor=SYSTEM, org_id=orgs["S1"], parent_id=orgs["C"], now=NOW + timedelta(hours=1))
    again = check(path, now=NOW + timedelta(hours=2))
    assert len(passed) == 1
    assert changes(again) == {}


@pytest.mark.django_db
def test_undone_roster_is_not_recalled(province_file: Province, passed: list[int]) -> None:
    first = take_in(province_file(PEOPLE))
    remember_roster(first.id)
    undo_roster(actor=SYSTEM, import_id=first.id, now=NOW + timedelta(hours=1))
    again = check(province_file(PEOPLE), now=NOW + timedelta(hours=2))
    assert not passed
    assert changes(again)["person"] == (Person.objects.count() + PEOPLE, 0, 0)


@pytest.mark.django_db
def test_only_the_newest_package_is_kept_and_it_holds_no_text(province_file: Province, tmp_path: Path) -> None:
    first = take_in(province_file(PEOPLE))
    remember_roster(first.id)
    files = read(province_file(PEOPLE))
    files["users"][1][files["users"][0].index("givenName")] += "新"
    second = take_in(write(files, tmp_path / "second.zip"), now=NOW + timedelta(hours=1))
    remember_roster(second.id)
    assert not (import_dir(first.id) / recall.FOLDER).exists()
    folder = import_dir(second.id) / recall.FOLDER
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [recall.ABOUT, *(f"{spec.name}.parquet" for spec in recall.LINED_FILES)]
    )
    assert json.loads((folder / recall.ABOUT).read_text())["reach"] == [""]


@pytest.mark.django_db
def test_delta_and_workbook_are_not_remembered(roster: Roster, province_file: Province, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "all.zip"))
    roster.states = {"users": "delta"}
    for row in roster.rows["users"]:
        row |= {"status": "active", "dateLastModified": "2026-10-12T00:00:00Z"}
    delta = take_in(roster.write(tmp_path / "delta.zip"), now=NOW + timedelta(hours=1))
    assert remember_roster(delta.id) == 0


@pytest.mark.django_db
def test_workbook_is_not_remembered(province_file: Province) -> None:
    assert remember_roster(take_in(province_file(120, RosterForm.EXCEL)).id) == 0


@pytest.mark.django_db
def test_guardian_taken_off_a_pupil_ends_when_only_that_line_changed(
    roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = take_in(roster.write(tmp_path / "first.zip"))
    remember_roster(state.id)
    monkeypatch.setattr(recall, "_MOST", 1.0)
    ward = next(row for row in roster.rows["users"] if row.get("agentSourcedIds"))
    ward["agentSourcedIds"] = ""
    recalled, whole = both_ways(roster.write(tmp_path / "second.zip"), monkeypatch)
    assert_same(recalled, whole)
    apply(recalled, now=NOW + timedelta(hours=3))
    assert GuardianLink.objects.get(ward__sourced_id=ward["sourcedId"]).end_date is not None
