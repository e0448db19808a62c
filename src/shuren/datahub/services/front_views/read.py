"""One turn of reading a view: looked at, streamed into the lake unseen, and made visible together with how far it was read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow, PreparedPartition, ViewRunKind, ViewRunState
from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.rules.front_views.changes import column_changes, cursor_change, row_changes
from shuren.datahub.rules.front_views.columns import ViewColumn, columns_as_json, columns_in, merged, taken_of
from shuren.datahub.rules.front_views.fitting import IsCode, fitted
from shuren.datahub.rules.front_views.names import ORG_PATH, PART, dataset_of
from shuren.datahub.services.front_views.front import Front, FrontBroken, Totals, opened
from shuren.datahub.services.front_views.runs import end_run
from shuren.datahub.services.record_run import record_run
from shuren.datahub.services.write import append_prepared, prepare_partition, publish_partition
from shuren.directory import api as directory
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import ShurenError
from shuren.standards import api as standards

_TRIED_ROWS = 1_000
_CODES_TOLD = 50


@dataclass(slots=True)
class Intake:
    """What is read of a view in one turn, and what of it is left out."""

    source: ViewSource
    taken: list[ViewColumn]
    misfits: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, None] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([*map(_field, self.taken), pa.field(ORG_PATH, pa.string())])

    @property
    def names(self) -> list[str]:
        return [*(one.name for one in self.taken), *([self.source.org_column] if self.source.org_column else [])]

    def batch(self, rows: Sequence[Sequence[str | None]], codes: dict[str, IsCode]) -> pa.RecordBatch:
        """The rows of known orgs, each with its org's path."""
        paths = pa.array(self._paths_of(rows), pa.string())
        arrays = [*fitted(rows, self.taken, codes, self.misfits), paths]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema).filter(pc.is_valid(paths))

    def _paths_of(self, rows: Sequence[Sequence[str | None]]) -> list[str | None]:
        if not self.source.org_column:
            return [self._path_of_owner()] * len(rows)
        told = [(row[-1] or "").strip() for row in rows]
        fresh = set(told) - self._paths.keys() - self.unknown.keys()
        found = directory.org_ids_by_code(fresh)
        orgs = directory.orgs_by_ids(found.values())
        self._paths |= {code: orgs[org_id].path for code, org_id in found.items() if org_id in orgs}
        self.unknown |= dict.fromkeys(sorted(fresh - self._paths.keys()))
        paths = [self._paths.get(code) for code in told]
        self.left_out["unknown_org"] += sum(path is None for path in paths)
        return paths

    def _path_of_owner(self) -> str:
        if "" not in self._paths:
            self._paths[""] = directory.orgs_by_ids([self.source.org_id])[self.source.org_id].path
        return self._paths[""]

    def note_on(self, run: ViewRun) -> None:
        run.misfits = dict(self.misfits)
        run.left_out = {what: count for what, count in self.left_out.items() if count}
        run.unknown_orgs = [code[:40] for code in list(self.unknown)[:_CODES_TOLD]]


def read_view(run_id: int, *, now: datetime) -> str:
    """Carry a turn out; killed anywhere it is carried out again, and nothing lands twice. Returns its state."""
    run = ViewRun.objects.select_related("source").get(pk=run_id)
    if run.state != ViewRunState.OPEN:
        return run.state
    prepared, totals = None, Totals(0)
    try:
        with opened(run.source) as front:
            found = front.columns()
            if run.kind == ViewRunKind.TRIAL:
                return _tried(run, front, found, now)
            totals = _look(run, front, found)
            if not run.changes and not _is_unmoved(run, totals):
                prepared = _prepared(run, front, totals)
    except FrontBroken as fault:
        return _ended(run, ViewRunState.FAILED, now, error=fault.code)
    except ShurenError:
        # The lake does not take it: a column of it has another source, or its key is no name of a partition.
        return _ended(run, ViewRunState.FAILED, now, error="lake")
    if run.changes:
        return _held(run, found, now)
    return _settled(run, prepared, totals, now)


def _look(run: ViewRun, front: Front, found: list[ViewColumn]) -> Totals:
    """What changed, by columns first: where one is gone nothing can be counted by it. Noted on the turn."""
    source = run.source
    columns = columns_in(source.columns)
    if not source.key_columns or not taken_of(columns):
        raise FrontBroken("nothing_chosen")
    run.changes = column_changes([one for one in columns if one.is_taken or one.name == source.org_column], found)
    if run.changes:
        return Totals(0)
    cursor = _cursor(source)
    totals = front.totals(cursor)
    run.view_rows, run.is_whole = totals.rows, not (source.cursor_column and source.cursor)
    run.changes = row_changes(source.known_rows, totals.rows)
    run.changes += cursor_change(source.cursor_column, has_gone_back=totals.has_gone_back)
    return totals


def _is_unmoved(run: ViewRun, totals: Totals) -> bool:
    """Whether nothing lies behind what was read of the growing column."""
    return not run.is_whole and totals.upper in ("", run.source.cursor)


def _prepared(run: ViewRun, front: Front, totals: Totals) -> PreparedPartition:
    source, cursor = run.source, _cursor(run.source)
    has_rows = cursor is None or bool(totals.upper)
    if has_rows and not front.is_unique(source.key_columns, cursor, totals.upper):
        raise FrontBroken("double_keys")
    intake = Intake(source, taken_of(columns_in(source.columns)))
    intake.left_out["no_cursor"] = totals.without_cursor if run.is_whole else 0
    codes = _codes(intake.taken)

    def batches() -> Iterator[pa.RecordBatch]:
        for rows in front.batches(intake.names, source.key_columns, cursor, totals.upper):
            yield intake.batch(rows, codes)

    rows = batches() if has_rows else iter(())
    prepared = prepare_partition(dataset_of(source.key), {PART: source.key}, rows, schema=intake.schema)
    intake.note_on(run)
    run.rows = prepared.rows
    if intake.misfits:
        raise FrontBroken("misfits")
    if not prepared.rows and intake.left_out["unknown_org"]:
        raise FrontBroken("no_orgs")
    return prepared


def _tried(run: ViewRun, front: Front, found: list[ViewColumn], now: datetime) -> str:
    """Nothing lands: which columns there are, and how the first rows would fit."""
    source, error = run.source, ""
    taken = taken_of(columns_in(source.columns))
    if source.key_columns and taken:
        totals = _look(run, front, found)
        if not run.changes:
            intake = Intake(source, taken)
            codes = _codes(taken)
            for rows in front.batches(intake.names, source.key_columns, None, "", first=_TRIED_ROWS):
                run.rows += intake.batch(rows, codes).num_rows
            intake.left_out["no_cursor"] = totals.without_cursor
            intake.note_on(run)
            error = "" if front.is_unique(source.key_columns, None, "") else "double_keys"
    return _end_trial(run, found, error, now)


@transaction.atomic
def _end_trial(run: ViewRun, found: list[ViewColumn], error: str, now: datetime) -> str:
    """Columns that are new are offered; those of a view that has landed stay as they are until a change is confirmed."""
    source = _locked(run)
    if source is None:
        return _as_it_stands(run)
    columns = columns_in(source.columns)
    together = merged(columns, found)
    if source.landed_at is not None:
        known = {one.name for one in columns}
        together = [*columns, *(one for one in together if one.name not in known)]
    source.columns = columns_as_json(together)
    source.save(update_fields=["columns"])
    return end_run(run, ViewRunState.TRIED, error=error, now=now)


@transaction.atomic
def _held(run: ViewRun, found: list[ViewColumn], now: datetime) -> str:
    locked = _locked(run)
    if locked is None:
        return _as_it_stands(run)
    ViewSource.objects.filter(pk=run.source_id).update(is_held=True)
    run.columns = columns_as_json(found)
    return end_run(run, ViewRunState.HELD, now=now)


@transaction.atomic
def _settled(run: ViewRun, prepared: PreparedPartition | None, totals: Totals, now: datetime) -> str:
    """Make the file visible and move the cursor, both or neither."""
    began_from = run.source.cursor
    source = _locked(run)
    if source is None:
        return _as_it_stands(run)
    if source.is_stopped or source.cursor != began_from:
        return end_run(run, ViewRunState.DROPPED, now=now)
    source.known_rows = totals.rows
    is_same = prepared is None or (not source.cursor_column and prepared.sha256 == source.digest)
    if prepared is None or is_same:
        source.save(update_fields=["known_rows"])
        return end_run(run, ViewRunState.UNCHANGED, now=now)
    if run.is_whole:
        publish_partition(prepared, actor=SYSTEM, now=now)
    else:
        append_prepared(prepared, actor=SYSTEM, now=now)
    source.cursor, source.digest, source.landed_at = totals.upper, prepared.sha256, now
    source.save(update_fields=["known_rows", "cursor", "digest", "landed_at"])
    _record_lineage(run, now)
    told = {"key": source.key, "run": run.pk, "rows": run.rows, "digest": prepared.sha256, "is_whole": run.is_whole}
    audit.record(actor=SYSTEM, action="datahub.view_landed", target=f"view_source:{source.pk}", details=told, now=now)
    return end_run(run, ViewRunState.LANDED, now=now)


@transaction.atomic
def _ended(run: ViewRun, state: ViewRunState, now: datetime, *, error: str) -> str:
    if _locked(run) is None:
        return _as_it_stands(run)
    return end_run(run, state, error=error, now=now)


def _locked(run: ViewRun) -> ViewSource | None:
    """The source as it stands now, locked; None where somebody gave the turn up meanwhile."""
    source = ViewSource.objects.select_for_update().get(pk=run.source_id)
    state = ViewRun.objects.select_for_update().values_list("state", flat=True).get(pk=run.pk)
    run.source.failures = source.failures
    return source if state == ViewRunState.OPEN else None


def _as_it_stands(run: ViewRun) -> str:
    return ViewRun.objects.values_list("state", flat=True).get(pk=run.pk)


def _cursor(source: ViewSource) -> ViewColumn | None:
    return next((one for one in columns_in(source.columns) if one.name == source.cursor_column), None)


def _field(column: ViewColumn) -> pa.Field:
    """What came from elsewhere says of which source it is a copy: there is one source of each element."""
    element = standards.known_element(column.element)
    if element is None:
        return pa.field(column.lake, column.arrow)
    told = {"element": element.code, **({"copy_of": element.source} if element.source else {})}
    return pa.field(column.lake, column.arrow, metadata=told)


def _codes(taken: Sequence[ViewColumn]) -> dict[str, IsCode]:
    """The columns whose element has a code set, each with the question whether a text is one of its codes."""
    found: dict[str, IsCode] = {}
    for one in taken:
        element = standards.known_element(one.element)
        if element is not None and element.code_set:
            found[one.name] = cache(partial(standards.is_code, element.code_set))
    return found


def _record_lineage(run: ViewRun, now: datetime) -> None:
    source = run.source
    outside = AssetRef(AssetKind.OUTSIDE, f"{source.database}/{source.schema}.{source.view}")
    target = AssetRef(AssetKind.DATASET, dataset_of(source.key))
    flows = [ColumnFlow(outside, target, one.name, one.lake) for one in taken_of(columns_in(source.columns))]
    if source.org_column:
        flows.append(ColumnFlow(outside, target, source.org_column, ORG_PATH))
    record_run(
        job="exchange.read_view",
        inputs=[outside],
        outputs=[target],
        flows=flows,
        key=f"view-run:{run.pk}",
        facts={"view_run": run.pk},
        began_at=run.begun_at,
        now=now,
    )
