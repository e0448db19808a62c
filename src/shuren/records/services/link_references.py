"""Statements about statements: who speaks of whom, over others in between, and who is voided by whom.

The one spoken of may come later, or never; nothing here asks for an order. Chains are kept whole, so that a query looks
one step far. A statement is voided by what its own authority says, and by whoever may do everything here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from shuren.kernel import moments
from shuren.kernel.errors import Refused
from shuren.records.rules.facts import VOIDED_VERB
from shuren.records.services.write_lake import note_changed

_NEW = """
    INSERT INTO records_reference (statement_id, target_id, stored, seq, is_direct, is_voiding) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_FURTHER = """
    INSERT INTO records_reference (statement_id, target_id, stored, seq, is_direct, is_voiding)
    SELECT DISTINCT near.statement_id, far.target_id, near.stored, near.seq, {false}, {false}
    FROM records_reference near JOIN records_reference far ON far.statement_id = near.target_id
    WHERE (near.statement_id = %s OR near.target_id = %s) AND near.statement_id <> far.target_id
    ON CONFLICT DO NOTHING
"""
_VOID = """
    UPDATE records_statement SET is_voided = {true}
    WHERE (stored, seq) IN (
        SELECT k.stored, k.seq FROM records_statementkey k JOIN records_statement o ON o.stored = k.stored AND o.seq = k.seq
        WHERE k.statement_id IN ({marks})
          AND EXISTS (
              SELECT 1 FROM records_reference r JOIN records_statement v ON v.stored = r.stored AND v.seq = r.seq
              WHERE r.target_id = k.statement_id AND r.is_voiding AND (%s OR v.authority = o.authority)
          )
    ) AND verb <> %s AND NOT is_voided RETURNING stored
"""
_FOREIGN = """
    SELECT 1 FROM records_statementkey k JOIN records_statement s ON s.stored = k.stored AND s.seq = k.seq
    WHERE k.statement_id IN ({marks}) AND s.authority <> %s AND s.verb <> %s LIMIT 1
"""
_AT_ONCE = 900


@dataclass(frozen=True, slots=True)
class Link:
    """A statement that is about another one."""

    id: str
    seq: int
    target: str
    is_voiding: bool


def refuse_foreign_voiding(links: Sequence[Link], *, authority: str) -> None:
    """Raise `Refused` for a link that voids what another authority said (1.0.3 Data 2.3.2)."""
    with connection.cursor() as cursor:
        for some in _some(link.target for link in links if link.is_voiding):
            cursor.execute(_marked(_FOREIGN, len(some)), [*some, authority, VOIDED_VERB])
            if cursor.fetchone() is not None:
                raise Refused("A statement is voided by the authority that it was stored with, or with the scope all.")


def link_references(*, stored: datetime, awaited: Sequence[str], links: Sequence[Link], voids_all: bool = False) -> None:
    """After the rows were written, in the same transaction; `awaited` are those of which somebody may have spoken before.

    With `voids_all` the links void whatever is there, whoever said it.
    """
    moment = moments.stored(stored)
    with connection.cursor() as cursor:
        for link in links:
            source, target = _key(link.id), _key(link.target)
            cursor.execute(_NEW, [source, target, moment, link.seq, True, link.is_voiding])
        for link in links:
            _close(_key(link.id))
    for some in _some(awaited):
        _void(some, whoevers=False)
    for some in _some(link.target for link in links if link.is_voiding):
        _void(some, whoevers=voids_all)


def _close(source: str) -> None:
    """Lead every chain through this statement on to its end: each round reaches twice as far."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_marked(_FURTHER, 0), [source, source])
            if cursor.rowcount <= 0:
                return


def _void(targets: Sequence[str], *, whoevers: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_marked(_VOID, len(targets)), [*targets, whoevers, VOIDED_VERB])
        note_changed([moments.loaded(stored) for (stored,) in cursor.fetchall()])


def _some(ids: Iterable[str]) -> Iterable[list[str]]:
    keys = [_key(one) for one in ids]
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


def _marked(sql: str, count: int) -> str:
    is_postgresql = connection.vendor == "postgresql"
    marks = ", ".join(["%s::uuid" if is_postgresql else "%s"] * count)
    false, true = ("false", "true") if is_postgresql else ("0", "1")
    return sql.format(marks=marks, false=false, true=true)


def _key(text: str) -> str:
    """A UUID as the database compares it."""
    return text if connection.vendor == "postgresql" else text.replace("-", "")
