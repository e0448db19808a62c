"""OpenLineage: its own client speaks to us, its own classes read us, whatever else comes is refused by name."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import attr
import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from openlineage.client.event_v2 import Dataset, DatasetEvent, Job, JobEvent, OutputDataset, Run, RunEvent
from openlineage.client.event_v2 import RunState as PeerState
from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset, sql_job
from openlineage.client.serde import Serde

from shuren.datahub.api import record_run
from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow
from shuren.datahub.models import CatalogueAsset, CatalogueColumn, LineageEdge, LineageEvent, LineageRun
from shuren.datahub.rules.openlineage import UnreadableEvent, read_event
from shuren.datahub.rules.run_ids import run_id_at
from shuren.datahub.selectors.told_runs import events_of
from shuren.datahub.services import send_openlineage
from shuren.datahub.services.fold_runs import fold_runs
from shuren.datahub.services.send_openlineage import send_runs
from shuren.datahub.services.take_openlineage import take_openlineage
from shuren.kernel import outward
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
PRODUCER = "https://etl.example/jobs"
FIELDS = {
    "score": column_lineage_dataset.Fields(
        inputFields=[column_lineage_dataset.InputField(namespace="pg://school", name="marks", field="raw")]
    )
}


def told(event: object) -> dict[str, Any]:
    """As the client's transports write it."""
    found: dict[str, Any] = json.loads(Serde.to_json(event))
    return found


def run_event(state: PeerState, run_id: str, *, at: datetime = NOW) -> dict[str, Any]:
    out = OutputDataset(
        namespace="s3://lake",
        name="scores",
        facets={
            "schema": schema_dataset.SchemaDatasetFacet(
                fields=[schema_dataset.SchemaDatasetFacetFields(name="score", type="double")]
            ),
            "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields=FIELDS),
        },
    )
    job = Job(namespace="airflow", name="daily", facets={"sql": sql_job.SQLJobFacet(query="SELECT raw AS score FROM marks")})
    return told(
        RunEvent(
            eventTime=at.isoformat(),
            producer=PRODUCER,
            eventType=state,
            run=Run(runId=run_id),
            job=job,
            inputs=[Dataset(namespace="pg://school", name="marks")],  # type: ignore[list-item]  # an input without statistics
            outputs=[out],
        )
    )


@pytest.mark.django_db
def test_the_client_s_events_become_edges_once() -> None:
    run_id = str(run_id_at(NOW))
    events = [run_event(PeerState.START, run_id), run_event(PeerState.COMPLETE, run_id, at=NOW + timedelta(minutes=5))]
    assert [take_openlineage(actor=SYSTEM, body=event, now=NOW) for event in [*events, *events]] == [True, True, False, False]
    fold_runs(now=NOW)
    rows = LineageEdge.objects.values_list("source__key", "source_column", "target__key", "target_column", "runs")
    source, target = "outside:pg://school/marks", "outside:s3://lake/scores"
    assert set(rows) == {(source, "", target, "", 1), (source, "raw", target, "score", 1)}
    assert LineageRun.objects.get().sql == "SELECT raw AS score FROM marks"
    assert list(CatalogueColumn.objects.values_list("asset__key", "name", "type")) == [(target, "score", "double")]


@pytest.mark.django_db
def test_a_run_that_began_draws_nothing_and_a_late_beginning_does_not_undo_its_end() -> None:
    run_id = str(run_id_at(NOW))
    take_openlineage(actor=SYSTEM, body=run_event(PeerState.COMPLETE, run_id), now=NOW)
    fold_runs(now=NOW)
    take_openlineage(actor=SYSTEM, body=run_event(PeerState.START, run_id, at=NOW - timedelta(minutes=5)), now=NOW)
    fold_runs(now=NOW)
    run = LineageRun.objects.get()
    assert (run.state, run.began_at) == ("COMPLETE", NOW - timedelta(minutes=5))
    assert set(LineageEdge.objects.values_list("runs", flat=True)) == {1}
    take_openlineage(actor=SYSTEM, body=run_event(PeerState.START, str(uuid4())), now=NOW)
    assert fold_runs(now=NOW) == 0


@pytest.mark.django_db
def test_jobs_and_datasets_are_described_without_running_and_unknown_facets_are_kept() -> None:
    dataset = Dataset(
        namespace="pg://school",
        name="marks",
        facets={"schema": schema_dataset.SchemaDatasetFacet(fields=[schema_dataset.SchemaDatasetFacetFields(name="raw")])},
    )
    described = told(DatasetEvent(eventTime=NOW.isoformat(), producer=PRODUCER, dataset=dataset))
    described["dataset"]["facets"]["weather"] = {"_producer": PRODUCER, "_schemaURL": PRODUCER, "sky": "clear"}
    job = told(
        JobEvent(
            eventTime=NOW.isoformat(),
            producer=PRODUCER,
            job=Job(namespace="airflow", name="daily"),
            inputs=[Dataset(namespace="pg://school", name="marks")],  # type: ignore[list-item]
            outputs=[OutputDataset(namespace="s3://lake", name="scores")],
        )
    )
    for event in (described, job):
        assert take_openlineage(actor=SYSTEM, body=event, now=NOW)
        assert not take_openlineage(actor=SYSTEM, body=event, now=NOW)
    fold_runs(now=NOW)
    assert LineageEdge.objects.get().runs == 0
    assert CatalogueAsset.objects.get(key="outside:pg://school/marks").column_count == 1
    assert any("weather" in json.dumps(body) for body in LineageEvent.objects.values_list("body", flat=True))


@pytest.mark.django_db
def test_nobody_speaks_in_our_name_and_nobody_else_names_our_columns() -> None:
    event = run_event(PeerState.COMPLETE, str(uuid4()))
    event["job"]["namespace"] = "shuren"
    with pytest.raises(Invalid):
        take_openlineage(actor=SYSTEM, body=event, now=NOW)
    event["job"]["namespace"] = "airflow"
    event["outputs"][0] |= {"namespace": "shuren", "name": "dataset:probe.marks"}
    take_openlineage(actor=SYSTEM, body=event, now=NOW)
    fold_runs(now=NOW)
    ours = CatalogueAsset.objects.get(key="dataset:probe.marks")
    assert not ours.is_declared
    assert ours.column_count == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(["eventType", "eventTime", "run", "job", "inputs", "outputs", "producer", "schemaURL"])


@given(PLACES, JSON)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_in_an_event_it_is_read_or_refused(place: str, value: Any) -> None:
    event = {**run_event(PeerState.COMPLETE, "01936d3c-0000-7000-8000-000000000000"), place: value}
    with suppress(UnreadableEvent):
        assert read_event(event).mark


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", float("nan")])
def test_what_no_database_keeps_is_refused(value: object) -> None:
    event = run_event(PeerState.COMPLETE, str(uuid4())) | {"extra": {"deep": [value]}}
    with pytest.raises(UnreadableEvent):
        read_event(event)


@pytest.fixture
def our_run(db: None) -> LineageRun:
    source, target = AssetRef(AssetKind.FORM, "probe"), AssetRef(AssetKind.DATASET, "probe.marks")
    flows = [ColumnFlow(source, target, "pupils", "n")]
    with override_settings(SHUREN_OPENLINEAGE_URL="https://lineage.example/api/v1/lineage"):
        record_run(job="freeze", inputs=[source], outputs=[target], flows=flows, sql="SELECT 1 AS n", now=NOW)
    fold_runs(now=NOW)
    return LineageRun.objects.get()


def test_our_events_are_what_the_client_s_classes_hold(our_run: LineageRun) -> None:
    (event,) = events_of([our_run])
    (out,) = event["outputs"]
    facet = out["facets"]["columnLineage"]
    read = RunEvent(
        eventTime=event["eventTime"],
        producer=event["producer"],
        eventType=PeerState(event["eventType"]),
        run=Run(runId=event["run"]["runId"]),
        job=Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
    )
    fields = {
        name: column_lineage_dataset.Fields(
            inputFields=[column_lineage_dataset.InputField(**each) for each in one["inputFields"]]
        )
        for name, one in facet["fields"].items()
    }
    peer = column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields)
    assert {each.field for each in peer.fields["n"].inputFields} == {"pupils"}
    assert facet["_schemaURL"] == peer._schemaURL
    assert event["job"]["facets"]["sql"]["_schemaURL"] == sql_job.SQLJobFacet(query="")._schemaURL
    assert event["schemaURL"] == read.schemaURL
    assert attr.asdict(read)["run"]["runId"] == our_run.run_id


@override_settings(SHUREN_OPENLINEAGE_URL="https://lineage.example/api/v1/lineage", SHUREN_OPENLINEAGE_TOKEN="probe")
def test_a_receiver_that_fails_is_asked_again_and_given_up_at_last(our_run: LineageRun, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int | None] = [None, 503, 202]
    calls: list[dict[str, Any]] = []

    def call(_url: str, **words: Any) -> outward.Answer:
        calls.append(words)
        status = answers.pop(0)
        if status is None:
            raise outward.OutwardFailed("silent")
        return outward.Answer(status=status, body=b"", headers={})

    monkeypatch.setattr(send_openlineage.outward, "call", call)
    now, taken = NOW, []
    for _turn in range(3):
        taken.append(send_runs(now=now))
        assert send_runs(now=now) == 0, "nothing is due twice"
        now += timedelta(minutes=3)
    assert taken == [0, 0, 1]
    assert {each["headers"]["Authorization"] for each in calls} == {"Bearer probe"}
    assert {json.loads(each["body"])["run"]["runId"] for each in calls} == {our_run.run_id}
    assert LineageRun.objects.get().sent_at is not None
    LineageRun.objects.update(attempts=9, next_at=now, sent_at=None)
    answers.append(500)
    send_runs(now=now)
    assert LineageRun.objects.get().next_at is None


def test_run_ids_sort_by_their_moment() -> None:
    found = [run_id_at(NOW + timedelta(milliseconds=at)) for at in range(50)]
    assert found == sorted(found)
    assert {each.version for each in found} == {7}
    assert len(set(found)) == 50
