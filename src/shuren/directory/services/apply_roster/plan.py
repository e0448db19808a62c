"""Giving ids, paths, numbers and sort keys to the rows that will be written."""

from collections.abc import Mapping

import pyarrow as pa
from django.db import connection

from shuren.directory.rules.names import sort_key_of
from shuren.directory.rules.roster.kinds import KINDS, ORG, Kind
from shuren.directory.services.check_roster.staging import BATCH, Stage
from shuren.directory.services.issue_numbers import issue_numbers

TERMS = "directory_classdetail_terms"
Ranges = Mapping[str, list[int]]


def added_counts(stage: Stage) -> dict[str, int]:
    """New rows per database table."""
    counts = {kind.table: int(stage.value(f"SELECT count(*) FROM diff_{kind.name} WHERE action = 'add'")) for kind in KINDS}
    terms = (
        "SELECT coalesce(sum(len(string_split(t.terms, ','))), 0) FROM org t JOIN diff_org d USING (sid) "
        "WHERE t.terms <> '' AND d.action IN ('add', 'change')"
    )
    return {**counts, TERMS: int(stage.value(terms))}


def reserve_ids(counts: Mapping[str, int]) -> dict[str, list[int]]:
    """Take a run of ids per table, `[first, end)`; they stay used up even if nothing is written."""
    return {table: _reserve(table, count) for table, count in counts.items() if count}


def _reserve(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            while True:
                cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
                sequence = cursor.fetchone()[0]
                cursor.execute(
                    "SELECT min(v), max(v) FROM (SELECT nextval(%s) AS v FROM generate_series(1, %s)) taken", [sequence, count]
                )
                first, last = cursor.fetchone()
                # Somebody else's row may have taken a number in between: then take another run.
                if last - first + 1 == count:
                    return [first, last + 1]
        cursor.execute(
            "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0), coalesce((SELECT max(id) FROM "
            + table
            + "), 0))",
            [table],
        )
        before = cursor.fetchone()[0]
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, before + count])
        return [before + 1, before + count + 1]


def make_plan(stage: Stage, ranges: Ranges) -> None:
    """Fill `new_<kind>`, `ids_<kind>`, `place_org`, `new_number`, `sort_keys` and `new_term`."""
    _level_orgs(stage)
    for kind in KINDS:
        _number_rows(stage, kind, ranges)
    _place_orgs(stage)
    _give_numbers(stage)
    _make_sort_keys(stage)
    _make_terms(stage, ranges)


def _level_orgs(stage: Stage) -> None:
    """`level_org`: how far each new org stands below the held tree, so that parents get lower ids than their children."""
    added = "SELECT t.sid, t.parent FROM org t JOIN diff_org d USING (sid) WHERE d.action = 'add'"
    stage.duck.execute(f"CREATE OR REPLACE TABLE new_tree AS {added}")
    tops = "SELECT sid, 0 AS level FROM new_tree WHERE parent NOT IN (SELECT sid FROM new_tree)"
    stage.duck.execute(f"CREATE OR REPLACE TABLE level_org AS {tops}")
    level = 0
    below = "SELECT t.sid, l.level + 1 FROM new_tree t JOIN level_org l ON l.sid = t.parent"
    while stage.insert(f"INSERT INTO level_org {below} AND l.level = {level}"):
        level += 1


def _number_rows(stage: Stage, kind: Kind, ranges: Ranges) -> None:
    name = kind.name
    first = ranges.get(kind.table, [1])[0]
    levels, order = ("JOIN level_org USING (sid)", "level, src, row, sid") if kind is ORG else ("", "src, row, sid")
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE new_{name} AS SELECT sid, {first} - 1 + row_number() OVER (ORDER BY {order}) AS id "
        f"FROM diff_{name} {levels} WHERE action = 'add'"
    )
    stage.duck.execute(
        f"CREATE OR REPLACE VIEW ids_{name} AS SELECT sid, id FROM new_{name} UNION ALL SELECT sid, id FROM have_{name}"
    )


def _place_orgs(stage: Stage) -> None:
    """Paths of the tree as it stands before moves: held orgs where they are, new ones below their parents."""
    stage.duck.execute(
        "CREATE OR REPLACE TABLE place_org AS SELECT sid, id, b AS path, len(b) - len(replace(b, '/', '')) AS depth "
        "FROM have_org UNION ALL "
        "SELECT t.sid, n.id, n.id || '/', 1 FROM org t JOIN new_org n USING (sid) WHERE t.parent = ''"
    )
    while stage.insert(
        "INSERT INTO place_org SELECT t.sid, n.id, p.path || n.id || '/', p.depth + 1 FROM org t JOIN new_org n USING (sid) "
        "JOIN place_org p ON p.sid = t.parent WHERE t.sid NOT IN (SELECT sid FROM place_org)"
    ):
        pass


def _give_numbers(stage: Stage) -> None:
    stage.duck.execute("CREATE OR REPLACE TABLE new_number (id BIGINT, number VARCHAR)")
    first, count = stage.rows("SELECT coalesce(min(id), 0), count(*) FROM new_person")[0]
    for start in range(first, first + count, BATCH):
        size = min(BATCH, first + count - start)
        ids = pa.array(range(start, start + size), pa.int64())
        stage.add_table("new_number", pa.table({"id": ids, "number": pa.array(issue_numbers(size), pa.string())}))


def _make_sort_keys(stage: Stage) -> None:
    stage.duck.execute("CREATE OR REPLACE TABLE sort_keys (name VARCHAR, sort_key VARCHAR)")
    wanted = "SELECT DISTINCT t.name FROM person t JOIN diff_person d USING (sid) WHERE d.action IN ('add', 'change')"
    stage.duck.execute(f"CREATE OR REPLACE TABLE wanted_name AS {wanted}")
    last = int(stage.value("SELECT count(*) FROM wanted_name"))
    for start in range(0, last, BATCH):
        names = [
            row[0] for row in stage.rows("SELECT name FROM wanted_name WHERE rowid >= ? AND rowid < ?", [start, start + BATCH])
        ]
        keys = pa.array([sort_key_of(name) for name in names], pa.string())
        stage.add_table("sort_keys", pa.table({"name": pa.array(names, pa.string()), "sort_key": keys}))
    stage.duck.execute("DROP TABLE wanted_name")


def _make_terms(stage: Stage, ranges: Ranges) -> None:
    first = ranges.get(TERMS, [1])[0]
    stage.duck.execute(
        f"CREATE OR REPLACE TABLE new_term AS SELECT {first} - 1 + row_number() OVER (ORDER BY o.id, s.id) AS id, o.id "
        "AS org_id, s.id AS session_id, u.action "
        "FROM (SELECT t.sid, d.action, unnest(string_split(t.terms, ',')) AS term FROM org t JOIN diff_org d USING (sid) "
        "WHERE t.terms <> '' AND d.action IN ('add', 'change')) u JOIN place_org o ON o.sid = u.sid JOIN ids_session s "
        "ON s.sid = u.term"
    )
