"""What was collected goes into the lake and into files, once and for all."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cast import Cast

from shuren.casework.data import CollectionState, TargetState
from shuren.casework.models import Case, Collection
from shuren.casework.selectors.collections.compare import changes_of_field, changes_of_org, sums_of_field
from shuren.casework.selectors.collections.frozen import frozen_datasets
from shuren.casework.selectors.collections.reach import Reach, access_collection
from shuren.casework.services.collections import freeze
from shuren.casework.services.collections.change import ask_target_again, extend_collection
from shuren.casework.services.collections.export import csv_parts, write_parquet
from shuren.casework.services.collections.fill import begin_target
from shuren.casework.services.collections.freeze import freeze_collection, write_frozen
from shuren.casework.tests.collection_play import Define, filled, give_head, handed_in, issued, target_of
from shuren.datahub import api as datahub
from shuren.kernel import ids
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.work.api import run_pending

ANSWER: dict[str, Any] = {
    "pupils": 320,
    "area": 12.5,
    "has_canteen": True,
    "note": "=1+1",
    "rooms": [{"name": "计算机室", "seats": 48}, {"name": "实验室", "seats": 40}],
}


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def frozen(cast: Cast, row: Collection, frozen_with: str = "accepted") -> Collection:
    freeze_collection(actor=cast.actor("county_officer"), collection_id=row.pk, frozen_with=frozen_with, now=cast.now)
    run_pending()
    row.refresh_from_db()
    return row


def partition(row: Collection) -> dict[str, str]:
    return {"collection": ids.encode("collection", row.pk)}


def reach(cast: Cast, row: Collection, by: str = "county_officer") -> Reach:
    return access_collection(actor=cast.actor(by), id=row.pk, now=cast.now)


def test_what_was_accepted_is_a_dataset_with_its_lineage(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    case = handed_in(cast, row, ANSWER)
    give_head(cast, "head", "other_school")
    draft = filled(cast, row, {"pupils": 5}, by="head", org="other_school")

    frozen(cast, row)

    assert (row.state, row.frozen_at is not None) == (CollectionState.FROZEN, True)
    (answer,) = datahub.read_partition("casework.collect_basics", partition(row)).to_pylist()
    assert (answer["pupils"], answer["area"], answer["has_canteen"], answer["note"]) == (320, 12.5, True, "=1+1")
    assert (answer["_org_name"], answer["_state"], answer["_case"]) == ("东湖区实验小学", "accepted", case.number)
    rooms = datahub.read_partition("casework.collect_basics__rooms", partition(row)).to_pylist()
    assert [(room["_org_name"], room["_row"], room["name"], room["seats"]) for room in rooms] == [
        ("东湖区实验小学", 1, "计算机室", 48),
        ("东湖区实验小学", 2, "实验室", 40),
    ]
    assert datahub.query("SELECT sum(pupils) AS pupils FROM casework_collect_basics").to_pylist() == [{"pupils": 320}]
    draft.refresh_from_db()
    assert draft.state == "cancelled"

    main, table = frozen_datasets(row)
    assert (main.rows, table.rows, main.is_kept) == (1, 2, True)
    told = AuditEntry.objects.get(action="casework.collection_frozen").details
    assert (told["form"], told["form_version"], told["datasets"][0]["sha256"]) == ("collect.basics", "1", main.sha256)
    (spec,) = [spec for spec in datahub.known_datasets() if spec.name == "casework.collect_basics"]
    assert "collect.basics" in spec.description
    # Whoever is granted some of it gets their own rows, and what is graded as the form graded it.
    assert spec.scope_column == "_org_path"
    assert {"_org_name", "pupils", "note"} <= set(spec.columns)


def test_the_file_itself_says_where_it_comes_from(cast: Cast, define: Define, tmp_path: Path) -> None:
    row = issued(cast, define)
    handed_in(cast, row, ANSWER)
    frozen(cast, row)
    (path,) = (tmp_path / "lake" / "casework.collect_basics").rglob("*.parquet")
    told = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
    assert (told["form"], told["form_version"], told["collection"]) == ("collect.basics", "1", partition(row)["collection"])


def test_frozen_nothing_changes(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, ANSWER)
    give_head(cast, "head", "other_school")
    frozen(cast, row)
    officer = cast.actor("county_officer")
    attempts = [
        lambda: ask_target_again(actor=officer, target_id=target_of(cast, row).pk, reason="改", now=cast.now),
        lambda: extend_collection(actor=officer, collection_id=row.pk, due_at=cast.now + timedelta(99), now=cast.now),
        lambda: freeze_collection(actor=officer, collection_id=row.pk, frozen_with="accepted", now=cast.now),
        lambda: begin_target(actor=cast.actor("head"), target_id=target_of(cast, row, "other_school").pk, now=cast.now),
    ]
    for attempt in attempts:
        with pytest.raises(Conflict):
            attempt()
    assert write_frozen(collection_id=row.pk, on_progress=lambda done, total: None, now=cast.now) == 0
    assert len(datahub.snapshots_of("casework.collect_basics", partition(row))) == 1


@pytest.mark.parametrize(("frozen_with", "rows"), [("accepted", 0), ("submitted", 1)])
def test_what_waits_for_review_counts_only_where_that_was_chosen(cast: Cast, define: Define, frozen_with: str, rows: int) -> None:
    row = issued(cast, define, is_reviewed=True)
    case = handed_in(cast, row, ANSWER)
    frozen(cast, row, frozen_with)
    assert frozen_datasets(row)[0].rows == rows
    assert target_of(cast, row).state == TargetState.SUBMITTED
    assert Case.objects.get(pk=case.pk).state == "cancelled"


def test_a_kill_while_freezing_leaves_it_to_the_next_run(cast: Cast, define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    row = issued(cast, define)
    handed_in(cast, row, ANSWER)
    freeze_collection(actor=cast.actor("county_officer"), collection_id=row.pk, frozen_with="accepted", now=cast.now)

    class Killed(BaseException):
        pass

    def die(*_args: object, **_more: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(freeze, "_switch", die)
        with pytest.raises(Killed):
            write_frozen(collection_id=row.pk, on_progress=lambda done, total: None, now=cast.now)
    row.refresh_from_db()
    assert row.state == CollectionState.FREEZING
    assert datahub.snapshot_of("casework.collect_basics", partition(row)) is None
    give_head(cast, "head", "other_school")
    # What is acknowledged while it freezes is not taken any more.
    with pytest.raises(Conflict):
        begin_target(actor=cast.actor("head"), target_id=target_of(cast, row, "other_school").pk, now=cast.now)

    run_pending()
    row.refresh_from_db()
    assert row.state == CollectionState.FROZEN
    assert Event.objects.filter(name="casework.collection_frozen").count() == 1


def test_only_the_issuer_freezes(cast: Cast, define: Define) -> None:
    row = issued(cast, define, by="province_officer", org_id=cast.orgs["province"].id)
    with pytest.raises(NotFound):
        freeze_collection(actor=cast.actor("county_officer"), collection_id=row.pk, frozen_with="accepted", now=cast.now)
    with pytest.raises(Invalid):
        freeze_collection(actor=cast.actor("province_officer"), collection_id=row.pk, frozen_with="all", now=cast.now)


def test_answers_leave_as_csv_and_parquet(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, ANSWER)
    text = b"".join(csv_parts(actor=cast.actor("county_officer"), reach=reach(cast, row), now=cast.now)).decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["单位名称"], line["学生数"], line["占地面积"], line["说明"]) == ("东湖区实验小学", "320", "12.5", "'=1+1")
    assert "计算机室" in line["功能室"]

    target = io.BytesIO()
    assert write_parquet(target, actor=cast.actor("county_officer"), reach=reach(cast, row), now=cast.now) == 1
    (answer,) = pq.read_table(io.BytesIO(target.getvalue())).to_pylist()
    assert (answer["_org_name"], answer["pupils"], answer["note"]) == ("东湖区实验小学", 320, "=1+1")
    assert [
        entry.details["form"] for entry in AuditEntry.objects.filter(action="casework.collection_exported").order_by("pk")
    ] == [
        "csv",
        "parquet",
    ]


def test_a_school_takes_out_its_own_answer_only(cast: Cast, define: Define) -> None:
    row = issued(cast, define)
    handed_in(cast, row, ANSWER)
    give_head(cast, "far_head", "other_school")
    target = io.BytesIO()
    assert write_parquet(target, actor=cast.actor("far_head"), reach=reach(cast, row, "far_head"), now=cast.now) == 0


def again(cast: Cast, define: Define, first: int, second: int) -> Collection:
    """The same form twice, the school's pupils then and now."""
    before = issued(cast, define)
    handed_in(cast, before, {"pupils": first})
    row = issued(cast, define, title="第二次")
    assert row.before_id == before.pk
    handed_in(cast, row, {"pupils": second})
    return row


@pytest.mark.parametrize(("second", "is_flagged"), [(150, False), (151, True), (67, False), (66, True), (0, True)])
def test_figures_are_laid_beside_the_last_ones(cast: Cast, define: Define, second: int, is_flagged: bool) -> None:
    row = again(cast, define, 100, second)
    (line,) = changes_of_field(reach(cast, row), "pupils", factor=1.5, only_flagged=False)
    told: Any = line
    assert (told.was, told.is_now, told.is_flagged) == (100.0, float(second), is_flagged)
    assert changes_of_field(reach(cast, row), "pupils", factor=1.5, only_flagged=True).count() == is_flagged
    assert sums_of_field(reach(cast, row), "pupils") == (100.0, float(second))

    changes = {change.field.key: change.difference for change in changes_of_org(target_of(cast, row), factor=1.5, now=cast.now)}
    assert (changes["pupils"].was, changes["pupils"].is_now, changes["pupils"].is_flagged) == (100, second, is_flagged)
    assert changes["area"].was is None
