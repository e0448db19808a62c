"""Reads of statements, in plain SQL.

A filter that several places of a statement may meet is a union of narrow reads, each along one index in the order of
`stored`, and each cut at the limit; so a page costs the same however much is stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from django.db import connection

from shuren.kernel.moments import loaded, stored
from shuren.records.rules.queries import StatementQuery

_AT_ONCE = 900
_REFERRING = (
    "records_reference r JOIN records_statementkey k ON k.statement_id = r.target_id "
    "JOIN records_statement t ON t.stored = k.stored AND t.seq = k.seq "
    "JOIN records_statement s ON s.stored = r.stored AND s.seq = r.seq"
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the place of its last statement in the order of storing."""

    stored: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Statements as JSON, and where to go on, None at the end."""

    bodies: list[bytes]
    next: Position | None


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """One statement as JSON."""

    body: bytes
    stored: datetime


def statement_page(query: StatementQuery, *, after: Position | None = None) -> StatementPage:
    """Statements that are not voided, in the order asked for; those about a statement that meets the filters among them."""
    sql, params = _page_sql(query, after)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    rows = found[: query.limit]
    last = rows[-1] if len(found) > query.limit else None
    return StatementPage([body.encode() for _at, _seq, body in rows], Position(loaded(last[0]), last[1]) if last else None)


def statement_by_id(statement_id: str, *, is_voided: bool, own: str = "", person_id: int | None = None) -> KeptStatement | None:
    """One statement by its id in lower case, if it is voided, or if it is not; `own` and `person_id` as in `StatementQuery`."""
    sql = (
        "SELECT s.body, s.stored FROM records_statementkey k "
        "JOIN records_statement s ON s.stored = k.stored AND s.seq = k.seq WHERE k.statement_id = %s AND s.is_voided = %s"
    )
    params: list[Any] = [_key(statement_id), is_voided]
    if own:
        sql += " AND s.authority = %s"
        params.append(own)
    if person_id is not None:
        sql += " AND s.person_id = %s"
        params.append(person_id)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
    return KeptStatement(row[0].encode(), loaded(row[1])) if row else None


def bodies_by_ids(statement_ids: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
    """Digest and JSON of kept statements by their ids in lower case; of one that was taken out since, no JSON."""
    found: dict[str, tuple[bytes, bytes]] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(statement_ids), _AT_ONCE):
            some = statement_ids[start : start + _AT_ONCE]
            marks = ", ".join(["%s"] * len(some))
            cursor.execute(
                "SELECT k.statement_id, k.digest, s.body FROM records_statementkey k "  # noqa: S608  # marks only
                "LEFT JOIN records_statement s ON s.stored = k.stored AND s.seq = k.seq "
                f"WHERE k.statement_id IN ({marks})",
                [_key(one) for one in some],
            )
            by_key = {_key(one): one for one in some}
            for key, digest, body in cursor.fetchall():
                found[by_key[str(key)]] = (bytes(digest), (body or "").encode())
    return found


def _page_sql(query: StatementQuery, after: Position | None) -> tuple[str, list[Any]]:
    direction = "ASC" if query.is_ascending else "DESC"
    bounds, bound_params = _bounds(query, after)
    reads, params = list[str](), list[Any]()
    for alias, source in (("s", "records_statement s"), ("t", _REFERRING)):
        if alias == "t" and not query.is_filtered:
            continue
        for ways in product(query.agents or (None,), query.activities or (None,)):
            joins, conditions, way_params = _met(alias, ways, query)
            where = " AND ".join([*bounds, *conditions])
            reads.append(
                f"SELECT * FROM (SELECT s.stored AS at, s.seq AS number FROM {source}{joins} WHERE {where} "  # noqa: S608  # no value
                f"ORDER BY s.stored {direction}, s.seq {direction} LIMIT {query.limit + 1}) AS read{len(reads)}"
            )
            params += [*bound_params, *way_params]
    found = " UNION ".join(reads)
    sql = (
        f"SELECT s.stored, s.seq, s.body FROM (SELECT * FROM ({found}) AS every "  # noqa: S608  # no value
        f"ORDER BY at {direction}, number {direction} LIMIT {query.limit + 1}) AS page "
        f"JOIN records_statement s ON s.stored = page.at AND s.seq = page.number ORDER BY s.stored {direction}, s.seq {direction}"
    )
    return sql, params


def _bounds(query: StatementQuery, after: Position | None) -> tuple[list[str], list[Any]]:
    """What holds of the statement itself, whatever it is found by."""
    conditions, params = ["NOT s.is_voided"], list[Any]()
    if query.since is not None:
        conditions.append("s.stored > %s")
        params.append(stored(query.since))
    if query.until is not None:
        conditions.append("s.stored <= %s")
        params.append(stored(query.until))
    if query.own:
        conditions.append("s.authority = %s")
        params.append(query.own)
    if query.person_id is not None:
        conditions.append("s.person_id = %s")
        params.append(query.person_id)
    if after is not None:
        conditions.append(f"(s.stored, s.seq) {'>' if query.is_ascending else '<'} (%s, %s)")
        params += [stored(after.stored), after.seq]
    return conditions, params


def _met(alias: str, ways: Iterable[tuple[str, str] | None], query: StatementQuery) -> tuple[str, list[str], list[Any]]:
    """Joins, conditions and parameters by which `alias` meets the filters along these ways."""
    joins, conditions, params = "", list[str](), list[Any]()
    for number, way in enumerate(ways):
        if way is None:
            continue
        column, value = way
        if column == "mention":
            joins += f" JOIN records_mention m{number} ON m{number}.stored = {alias}.stored AND m{number}.seq = {alias}.seq"
            conditions.append(f"m{number}.key = %s")
        else:
            conditions.append(f"{alias}.{column} = %s")
        params.append(value)
    if query.verb:
        conditions.append(f"{alias}.verb = %s")
        params.append(query.verb)
    if query.registration:
        conditions.append(f"{alias}.registration = %s")
        params.append(_key(query.registration))
    return joins, conditions, params


def _key(text: str) -> str:
    """A UUID as the database compares it."""
    return text if connection.vendor == "postgresql" else text.replace("-", "")
