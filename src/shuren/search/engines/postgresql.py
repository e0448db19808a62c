"""Tokens in a tsvector column of `search_entry` under a GIN index."""

from collections.abc import Iterable, Sequence

from django.db import connection

from shuren.search.data import Document
from shuren.search.models import Entry
from shuren.search.rules.queries import Condition, Term


def write(rows: Sequence[tuple[Document, list[str]]]) -> None:
    """Add entries with their tokens; the caller has removed older ones and holds the transaction."""
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY search_entry (kind, object_id, title, text, path, tokens) FROM STDIN") as copy,
    ):
        for row, tokens in rows:
            copy.write_row((row.kind, row.object_id, row.title[:200], row.text[:500], row.path, _vector(tokens)))


def erase(entry_ids: Iterable[int]) -> None:
    Entry.objects.filter(pk__in=list(entry_ids)).delete()


def match(condition: Condition, *, limit: int) -> list[Entry]:
    """Up to `limit` entries that fulfil the condition."""
    query = "SELECT id, kind, object_id, title, text, path FROM search_entry WHERE tokens @@ %s::tsquery LIMIT %s"
    return list(Entry.objects.raw(query, [_expression(condition), limit]))


def _vector(tokens: list[str]) -> str:
    return " ".join(f"'{token}'" for token in tokens)


def _expression(condition: Condition) -> str:
    return " & ".join("(" + " | ".join(map(_quoted, group)) + ")" for group in condition)


def _quoted(term: Term) -> str:
    return f"'{term.text}'" + (":*" if term.is_prefix else "")
