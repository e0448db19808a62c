"""Tokens in an FTS5 table whose rows share the ids of `search_entry`."""

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Max

from shuren.search.data import Document
from shuren.search.models import Entry
from shuren.search.rules.queries import Condition, Term


def write(rows: Sequence[tuple[Document, list[str]]]) -> None:
    """Add entries with their tokens; the caller has removed older ones and holds the transaction.

    Tokens of an entry that is gone (Django's `flush` empties its own tables only) are replaced when its id comes up again.
    """
    first = (Entry.objects.aggregate(last=Max("id"))["last"] or 0) + 1
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO search_entry (id, kind, object_id, title, text, path) VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (first + at, row.kind, row.object_id, row.title[:200], row.text[:500], row.path)
                for at, (row, _tokens) in enumerate(rows)
            ],
        )
        cursor.executemany(
            "INSERT OR REPLACE INTO search_tokens (rowid, tokens) VALUES (%s, %s)",
            [(first + at, " ".join(tokens)) for at, (_row, tokens) in enumerate(rows)],
        )


def erase(entry_ids: Iterable[int]) -> None:
    wanted = [(entry_id,) for entry_id in entry_ids]
    with connection.cursor() as cursor:
        cursor.executemany("DELETE FROM search_tokens WHERE rowid = %s", wanted)
        cursor.executemany("DELETE FROM search_entry WHERE id = %s", wanted)


def match(condition: Condition, *, limit: int) -> list[Entry]:
    """Up to `limit` entries that fulfil the condition, oldest entries first."""
    query = (
        "SELECT e.id, e.kind, e.object_id, e.title, e.text, e.path FROM search_tokens "
        "JOIN search_entry e ON e.id = search_tokens.rowid WHERE search_tokens MATCH %s LIMIT %s"
    )
    return list(Entry.objects.raw(query, [_expression(condition), limit]))


def _expression(condition: Condition) -> str:
    return " AND ".join("(" + " OR ".join(map(_quoted, group)) + ")" for group in condition)


def _quoted(term: Term) -> str:
    return f'"{term.text}"' + ("*" if term.is_prefix else "")
