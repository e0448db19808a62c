"""Searching the audit trail at any size: every page is cut from index ranges, none counts or skips rows.

A search becomes lanes, each an equality on the leading columns of one index, newest first; a page is the merge of the
heads of all lanes below a cursor. Which actions and names begin with a prefix is asked by hopping along the index from
one value to the next, so that it costs as many steps as there are values, however many rows carry them. Both, the hops
and the heads, are one question to the database, whatever the number of values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db import connection
from django.db.models import Q, QuerySet

from shuren.kernel.models import AuditEntry
from shuren.trust.data import AuditSearch

LANE_LIMIT = 150
_NAME_LIMIT = 30
_AT_ONCE = 2_000

Lane = dict[str, str]
Key = tuple[datetime, int]

# One index seek a value: min() of what lies above the last one.
_HOPS = """
    WITH RECURSIVE hop(value) AS (
        SELECT (SELECT min({column}) FROM kernel_auditentry WHERE {column} >= %(first)s AND {within})
        UNION ALL
        SELECT (SELECT min({column}) FROM kernel_auditentry WHERE {column} > hop.value AND {within})
        FROM hop WHERE hop.value IS NOT NULL
    )
    SELECT value FROM hop WHERE value IS NOT NULL LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first; `next_cursor` leads to older ones, empty at the end.

    `has_too_many_names` says that more names or actions begin so than are looked through: write more of it. `broken` names
    files of the archive that could not be read.
    """

    rows: list[AuditEntry]
    next_cursor: str
    has_too_many_names: bool = False
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lanes:
    lanes: list[Lane]
    rest: Q = field(default_factory=Q)
    is_cut: bool = False


def audit_page(search: AuditSearch, *, before: str = "", size: int = 50) -> AuditPage:
    """The newest `size` entries that fit, below the cursor `before` of an earlier page; callers checked the right to look."""
    found = _lanes_of(search)
    keys = _newest([_keys(lane, found.rest, search, before)[: size + 1] for lane in found.lanes], size + 1)
    rows = AuditEntry.objects.in_bulk([key for _at, key in keys[:size]])
    cursor = f"{keys[size - 1][0].isoformat()}_{keys[size - 1][1]}" if len(keys) > size else ""
    return AuditPage(
        rows=[rows[key] for _at, key in keys[:size] if key in rows], next_cursor=cursor, has_too_many_names=found.is_cut
    )


def audit_stream(search: AuditSearch) -> Iterator[AuditEntry]:
    """Every entry that fits, newest first, page by page."""
    before = ""
    while True:
        page = audit_page(search, before=before, size=_AT_ONCE)
        yield from page.rows
        before = page.next_cursor
        if not before:
            return


def _lanes_of(search: AuditSearch) -> _Lanes:
    """Which index to walk: that of the target if one is named, else of the person, else of the action, else of time."""
    if search.target:
        rest = _of_action(search) & _prefix("actor_name", search.actor_name)
        return _Lanes([{"target": search.target}], rest)
    if search.actor_name:
        names = _values("actor_name", search.actor_name, _NAME_LIMIT + 1)
        return _Lanes(*_lanes_of_names(names[:_NAME_LIMIT], search), is_cut=len(names) > _NAME_LIMIT)
    if search.actions or search.action:
        lanes = [{"action": action} for action in _actions_of(search, LANE_LIMIT + 1)]
        return _Lanes(lanes[:LANE_LIMIT], is_cut=len(lanes) > LANE_LIMIT)
    return _Lanes([{}])


def _lanes_of_names(names: list[str], search: AuditSearch) -> tuple[list[Lane], Q]:
    """One lane a name; one a name and action where an action is asked for and that does not make too many."""
    if search.actions or search.action:
        lanes: list[Lane] = []
        for name in names:
            lanes += [{"actor_name": name, "action": value} for value in _actions_of(search, LANE_LIMIT, name)]
            if len(lanes) > LANE_LIMIT:
                break
        else:
            return lanes, Q()
    return [{"actor_name": name} for name in names], _of_action(search)


def _of_action(search: AuditSearch) -> Q:
    return Q(action__in=search.actions) if search.actions else _prefix("action", search.action)


def _actions_of(search: AuditSearch, limit: int, actor_name: str | None = None) -> Sequence[str]:
    return search.actions or _values("action", search.action, limit, actor_name)


def _prefix(name: str, prefix: str) -> Q:
    return Q(**{f"{name}__gte": prefix, f"{name}__lt": next_prefix(prefix)}) if prefix else Q()


def next_prefix(prefix: str) -> str:
    """The smallest text above all that begins so, in the order of bytes; surrogates are no letters and are stepped over."""
    code = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if code == 0xD800 else min(code, 0x10FFFF))


def _values(column: str, prefix: str, limit: int, actor_name: str | None = None) -> list[str]:
    """Distinct values of a column that begin with `prefix`, in order; of one person's entries where a name is given."""
    within = f"{column} < %(end)s" + ("" if actor_name is None else " AND actor_name = %(name)s")
    words = {"first": prefix, "end": next_prefix(prefix), "name": actor_name, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_HOPS.format(column=column, within=within), words)
        return [value for (value,) in cursor.fetchall()]


def _keys(lane: Lane, rest: Q, search: AuditSearch, before: str) -> QuerySet[AuditEntry, Key]:
    """(moment, id) of one lane's entries below the cursor, newest first."""
    rows = AuditEntry.objects.filter(rest, **lane)
    if search.since:
        rows = rows.filter(at__gte=search.since)
    if search.until:
        rows = rows.filter(at__lte=search.until)
    cursor = read_cursor(before)
    if cursor:
        at, key = cursor
        # The first condition bounds the index range; the second settles entries of the same moment.
        rows = rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(pk__lt=key))
    return rows.order_by("-at", "-pk").values_list("at", "pk")


def _newest(lanes: list[QuerySet[AuditEntry, Key]], size: int) -> list[Key]:
    """The newest over all lanes. SQLite cuts no branch of a union, and asks itself for nothing: lane by lane there."""
    if connection.features.supports_slicing_ordering_in_compound and len(lanes) > 1:
        return list(lanes[0].union(*lanes[1:], all=True).order_by("-at", "-pk")[:size])
    return list(islice(merge(*lanes, reverse=True), size))


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """The place a cursor names; None for an empty one or one that cannot be read, which begins at the newest."""
    moment, _line, key = text.rpartition("_")
    try:
        at = datetime.fromisoformat(moment)
        return (at, int(key)) if at.tzinfo is not None and len(key) < 19 else None
    except ValueError:
        return None
