"""Bringing into the stage what the directory holds of the staged rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from shuren.directory.rules.roster.kinds import AFFILIATION, ENROLLMENT, KINDS, LINK, ORG, PERSON, Kind
from shuren.directory.selectors.roster import HELD_COLUMNS, branch_condition, cells_sql, copy_to_file, fetched, held_sql, is_empty
from shuren.directory.services.check_roster.staging import Stage

_CHUNK = 5_000


Condition = tuple[str, list[Any]]


def pull_held(stage: Stage, kind: Kind, *, paths: Sequence[str], day: str, only: Condition | None = None) -> None:
    """Fill `have_<kind>` with the held rows in the branches and those elsewhere that the file names.

    Orgs, sessions and courses are few and all brought; of people and their ties only what the file can touch, and where
    lines were passed over only rows of the branches that meet `only`.
    """
    table = f"have_{kind.name}"
    stage.duck.execute(f"CREATE OR REPLACE TABLE {table} ({', '.join(HELD_COLUMNS)})")
    if is_empty(kind):
        return
    sql = held_sql(kind, day)
    if kind.name in {"session", "org", "course"}:
        pull_rows(stage, table, sql, ())
        return
    condition, parameters = branch_condition(kind, paths)
    if only is not None:
        condition, parameters = f"{condition} AND {only[0]}", [*parameters, *only[1]]
    pull_rows(stage, table, f"{sql} WHERE {condition}", parameters)
    for column, wanted in _named(kind, is_recalled=only is not None):
        unpulled = f"SELECT DISTINCT sid FROM ({wanted}) t(sid) WHERE sid <> '' AND sid NOT IN (SELECT sid FROM {table})"
        for chunk in _chunks(stage, unpulled):
            pull_rows(stage, table, f"{sql} WHERE {column} IN ({', '.join(['%s'] * len(chunk))})", chunk)
    if kind in (AFFILIATION, ENROLLMENT):
        stage.duck.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT h.* REPLACE (coalesce(p.sid, '') AS a, coalesce(o.sid, '') AS b) "
            f"FROM {table} h "
            "LEFT JOIN have_person p ON p.id = h.a::BIGINT LEFT JOIN have_org o ON o.id = h.b::BIGINT"
        )


def pull_numbers(stage: Stage) -> None:
    """`held_number`: who holds the pupil numbers of the staged people, for files of which not every line is staged."""
    sql = f"SELECT r.id, r.pupil_number, r.sourced_id FROM {PERSON.table} r WHERE r.pupil_number IN"
    for chunk in _chunks(stage, "SELECT DISTINCT pupil_number FROM person WHERE pupil_number <> ''"):
        pull_rows(stage, "held_number", f"{sql} ({', '.join(['%s'] * len(chunk))})", chunk)


def _named(kind: Kind, *, is_recalled: bool) -> Iterator[tuple[str, str]]:
    """Rows the file names wherever they lie: the column of the database, and the query of what to look for in it."""
    if kind is LINK and is_recalled:
        yield "w.sourced_id", "SELECT sid FROM person UNION ALL SELECT ward FROM link"
        return
    if kind is LINK:
        yield "g.sourced_id || '>' || w.sourced_id", "SELECT guardian || '>' || ward FROM link"
        return
    wanted = f"SELECT sid FROM {kind.name} UNION ALL SELECT sid FROM gone WHERE kind = '{kind.name}'"
    if kind is PERSON:
        # People whom the file ties to orgs without listing them.
        for other, cell in (("affiliation", "person"), ("enrollment", "person"), ("link", "guardian"), ("link", "ward")):
            wanted += f" UNION ALL SELECT {cell} FROM {other}"
    yield "r.sourced_id", wanted


def pull_cells(stage: Stage, kind: Kind, ids: str) -> None:
    """Fill `was_<kind>` with the present cells of the rows whose ids the query `ids` gives."""
    cells = ("id BIGINT", "sid VARCHAR", *(f"{cell} VARCHAR" for cell in kind.cells))
    stage.duck.execute(f"CREATE OR REPLACE TABLE was_{kind.name} ({', '.join(cells)})")
    sql = cells_sql(kind)
    for chunk in _chunks(stage, ids):
        pull_rows(stage, f"was_{kind.name}", f"{sql} WHERE r.id IN ({', '.join(['%s'] * len(chunk))})", chunk)


def _chunks(stage: Stage, sql: str) -> Iterator[list[object]]:
    found = [row[0] for row in stage.rows(sql)]
    for start in range(0, len(found), _CHUNK):
        yield found[start : start + _CHUNK]


def pull_rows(stage: Stage, table: str, sql: str, parameters: Sequence[object]) -> None:
    """Append the answer of the database to a table of the stage that has the same columns."""
    path = stage.folder / f"{table}.csv"
    try:
        if copy_to_file(sql, parameters, path):
            _read(stage, table, str(path))
        else:
            names = [row[0] for row in stage.rows(f"SELECT column_name FROM (DESCRIBE {table})")]
            for batch in fetched(sql, parameters, names):
                stage.add_table(table, batch)
    finally:
        path.unlink(missing_ok=True)
        pa.default_memory_pool().release_unused()


def _read(stage: Stage, table: str, path: str) -> None:
    columns = stage.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table})")
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns)
    values = ", ".join(name if kind != "VARCHAR" else f"coalesce({name}, '')" for name, kind in columns)
    stage.duck.execute(
        f"INSERT INTO {table} SELECT {values} FROM read_csv(?, columns = {{{types}}}, header = false, auto_detect = "
        "false, delim = ',', "
        "quote = '\"', escape = '\"', max_line_size = 2097152)",
        [path],
    )


def make_known_views(stage: Stage) -> None:
    """`known_<kind>`: every row a reference may point to, staged or held; `first_root` and `circling` of the org tree."""
    for kind in KINDS:
        name = kind.name
        if kind is ORG:
            staged = "SELECT sid, type, parent, true AS is_staged FROM org WHERE sid <> '' AND status <> 'tobedeleted'"
            held = (
                "SELECT h.sid, h.a AS type, coalesce(p.sid, '') AS parent, false FROM have_org h LEFT JOIN have_org p "
                "ON p.b = regexp_replace(h.b, '[0-9]+/$', '') WHERE h.sid NOT IN (SELECT sid FROM org)"
            )
            stage.duck.execute(f"CREATE OR REPLACE TABLE known_org AS {staged} UNION ALL {held}")
        elif kind is not LINK:
            held = f"SELECT sid FROM have_{name}"
            stage.duck.execute(f"CREATE OR REPLACE VIEW known_{name} AS SELECT sid FROM {name} WHERE sid <> '' UNION ALL {held}")
    stage.duck.execute("CREATE OR REPLACE VIEW have_affiliation_of AS SELECT a AS person, b AS org FROM have_affiliation")
    stage.duck.execute(
        "CREATE OR REPLACE TABLE first_root AS SELECT coalesce((SELECT min(sid) FROM have_org WHERE b = "
        "regexp_extract(b, '^[0-9]+/$') AND b <> ''), "
        "(SELECT arg_min(sid, (src, row)) FROM org WHERE parent = '' AND is_class = '' AND sid <> ''), '') AS sid"
    )
    try:
        _find_circles(stage)
    except duckdb.Error as fault:
        raise RuntimeError("the org tree could not be walked") from fault


def _find_circles(stage: Stage) -> None:
    """Peel the tree from its roots; whoever is never reached, yet whose parent exists, hangs on a circle."""
    stage.duck.execute(
        "CREATE OR REPLACE TABLE reached AS SELECT DISTINCT sid FROM known_org WHERE parent = '' OR parent NOT IN "
        "(SELECT sid FROM known_org)"
    )
    while stage.insert(
        "INSERT INTO reached SELECT DISTINCT k.sid FROM known_org k JOIN reached r ON r.sid = k.parent WHERE k.sid NOT "
        "IN (SELECT sid FROM reached)"
    ):
        pass
    stage.duck.execute("CREATE OR REPLACE TABLE circling AS SELECT sid FROM known_org WHERE sid NOT IN (SELECT sid FROM reached)")
