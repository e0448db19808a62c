"""Finding, always inside a scope."""

from shuren.kernel.paging import Page
from shuren.kernel.scope import Scope
from shuren.search.data import Hit
from shuren.search.engines.chosen import engine
from shuren.search.models import Entry
from shuren.search.rules import queries

# Nobody reads further: beyond this many the page says "more than", and asks for another word.
MAX_CANDIDATES = 300


def find(text: str, *, scope: Scope, kinds: tuple[str, ...] = (), limit: int = 20, offset: int = 0) -> Page[Hit]:
    """Documents inside `scope` that match `text`: whole matches first, then beginnings, then all words inside.

    Within one rank shorter titles come first. The total is exact below 300 and a lower bound from there.
    """
    limit = min(max(limit, 1), MAX_CANDIDATES)
    number = offset // limit + 1
    if scope.is_empty:
        return Page(rows=[], total=0, is_exact=True, number=number, size=limit)
    found = _candidates(text, scope=scope, kinds=kinds, wanted=MAX_CANDIDATES if offset or limit >= 20 else limit * 4)
    rows = [_hit(entry, text) for entry in found[offset : offset + limit]]
    is_exact = len(found) < MAX_CANDIDATES
    return Page(rows=rows, total=len(found), is_exact=is_exact, number=number, size=limit)


def _candidates(text: str, *, scope: Scope, kinds: tuple[str, ...], wanted: int) -> list[Entry]:
    bounds = queries.within(scope, kinds)
    found: dict[int, Entry] = {}
    for condition in queries.stages(text):
        entries = engine().match((*condition, *bounds), limit=wanted)
        fresh = [entry for entry in entries if entry.pk not in found]
        fresh.sort(key=lambda entry: (len(entry.title), entry.title, entry.pk))
        found.update((entry.pk, entry) for entry in fresh)
        if len(found) >= wanted:
            break
    return list(found.values())[:wanted]


def _hit(entry: Entry, text: str) -> Hit:
    return Hit(
        kind=entry.kind,
        object_id=entry.object_id,
        title=entry.title,
        text=entry.text,
        path=entry.path,
        title_parts=queries.title_parts(entry.kind, entry.title, text),
    )
