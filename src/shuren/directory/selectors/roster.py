"""What the directory holds of the rows a roster speaks of, read in bulk for the importer and the exporter.

No access filter here: callers have settled the branches first.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import connection

from shuren.directory.rules.roster.kinds import AFFILIATION, COURSE, ENROLLMENT, LINK, ORG, PERSON, SESSION, Kind
from shuren.kernel.scope import next_path

FETCH = 10_000

# Per kind: id, sourced id, fingerprint, whether it still holds, then three words by which it is placed (of ties the ids of
# person and org, which the stage turns into sourced ids more cheaply than a join here).
_HELD = {
    SESSION: ("r.id, r.sourced_id, {hash}, true, r.type, '', ''", "directory_academicsession r"),
    COURSE: (
        "r.id, r.sourced_id, {hash}, true, '', o.sourced_id, ''",
        "directory_course r JOIN directory_org o ON o.id = r.org_id",
    ),
    ORG: ("r.id, r.sourced_id, {hash}, r.status = 'active', r.type, r.path, ''", "directory_org r"),
    PERSON: ("r.id, r.sourced_id, {hash}, r.is_active, '', '', ''", "directory_person r"),
    AFFILIATION: (
        (
            "r.id, r.sourced_id, {hash}, (r.end_date IS NULL OR r.end_date > {day}), CAST(r.person_id AS {text}), "
            "CAST(r.org_id AS {text}), r.role"
        ),
        "directory_affiliation r",
    ),
    ENROLLMENT: (
        (
            "r.id, r.sourced_id, {hash}, (r.end_date IS NULL OR r.end_date > {day}), CAST(r.person_id AS {text}), "
            "CAST(r.class_org_id AS {text}), r.role"
        ),
        "directory_enrollment r",
    ),
    LINK: (
        (
            "r.id, g.sourced_id || '>' || w.sourced_id, '', (r.end_date IS NULL OR r.end_date > {day}), g.sourced_id, "
            "w.sourced_id, ''"
        ),
        "directory_guardianlink r JOIN directory_person g ON g.id = r.guardian_id JOIN directory_person w ON w.id = r.ward_id",
    ),
}
HELD_COLUMNS = ("id BIGINT", "sid VARCHAR", "hash VARCHAR", "holds BOOLEAN", "a VARCHAR", "b VARCHAR", "c VARCHAR")

# Per kind: the cells of `Kind.cells`, as the stage writes them.
_CELLS = {
    SESSION: (
        "r.title, r.type, {begin}, {end}, coalesce(p.sourced_id, ''), {text:r.school_year}",
        "directory_academicsession r LEFT JOIN directory_academicsession p ON p.id = r.parent_id",
    ),
    COURSE: (
        "r.title, r.code, r.grades, r.subject, o.sourced_id, coalesce(s.sourced_id, '')",
        "directory_course r JOIN directory_org o ON o.id = r.org_id LEFT JOIN directory_academicsession s ON s.id = r.session_id",
    ),
    ORG: (
        (
            "r.name, r.short_name, r.type, r.status, r.code, r.division_code, r.credit_code, {switch:r.is_rural}, r.grade, "
            "coalesce(p.sourced_id, ''), {begin}, {end}, coalesce(d.class_type, ''), coalesce(d.class_code, ''), "
            "coalesce(c.sourced_id, ''), {terms}"
        ),
        (
            "directory_org r LEFT JOIN directory_org p ON p.id = r.parent_id "
            "LEFT JOIN directory_classdetail d ON d.org_id = r.id "
            "LEFT JOIN directory_course c ON c.id = d.course_id"
        ),
    ),
    PERSON: (
        (
            "r.name, r.sex, {birth}, r.username, r.pupil_number, r.staff_number, r.email, r.phone, r.grade, r.national_id_index, "
            "{switch:r.is_active}, {switch:r.is_synthetic}"
        ),
        "directory_person r",
    ),
    AFFILIATION: (
        "p.sourced_id, o.sourced_id, r.role, {switch:r.is_primary}, {begin}, {end}",
        "directory_affiliation r JOIN directory_person p ON p.id = r.person_id JOIN directory_org o ON o.id = r.org_id",
    ),
    ENROLLMENT: (
        "p.sourced_id, o.sourced_id, r.role, {switch:r.is_primary}, {begin}, {end}",
        "directory_enrollment r JOIN directory_person p ON p.id = r.person_id JOIN directory_org o ON o.id = r.class_org_id",
    ),
    LINK: (
        "g.sourced_id, w.sourced_id, r.relation",
        "directory_guardianlink r JOIN directory_person g ON g.id = r.guardian_id JOIN directory_person w ON w.id = r.ward_id",
    ),
}
# Where a kind's rows stand in the tree, and what shows that a row belongs to a finished import.
_PATHS = {ORG: "r.path", COURSE: "o.path", AFFILIATION: "r.org_path", ENROLLMENT: "r.org_path"}


def held_sql(kind: Kind, day: str) -> str:
    """SELECT of the held rows of a kind (see `HELD_COLUMNS`); append a condition with WHERE."""
    columns, source = _HELD[kind]
    return f"SELECT {columns.format(hash=held_hash(), day=_day(day), text='varchar(20)')} FROM {source}"


def cells_sql(kind: Kind, extra: Sequence[str] = ()) -> str:
    """SELECT of id, sourced id and every cell of a kind, then the `extra` columns."""
    columns, source = _CELLS[kind]
    sid = "g.sourced_id || '>' || w.sourced_id" if kind is LINK else "r.sourced_id"
    for name in ("is_rural", "is_active", "is_synthetic", "is_primary"):
        columns = columns.replace(
            f"{{switch:r.{name}}}", f"CASE WHEN r.{name} IS NULL THEN '' WHEN r.{name} THEN 'true' ELSE 'false' END"
        )
    columns = (
        columns.replace("{begin}", _date("r.begin_date"))
        .replace("{end}", _date("r.end_date"))
        .replace("{birth}", _date("r.birth_date"))
    )
    columns = columns.replace("{text:r.school_year}", "CAST(r.school_year AS VARCHAR(4))").replace("{terms}", _terms())
    return f"SELECT {', '.join(['r.id', sid, columns, *extra])} FROM {source}"


def written_since_sql(kind: Kind, imports: Sequence[int]) -> tuple[str, list[Any]]:
    """SELECT of id, kind and sourced id of people and ties that somebody else wrote (see `written_condition`).

    A link is named by its ward, with whose line it comes.
    """
    condition, parameters = written_condition(imports)
    if kind is LINK:
        source = f"w.sourced_id FROM {LINK.table} r JOIN {PERSON.table} w ON w.id = r.ward_id"
        return f"SELECT r.id, '{PERSON.name}', {source} WHERE {condition}", parameters
    return f"SELECT r.id, '{kind.name}', r.sourced_id FROM {kind.table} r WHERE {condition}", parameters


def written_condition(imports: Sequence[int]) -> tuple[str, list[Any]]:
    """The condition that a row was written after the first of the imports: by hand, by a newer one, or by one of the others."""
    first, *later = imports
    others = f" OR r.import_id IN ({', '.join(['%s'] * len(later))})" if later else ""
    return f"(r.import_id IS NULL OR r.import_id > %s{others})", [first, *later]


def branch_condition(kind: Kind, paths: Sequence[str]) -> tuple[str, list[str]]:
    """The condition that a row of `kind` lies in one of the branches; people lie where they are affiliated or enrolled.

    For the whole tree everybody is meant, tied to an org or not.
    """
    if kind in _PATHS:
        return _ranges(_PATHS[kind], paths)
    if kind is PERSON:
        if any(path.count("/") == 1 for path in paths):
            return "true", []
        inside, parameters = _ranges("a.org_path", paths)
        member = " UNION ".join(
            f"SELECT a.person_id FROM {table} a WHERE {inside}" for table in (AFFILIATION.table, ENROLLMENT.table)
        )  # constants
        return f"r.id IN ({member})", parameters * 2
    if kind is LINK:
        inside, parameters = _ranges("a.org_path", paths)
        member = f"SELECT a.person_id FROM {AFFILIATION.table} a WHERE {inside}"
        return f"r.ward_id IN ({member})", parameters
    return "true", []


def _ranges(column: str, paths: Sequence[str]) -> tuple[str, list[str]]:
    parameters = [bound for path in paths for bound in (path, next_path(path))]
    return "(" + (" OR ".join(f"({column} >= %s AND {column} < %s)" for _ in paths) or "false") + ")", parameters


@contextmanager
def unmapped() -> Iterator[None]:
    """Read and write SQLite without mapping its file into memory: a whole region would otherwise stay mapped."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA mmap_size")
        # A database in memory answers nothing.
        size = int((cursor.fetchone() or (0,))[0])
        cursor.execute("PRAGMA mmap_size = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA mmap_size = {size}")


def is_empty(kind: Kind) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {kind.table} LIMIT 1")
        return cursor.fetchone() is None


def copy_to_file(sql: str, parameters: Sequence[Any], path: Path) -> bool:
    """Let PostgreSQL write the answer as CSV, several times faster than row by row; False on other databases."""
    if connection.vendor != "postgresql":
        return False
    with (
        connection.cursor() as cursor,
        path.open("wb") as file,
        cursor.cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)", parameters) as copy,
    ):
        for block in copy:
            file.write(block)
    return True


def fetched(sql: str, parameters: Sequence[Any], names: Sequence[str]) -> Iterator[pa.Table]:
    """The answer in Arrow tables of all-text columns (the first one a number)."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(FETCH):
            columns = list(zip(*rows, strict=True))
            arrays = [pa.array(columns[0], pa.int64())]
            arrays += [
                pa.array([cell if isinstance(cell, str | None) else _word(cell) for cell in column], pa.string())
                for column in columns[1:]
            ]
            yield pa.table(arrays, names=list(names))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def held_hash() -> str:
    """SQL for a row's kept fingerprint in lower-case hexadecimal."""
    return "encode(r.row_hash, 'hex')" if connection.vendor == "postgresql" else "lower(hex(r.row_hash))"


def _day(day: str) -> str:
    return f"DATE '{day}'" if connection.vendor == "postgresql" else f"'{day}'"


def _date(column: str) -> str:
    return f"coalesce(to_char({column}, 'YYYY-MM-DD'), '')" if connection.vendor == "postgresql" else f"coalesce({column}, '')"


def _terms() -> str:
    """The sourced ids of a class's terms, sorted by bytes, joined by commas."""
    if connection.vendor == "postgresql":
        joined = "string_agg(s.sourced_id, ',' ORDER BY s.sourced_id COLLATE \"C\")"
        inner = (
            "directory_classdetail_terms t JOIN directory_academicsession s ON s.id = t.academicsession_id "
            "WHERE t.classdetail_id = r.id"
        )
    else:
        joined = "group_concat(q.sourced_id, ',')"
        inner = (
            "(SELECT s.sourced_id FROM directory_classdetail_terms t JOIN directory_academicsession s ON s.id = "
            "t.academicsession_id "
            "WHERE t.classdetail_id = r.id ORDER BY s.sourced_id) q"
        )
    return f"coalesce((SELECT {joined} FROM {inner}), '')"


def people_tied_elsewhere(ids: Sequence[int], paths: Sequence[str], day: str) -> list[int]:
    """Those of the people who hold an affiliation or enrollment outside all of the branches."""
    return _people_tied(ids, paths, day, "NOT ")


def people_tied_inside(ids: Sequence[int], paths: Sequence[str], day: str) -> list[int]:
    """Those of the people who hold an affiliation or enrollment in one of the branches."""
    return _people_tied(ids, paths, day, "")


def _people_tied(ids: Sequence[int], paths: Sequence[str], day: str, negation: str) -> list[int]:
    inside, parameters = _ranges("a.org_path", paths)
    marks = ", ".join(["%s"] * len(ids))
    condition = f"a.person_id IN ({marks}) AND (a.end_date IS NULL OR a.end_date > {_day(day)}) AND {negation}{inside}"
    sql = " UNION ".join(
        f"SELECT a.person_id FROM {table} a WHERE {condition}" for table in (AFFILIATION.table, ENROLLMENT.table)
    )  # constants
    with connection.cursor() as cursor:
        cursor.execute(sql, [*ids, *parameters] * 2)
        return [row[0] for row in cursor.fetchall()]
