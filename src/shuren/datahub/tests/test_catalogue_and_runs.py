"""The catalogue follows what the apps say; runs become edges, each counted once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shuren.datahub.api import record_run, same_columns, write_partition
from shuren.datahub.data import Asset, AssetColumn, AssetKind, AssetRef, ColumnFlow
from shuren.datahub.models import CatalogueAsset, CatalogueColumn, LineageEdge, LineageRun
from shuren.datahub.rules import assets as asset_rules
from shuren.datahub.selectors.lineage_map import Spot, branch_of
from shuren.datahub.selectors.told_runs import event_lines
from shuren.datahub.services.fold_runs import fold_runs, sweep_runs
from shuren.datahub.services.register_assets import refresh_catalogue
from shuren.datahub.tests.conftest import MARKS, table_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
FORM, DATASET = AssetRef(AssetKind.FORM, "probe"), AssetRef(AssetKind.DATASET, "probe.marks")
REPORT = AssetRef(AssetKind.REPORT, "probe.report")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[Asset]:
    """What one app says, to be changed by a test."""
    found: list[Asset] = []

    def probe() -> Iterator[Asset]:
        yield from found

    monkeypatch.setattr(asset_rules, "_sources", {"probe": probe})
    return found


def asset(name: str, *columns: str, **words: Any) -> Asset:
    told = tuple(AssetColumn(column, "string", grade="L3" if column == "name" else "") for column in columns)
    return Asset(kind=AssetKind.FORM, name=name, title_zh=f"表单{name}", columns=told, **words)


def edges() -> set[tuple[str, str, str, str, int]]:
    rows = LineageEdge.objects.values_list("source__key", "source_column", "target__key", "target_column", "runs")
    return set(rows)


def test_a_second_look_writes_nothing(said: list[Asset]) -> None:
    said += [asset("a", "name", "age"), asset("b", "x")]
    assert refresh_catalogue(now=NOW) == {"assets": 2, "changed": 2, "retired": 0}
    entries = AuditEntry.objects.count()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert refresh_catalogue(now=NOW + timedelta(hours=1))["changed"] == 0
    assert not [each for each in asked if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert AuditEntry.objects.count() == entries
    assert CatalogueAsset.objects.get(name="a").grade == "L3"


def test_columns_keep_their_rows_and_what_is_gone_is_retired(said: list[Asset]) -> None:
    said += [asset("a", "one", "two", "three"), asset("b", "x")]
    refresh_catalogue(now=NOW)
    kept = CatalogueColumn.objects.get(name="three").pk
    said[:] = [asset("a", "three", "four")]
    assert refresh_catalogue(now=NOW + timedelta(days=1)) == {"assets": 1, "changed": 1, "retired": 1}
    rows = CatalogueColumn.objects.filter(asset__name="a").order_by("position")
    assert [(row.name, row.position) for row in rows] == [("three", 0), ("four", 1)]
    assert CatalogueColumn.objects.get(name="three").pk == kept
    assert CatalogueAsset.objects.get(name="b").retired_at == NOW + timedelta(days=1)
    said.append(asset("b", "x"))
    refresh_catalogue(now=NOW + timedelta(days=2))
    assert CatalogueAsset.objects.get(name="b").retired_at is None


def test_what_a_definition_states_goes_with_it_unless_a_run_drew_it_too(said: list[Asset]) -> None:
    source = AssetRef(AssetKind.REGISTER, "schools")
    ref = AssetRef(AssetKind.FORM, "a")
    said.append(asset("a", "name", "code", flows=tuple(same_columns(source, ref, ["name", "code"]))))
    refresh_catalogue(now=NOW)
    record_run(job="copy", inputs=[source], outputs=[ref], flows=same_columns(source, ref, ["code"]), now=NOW)
    fold_runs(now=NOW)
    said[:] = [asset("a", "name", "code")]
    refresh_catalogue(now=NOW)
    assert edges() == {("register:schools", "", "form:a", "", 1), ("register:schools", "code", "form:a", "code", 1)}
    assert not LineageEdge.objects.filter(is_defined=True).exists()


def test_a_run_counts_once_however_often_it_is_told() -> None:
    for _again in range(3):
        flows = same_columns(FORM, DATASET, ["pupils"])
        record_run(job="freeze", inputs=[FORM], outputs=[DATASET], flows=flows, key="collection:1", now=NOW)
    assert fold_runs(now=NOW) == 1
    assert fold_runs(now=NOW) == 0
    record_run(job="freeze", inputs=[FORM], outputs=[DATASET], key="collection:2", now=NOW + timedelta(days=7))
    fold_runs(now=NOW + timedelta(days=7))
    assert edges() == {
        ("form:probe", "", "dataset:probe.marks", "", 2),
        ("form:probe", "pupils", "dataset:probe.marks", "pupils", 1),
    }
    whole = LineageEdge.objects.get(source_column="", target_column="")
    assert (whole.first_at, whole.last_at) == (NOW, NOW + timedelta(days=7))


def test_a_run_that_is_rolled_back_never_was() -> None:
    def write() -> None:
        with transaction.atomic():
            record_run(job="freeze", inputs=[FORM], outputs=[DATASET], key="collection:1", now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert not LineageRun.objects.exists()


def test_sql_that_ran_leads_column_by_column_to_the_dataset() -> None:
    write_partition(MARKS.name, {"run": 1}, table_of(3), actor=SYSTEM, now=NOW)
    sql = "SELECT run, avg(mark) AS mean FROM probe_marks GROUP BY run"
    record_run(job="report", inputs=[], outputs=[REPORT], sql=sql, now=NOW)
    record_run(job="torn", inputs=[], outputs=[REPORT], sql="SELECT FROM WHERE", now=NOW)
    fold_runs(now=NOW)
    assert edges() == {
        ("dataset:probe.marks", "", "report:probe.report", "", 1),
        ("dataset:probe.marks", "run", "report:probe.report", "run", 1),
        ("dataset:probe.marks", "mark", "report:probe.report", "mean", 1),
    }


def test_a_fold_that_dies_is_done_again_and_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    record_run(job="freeze", inputs=[FORM], outputs=[DATASET], key="collection:1", now=NOW)

    def dies(*_args: object, **_words: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("shuren.datahub.services.fold_runs.audit.record", dies)
        with pytest.raises(RuntimeError, match="killed"):
            fold_runs(now=NOW)
    assert edges() == set()
    fold_runs(now=NOW)
    assert edges() == {("form:probe", "", "dataset:probe.marks", "", 1)}


def chain() -> None:
    """form → dataset → report → form again: data that goes round in a circle."""
    for source, target in ((FORM, DATASET), (DATASET, REPORT), (REPORT, FORM)):
        record_run(job="step", inputs=[source], outputs=[target], flows=[ColumnFlow(source, target, "n", "n")], now=NOW)
    fold_runs(now=NOW)


def test_a_circle_is_named_and_not_walked_again() -> None:
    chain()
    pk = dict(CatalogueAsset.objects.values_list("key", "pk"))
    spots = {Spot(pk[ref.key], "n", True): 1 for ref in (FORM, DATASET, REPORT)}
    first = branch_of(Spot(pk[REPORT.key], "n", True), opened=spots)
    second = first.steps[0].branch
    third = second.steps[0].branch if second else None
    assert second is not None
    assert third is not None
    way = [first.steps[0], second.steps[0], third.steps[0]]
    assert [step.neighbour.asset.key for step in way] == [DATASET.key, FORM.key, REPORT.key]
    assert way[-1].is_again
    assert way[-1].branch is None


def test_a_hub_shows_some_neighbours_at_a_time_in_few_questions() -> None:
    sources = [AssetRef(AssetKind.OUTSIDE, f"x/{at:04}") for at in range(300)]
    record_run(job="hub", inputs=sources, outputs=[DATASET], now=NOW)
    fold_runs(now=NOW)
    hub = CatalogueAsset.objects.get(key=DATASET.key)
    with CaptureQueriesContext(connection) as asked:
        branch = branch_of(Spot(hub.pk, "", True), opened={Spot(hub.pk, "", True): 3})
    assert (len(branch.steps), branch.number, branch.total) == (8, 3, 300)
    assert len(asked) == 2


def test_our_runs_are_told_with_schema_and_columns() -> None:
    write_partition(MARKS.name, {"run": 1}, table_of(3), actor=SYSTEM, now=NOW)
    record_run(job="report", inputs=[], outputs=[REPORT], sql="SELECT mark AS m FROM probe_marks", now=NOW)
    event = json.loads(next(event_lines()))
    (out,) = event["outputs"]
    assert event["job"]["facets"]["sql"]["query"] == "SELECT mark AS m FROM probe_marks"
    assert out["facets"]["columnLineage"]["fields"]["m"]["inputFields"] == [
        {"namespace": "shuren", "name": "dataset:probe.marks", "field": "mark"}
    ]


def test_old_runs_are_forgotten_and_their_edges_stay() -> None:
    chain()
    swept = sweep_runs(now=NOW + timedelta(days=401))
    assert swept >= 3
    assert not LineageRun.objects.exists()
    assert LineageEdge.objects.count() == 6
