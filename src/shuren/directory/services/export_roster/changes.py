"""Of a staged export only what changed since a moment, and of what ended since then its id."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa
from django.db.models import Q
from django.utils import timezone

from shuren.directory.data import OrgStatus
from shuren.directory.models import Affiliation, Enrollment, Person
from shuren.directory.rules.roster.kinds import AFFILIATION, ENROLLMENT, KINDS, LINK, ORG, PERSON, Kind
from shuren.directory.selectors.roster import cells_sql
from shuren.directory.selectors.roster_moments import FIRST, import_moments, modified_q
from shuren.directory.services.apply_roster.before import MODELS
from shuren.directory.services.check_roster.held import pull_rows
from shuren.directory.services.check_roster.staging import BATCH, Stage
from shuren.kernel.scope import path_q

_CHUNK = 5_000
_TIES = (AFFILIATION, ENROLLMENT)
_UNTOLD = "*"
_SCHEMA = pa.schema([("id", pa.int64()), ("sid", pa.string()), ("holds", pa.bool_()), ("told_at", pa.string())])


def keep_changed(stage: Stage, path: str, *, since: datetime, day: date) -> None:
    """Leave in the stage what changed at or after `since`, each row with its status and moment; links come with their ward."""
    for kind in KINDS:
        if kind is LINK:
            continue
        stage.duck.execute(f"CREATE TABLE changed_{kind.name} (id BIGINT, sid VARCHAR, holds BOOLEAN, told_at VARCHAR)")
        for table in _changed(kind, path, since, day):
            stage.add_table(f"changed_{kind.name}", table)
        stage.duck.execute(
            f"UPDATE {kind.name} SET status = 'active', modified = c.told_at FROM changed_{kind.name} c "
            f"WHERE c.sid = {kind.name}.sid"
        )
        stage.duck.execute(f"DELETE FROM {kind.name} WHERE status <> 'active'")
        _add_ended(stage, kind)


def _changed(kind: Kind, path: str, since: datetime, day: date) -> Iterator[pa.Table]:
    """Id, sourced id, whether it holds, and when it changed, of every row of the branch that changed."""
    model = MODELS[kind.name]
    is_tie = kind in _TIES
    rows: Any = model._default_manager.all()
    rows = rows.visible().filter(modified_q(">=", since, table=kind.table, today=day if is_tie else None))
    rows = rows.filter(_inside(kind, path)).order_by("pk")
    end = {AFFILIATION: "end_date", ENROLLMENT: "end_date", ORG: "status", PERSON: "is_active"}.get(kind, "pk")
    found = rows.values_list("pk", "sourced_id", "modified_at", "import_id", end)
    batch: list[tuple[Any, ...]] = []
    for row in found.iterator(chunk_size=_CHUNK):
        batch.append(row)
        if len(batch) == BATCH:
            yield _table(kind, batch, day)
            batch = []
    if batch:
        yield _table(kind, batch, day)


def _inside(kind: Kind, path: str) -> Q:
    if kind in _TIES:
        return path_q("org_path", [path])
    if kind is ORG:
        return path_q("path", [path])
    if kind is PERSON and path.count("/") > 1:
        # Whoever was ever tied here, and whoever is in the stage anyway: guardians come with their wards.
        tied = [model.objects.filter(path_q("org_path", [path])).values("person_id") for model in (Affiliation, Enrollment)]
        wards = Person.objects.filter(Q(pk__in=tied[0]) | Q(pk__in=tied[1]))
        return Q(pk__in=tied[0]) | Q(pk__in=tied[1]) | Q(ward_links__ward__in=wards)
    return path_q("org__path", [path]) if kind.name == "course" else Q()


def _table(kind: Kind, rows: Sequence[tuple[Any, ...]], day: date) -> pa.Table:
    moments = import_moments({row[3] for row in rows})
    columns: list[list[Any]] = [[], [], [], []]
    seen: set[int] = set()
    for pk, sid, modified, import_id, end in rows:
        if pk in seen:
            continue
        seen.add(pk)
        at = modified or moments.get(import_id, FIRST)
        if kind in _TIES:
            holds = end is None or end > day
            # What ends by its date changes on that day.
            at = at if holds else max(at, timezone.make_aware(datetime.combine(end, time())))
        else:
            holds = end == OrgStatus.ACTIVE if kind is ORG else True
        for column, value in zip(columns, (pk, sid, holds, at.isoformat(timespec="milliseconds")), strict=True):
            column.append(value)
    return pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), schema=_SCHEMA)


def _add_ended(stage: Stage, kind: Kind) -> None:
    """Rows that hold no more, as `tobedeleted`: people who are nobody's here any more by their id alone."""
    name = kind.name
    if kind is PERSON:
        stage.duck.execute(
            "INSERT INTO person (src, row, sid, status, modified, name, family_name, given_name, enabled, sex) "
            f"SELECT 0, 2000000000 + row_number() OVER (ORDER BY id), sid, 'tobedeleted', told_at, '{_UNTOLD}', '{_UNTOLD}', "
            f"'{_UNTOLD}', 'false', '0' FROM changed_person WHERE sid NOT IN (SELECT sid FROM person)"
        )
        return
    cells = ", ".join(("id BIGINT", "sid VARCHAR", *(f"{cell} VARCHAR" for cell in kind.cells)))
    stage.duck.execute(f"CREATE TABLE ended_{name} ({cells})")
    ids = [row[0] for row in stage.rows(f"SELECT id FROM changed_{name} WHERE NOT holds ORDER BY id")]
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        pull_rows(stage, f"ended_{name}", f"{cells_sql(kind)} WHERE r.id IN ({', '.join(['%s'] * len(part))})", part)
    columns = ", ".join(kind.cells)
    stage.duck.execute(
        f"INSERT INTO {name} (src, row, sid, status, modified, {columns}) "
        "SELECT 0, 2000000000 + row_number() OVER (ORDER BY e.id), "
        f"e.sid, 'tobedeleted', c.told_at, {', '.join(f'e.{cell}' for cell in kind.cells)} FROM ended_{name} e "
        f"JOIN changed_{name} c ON c.id = e.id WHERE e.sid NOT IN (SELECT sid FROM {name})"
    )
    if kind is ORG:
        stage.duck.execute("UPDATE org SET is_class = 'true' WHERE type = 'class' AND status = 'tobedeleted'")
