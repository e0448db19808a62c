"""OpenLineage events read and written: runs, jobs and datasets, with the facets that we know; others are kept and not read."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shuren.datahub.data import AssetColumn, AssetKind, AssetRef, RunState

NAMESPACE = "shuren"
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACET_SCHEMAS = {
    "columnLineage": "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "schema": "https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "sql": "https://openlineage.io/spec/facets/1-1-0/SQLJobFacet.json#/$defs/SQLJobFacet",
}
MOST_DATASETS, MOST_FLOWS, MOST_COLUMNS = 1_000, 20_000, 10_000
_KINDS = frozenset(kind.value for kind in AssetKind)
_LONGEST_NAME = 400


class UnreadableEvent(ValueError):
    """What the event lacks, and where: fit for whoever sent it."""


@dataclass(frozen=True, slots=True)
class ReadDataset:
    """A dataset as an event names it; `columns` is None where the event does not say."""

    ref: AssetRef
    title: str
    description: str
    columns: tuple[AssetColumn, ...] | None
    flows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """An event as read: `state` None for one that describes a dataset only; flows go [key, column, key, column]."""

    mark: str
    state: RunState | None
    at: datetime
    run_id: str
    namespace: str
    job: str
    inputs: tuple[ReadDataset, ...]
    outputs: tuple[ReadDataset, ...]
    sql: str
    producer: str

    def flows(self) -> list[list[str]]:
        return [[source, column, out.ref.key, to] for out in self.outputs for source, column, to in out.flows][:MOST_FLOWS]


def read_event(body: object) -> ReadEvent:
    """A RunEvent, JobEvent or DatasetEvent; raises `UnreadableEvent`."""
    event = _mapping(body, "event")
    _check_kept(event)
    at = _moment(event.get("eventTime"))
    producer = _text(event.get("producer"), "producer", 300)
    if "run" in event:
        job = _mapping(event.get("job"), "job")
        state = _state(event.get("eventType", "OTHER"))
        run_id = _text(_mapping(event["run"], "run").get("runId"), "run.runId", 80)
        mark = _mark("run", run_id, state.value, *_named(job, "job"))
    elif "job" in event:
        job, state = _mapping(event["job"], "job"), RunState.EVENT
        run_id = f"job:{_mark(*_named(job, 'job'), at.isoformat())[:40]}"
        mark = _mark("job", *_named(job, "job"), at.isoformat(), json.dumps(event, sort_keys=True))
    elif "dataset" in event:
        return _dataset_event(event, at, producer)
    else:
        raise UnreadableEvent("event: one of run, job and dataset is missing")
    namespace, name = _named(job, "job")
    facets = _facets(job)
    return ReadEvent(
        mark=mark,
        state=state,
        at=at,
        run_id=run_id,
        namespace=namespace,
        job=name,
        inputs=_datasets(event.get("inputs"), "inputs"),
        outputs=_datasets(event.get("outputs"), "outputs"),
        sql=str(_facet(facets, "sql").get("query", ""))[:100_000],
        producer=producer,
    )


def _check_kept(event: Mapping[str, Any]) -> None:
    """What a database cannot keep is refused whole: halves of signs, NUL, numbers that are none."""
    try:
        text = json.dumps(event, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as fault:
        raise UnreadableEvent("event: holds what is no text or number of JSON") from fault
    if "\\u0000" in text:
        raise UnreadableEvent("event: holds a NUL")


def _dataset_event(event: Mapping[str, Any], at: datetime, producer: str) -> ReadEvent:
    dataset = _dataset(event["dataset"], "dataset")
    mark = _mark("dataset", dataset.ref.key, at.isoformat(), json.dumps(event, sort_keys=True))
    return ReadEvent(mark, None, at, "", "", "", (), (dataset,), "", producer)


def ref_named(namespace: str, name: str) -> AssetRef:
    """Our own assets by our namespace, `<kind>:<name>`; everything else lies outside."""
    kind, _colon, own = name.partition(":")
    if namespace == NAMESPACE and kind in _KINDS and own:
        return AssetRef(AssetKind(kind), own[:_LONGEST_NAME])
    return AssetRef(AssetKind.OUTSIDE, f"{namespace}/{name}"[:_LONGEST_NAME])


def _datasets(value: object, place: str) -> tuple[ReadDataset, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_DATASETS:
        raise UnreadableEvent(f"{place}: not a list of at most {MOST_DATASETS} datasets")
    return tuple(_dataset(each, f"{place}[{at}]") for at, each in enumerate(value))


def _dataset(value: object, place: str) -> ReadDataset:
    dataset = _mapping(value, place)
    namespace, name = _named(dataset, place)
    facets = _facets(dataset)
    fields = _facet(facets, "schema").get("fields")
    columns = tuple(_columns(fields)) if isinstance(fields, list) else None
    description = str(_facet(facets, "documentation").get("description", ""))[:500]
    return ReadDataset(ref_named(namespace, name), name[:200], description, columns, tuple(_column_flows(facets)))


def _columns(fields: Sequence[object], prefix: str = "") -> Iterable[AssetColumn]:
    for each in fields[:MOST_COLUMNS]:
        if isinstance(each, Mapping) and each.get("name"):
            name = f"{prefix}{each['name']}"[:200]
            yield AssetColumn(name, str(each.get("type") or "")[:60], str(each.get("description") or "")[:200])
            if isinstance(each.get("fields"), list) and prefix.count(".") < 5:
                yield from _columns(each["fields"], f"{name}.")


def _column_flows(facets: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    fields = _facet(facets, "columnLineage").get("fields")
    for target, told in (fields if isinstance(fields, Mapping) else {}).items():
        sources = told.get("inputFields") if isinstance(told, Mapping) else None
        for source in sources if isinstance(sources, list) else []:
            if isinstance(source, Mapping) and source.get("namespace") and source.get("name") and source.get("field"):
                ref = ref_named(str(source["namespace"]), str(source["name"]))
                yield ref.key, str(source["field"])[:200], str(target)[:200]


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnreadableEvent(f"{place}: not an object")
    return value


def _facets(value: Mapping[str, Any]) -> Mapping[str, Any]:
    facets = value.get("facets")
    return facets if isinstance(facets, Mapping) else {}


def _facet(facets: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    facet = facets.get(name)
    return facet if isinstance(facet, Mapping) else {}


def _text(value: object, place: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise UnreadableEvent(f"{place}: no text")
    return value[:longest]


def _named(value: Mapping[str, Any], place: str) -> tuple[str, str]:
    return _text(value.get("namespace"), f"{place}.namespace", 300), _text(value.get("name"), f"{place}.name", 300)


def _state(value: object) -> RunState:
    if not isinstance(value, str) or value not in {state.value for state in RunState} - {RunState.EVENT.value}:
        raise UnreadableEvent("eventType: not START, RUNNING, COMPLETE, ABORT, FAIL or OTHER")
    return RunState(value)


def _moment(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
        # What cannot be told in UTC is no moment that a database could keep.
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableEvent("eventTime: not a moment of ISO 8601") from error


def _mark(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class ToldRun:
    """A run of ours, ready to be told: `columns` of each asset are [name, type]."""

    run_id: str
    job: str
    at: datetime
    state: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    flows: Sequence[Sequence[str]]
    sql: str
    producer: str
    columns: Mapping[str, Sequence[Sequence[str]]]


def event_of(run: ToldRun) -> dict[str, Any]:
    """The RunEvent of a run of ours."""
    job_facets = {"sql": _told(run, "sql", query=run.sql, dialect="duckdb")} if run.sql else {}
    return {
        "eventType": run.state,
        "eventTime": run.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "run": {"runId": run.run_id, "facets": {}},
        "job": {"namespace": NAMESPACE, "name": run.job, "facets": job_facets},
        "inputs": [{"namespace": NAMESPACE, "name": key, "facets": _schema(run, key)} for key in run.inputs],
        "outputs": [
            {"namespace": NAMESPACE, "name": key, "facets": _schema(run, key) | _column_lineage(run, key)} for key in run.outputs
        ],
        "producer": run.producer,
        "schemaURL": EVENT_SCHEMA,
    }


def _told(run: ToldRun, name: str, **facet: object) -> dict[str, object]:
    return {"_producer": run.producer, "_schemaURL": FACET_SCHEMAS[name], **facet}


def _schema(run: ToldRun, key: str) -> dict[str, object]:
    columns = run.columns.get(key)
    if not columns:
        return {}
    return {"schema": _told(run, "schema", fields=[{"name": name, "type": kind} for name, kind in columns])}


def _column_lineage(run: ToldRun, key: str) -> dict[str, object]:
    fields: dict[str, dict[str, list[dict[str, str]]]] = {}
    for source, column, target, to_column in run.flows:
        if target == key and column and to_column:
            told = {"namespace": NAMESPACE, "name": source, "field": column}
            fields.setdefault(to_column, {"inputFields": []})["inputFields"].append(told)
    return {"columnLineage": _told(run, "columnLineage", fields=fields)} if fields else {}
