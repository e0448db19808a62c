"""A walk over one page of every kind that a person reaches by links."""

import re
from collections.abc import Iterator

from playwright.sync_api import Page, Response

# The letters of public ids, which leave out i, l, o and u: a word in a path is no id.
ID = re.compile(r"(?<=/)[0-9a-hjkmnp-tv-z]{13}(?=/)")
# Definitions are called by their keys: `infra.link`, and packs by the first part.
KEY = re.compile(r"(?<=/)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+(?=/)|(?<=^/packs/)[a-z_]+(?=/)")
LEFT_OUT = re.compile(
    r"[?#]|\.(pdf|xlsx|csv|json|geojson|zip|crl|cer|pem|jwt|nq|ndjson|rdf|ttl|jsonld|parquet)$|/(template|workbook|api|static|tile)/|^mailto:|/suggest/"
    r"|/(bpmn|csv|geojson|json|parquet|receipt)/|^/attachments/"
    r"|^/(credentials|achievements|status-lists|evidence)/[\w-]+$|^/apps/[^/]+/open/|^/audit/evidence/"
)
FIRST = ("/", "/account/", "/account/password/", "/views/", "/notices/", "/search/?q=四", "/no-such-page/")
# Besides the kinds of pages: a report of each level is a page of its own kind.
DEPTHS = 3


def kind_of(path: str) -> str:
    return KEY.sub("*", ID.sub("*", path))


def walk(page: Page, met: set[str] | None = None, *, known: frozenset[str] = frozenset()) -> Iterator[Response]:
    """Open one page of every kind that can be reached by links, reports of every level included.

    Kinds that are `known` are not opened unless the walk begins there; `met` is told of every kind.
    """
    seen: dict[str, int] = {}
    begin = list(FIRST) + _links(page, "nav[data-nav] a")
    waiting = list(begin)
    done: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        kind, limit = kind_of(path), DEPTHS if path.startswith("/reports/") else 2 if path.startswith("/orgs/") else 1
        if path in done or seen.get(kind, 0) >= limit:
            continue
        done.add(path)
        seen[kind] = seen.get(kind, 0) + 1
        if met is not None:
            met.add(kind)
        if kind in known and path not in begin:
            continue
        answer = page.goto(path)
        assert answer is not None
        yield answer
        found = _links(page, "main a")
        waiting = [*(link for link in found if link.startswith("/reports/")), *waiting, *found]


def _links(page: Page, where: str) -> list[str]:
    every = page.locator(where).evaluate_all("links => links.map(link => link.getAttribute('href') || '')")
    return [path for path in dict.fromkeys(every) if path.startswith("/") and not LEFT_OUT.search(path)]
