"""Sums and single statements out of the lake, as it stood within the hour."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from shuren.datahub import api as datahub
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import next_path
from shuren.records.data import StatementCount, StatementFilter, StatementLine

DATASET = "records.statement"
_MOST = 20_000
_AT_ONCE = 1_000
_LINE = (
    "stored, seq, client AS client_id, person_id, org_path, verb, activity, activity_name, success, completion, score, seconds"
)


def counts_by_day(asked: StatementFilter) -> list[StatementCount]:
    """What each client told on each day, the newest first; at most 20,000 lines."""
    where, params = conditions_of(asked)
    rows = rows_of(
        "SELECT day, client AS client_id, count(*) AS statements, count(DISTINCT person_id) AS people, "  # noqa: S608  # no value
        "count(DISTINCT CASE WHEN activity = '' THEN NULL ELSE activity END) AS activities, max(stored) AS last_stored "
        f"FROM records_statement WHERE {where} GROUP BY day, client ORDER BY day DESC, statements DESC, client_id LIMIT {_MOST}",
        params,
    )
    return [StatementCount(**row | {"day": day_in(row["day"])}) for row in rows]


def page_of_lines(asked: StatementFilter, *, cursor: str, size: int) -> tuple[list[StatementLine], str]:
    """Statements from new to old after the place `cursor`, and where the next page begins, empty at the end."""
    where, params = conditions_of(asked)
    place = _place(cursor)
    if place is not None:
        where += " AND (stored < ? OR (stored = ? AND seq < ?))"
        params += [place[0], place[0], place[1]]
    sql = f"SELECT {_LINE} FROM records_statement WHERE {where} ORDER BY stored DESC, seq DESC LIMIT {size + 1}"  # noqa: S608  # no value
    found = [StatementLine(**row) for row in rows_of(sql, params)]
    following = f"{found[size - 1].stored.isoformat()}|{found[size - 1].seq}" if len(found) > size else ""
    return found[:size], following


def stream_of_lines(asked: StatementFilter) -> Iterator[StatementLine]:
    cursor = ""
    while True:
        found, cursor = page_of_lines(asked, cursor=cursor, size=_AT_ONCE)
        yield from found
        if not cursor:
            return


def clients_and_verbs(asked: StatementFilter) -> tuple[list[str], list[str]]:
    """Which clients and verbs there are to choose from, the most frequent first."""
    where, params = conditions_of(asked)
    found = []
    for column in ("client", "verb"):
        counted = f"SELECT {column} AS word, count(*) AS n FROM records_statement WHERE {where}"  # noqa: S608  # no value
        sql = f"{counted} GROUP BY {column} ORDER BY n DESC LIMIT 200"
        found.append([row["word"] for row in rows_of(sql, params)])
    return found[0], found[1]


def rows_of(sql: str, params: list[object]) -> list[dict[str, Any]]:
    """The answer of the lake; none before anything was ever written."""
    try:
        found: list[dict[str, Any]] = datahub.query(sql, params=params, datasets=[DATASET]).to_pylist()
    except NotFound:
        return []
    return found


def conditions_of(asked: StatementFilter) -> tuple[str, list[object]]:
    """The text behind WHERE, and its values in their order."""
    conditions, params = ["1 = 1"], list[object]()
    if asked.paths is not None:
        conditions.append("(" + " OR ".join(["(org_path >= ? AND org_path < ?)" for _path in asked.paths] or ["1 = 0"]) + ")")
        params += [bound for path in asked.paths for bound in (path, next_path(path))]
    for column, operator, value in (
        ("day", ">=", asked.since and asked.since.isoformat()),
        ("day", "<=", asked.until and asked.until.isoformat()),
        ("client", "=", asked.client_id),
        ("verb", "=", asked.verb),
    ):
        if value:
            conditions.append(f"{column} {operator} ?")
            params.append(value)
    if asked.person_ids is not None:
        conditions.append(f"person_id IN ({', '.join('?' for _id in asked.person_ids) or 'NULL'})")
        params += asked.person_ids
    return " AND ".join(conditions), params


def day_in(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _place(cursor: str) -> tuple[datetime, int] | None:
    at, bar, seq = cursor.partition("|")
    try:
        return (datetime.fromisoformat(at), int(seq)) if bar else None
    except ValueError:
        return None
