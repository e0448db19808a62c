"""One search over orgs, people, entries of registers and cases, as a page and as suggestions while typing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.casework import api as casework
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page
from shuren.pages.api import number_in
from shuren.search import api as search_index
from shuren.search.data import Hit, Part

_SIZE, _SUGGESTED = 20, 6
_ADDRESS = {"org": "/orgs/{}/", "person": "/people/{}/", "entry": "/entries/{}/", "case": "/cases/{}/"}
Find = Callable[[Actor, str, int, int, datetime], Page[Hit]]


def _in_scope(kind: str, permission: Permission) -> Find:
    def find(actor: Actor, text: str, number: int, size: int, now: datetime) -> Page[Hit]:
        scope = directory.scope_of(actor=actor, permission=permission, now=now)
        return search_index.find(text, scope=scope, kinds=(kind,), limit=size, offset=(number - 1) * size)

    return find


def _entries(actor: Actor, text: str, number: int, size: int, now: datetime) -> Page[Hit]:
    return casework.found_entries(actor=actor, text=text, limit=size, offset=(number - 1) * size, now=now)


def _cases(actor: Actor, text: str, number: int, size: int, now: datetime) -> Page[Hit]:
    return casework.found_cases(actor=actor, text=text, number=number, size=size, now=now)


FINDERS: Mapping[str, Find] = {
    "org": _in_scope("org", Permission.VIEW_ORGS),
    "person": _in_scope("person", Permission.VIEW_PEOPLE),
    "entry": _entries,
    "case": _cases,
}
# While somebody types nothing is asked that has no index of its own.
_SUGGESTED_KINDS = ("org", "person", "entry")


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit as the page draws it; `path` names the orgs above."""

    title: str
    title_parts: tuple[Part, ...]
    url: str
    kind: str
    path: tuple[str, ...]
    note: str


@never_cache
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:60]
    if not text:
        return render(request, "front/search.html", {"search_text": "", "hits": _nothing()})
    actor, now = actor_of(request), clock.now()
    number = _number(request)
    found = {kind: find(actor, text, number, _SIZE, now) for kind, find in FINDERS.items()}
    kind = _chosen_kind(request, found)
    context = {
        "search_text": text,
        "hits": _shown_page(found[kind], now),
        "kinds": [
            {
                "label": _kind_word(name),
                "value": name,
                "url": "?" + urlencode({"q": text, "kind": name}),
                "count": page.total,
                "is_current": name == kind,
            }
            for name, page in found.items()
        ],
    }
    return render(request, "front/search.html", context)


@never_cache
@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """The best few hits for the box in the header: orgs, then people, then entries of registers."""
    text = request.GET.get("q", "").strip()[:60]
    actor, now = actor_of(request), clock.now()
    hits: list[Hit] = []
    if text:
        for kind in _SUGGESTED_KINDS:
            hits.extend(FINDERS[kind](actor, text, 1, _SUGGESTED, now).rows)
    context = {"search_text": text, "hits": _shown(hits), "all_url": "/search/?" + urlencode({"q": text})}
    return render(request, "front/_suggestions.html", context)


def _chosen_kind(request: HttpRequest, found: Mapping[str, Page[Hit]]) -> str:
    """The kind asked for, else the first that has hits."""
    wanted = request.GET.get("kind", "")
    return wanted if wanted in found else next((kind for kind, page in found.items() if page.total), "org")


def _number(request: HttpRequest) -> int:
    return number_in(request.GET.get("page", "1"), most=99) or 1


def _kind_word(kind: str) -> str:
    return {"org": _("机构"), "person": _("人员"), "entry": _("台账"), "case": _("办件")}[kind]


def _nothing() -> Page[ShownHit]:
    return Page(rows=[], total=0, is_exact=True, number=1, size=20)


def _shown_page(page: Page[Hit], now: datetime) -> Page[ShownHit]:
    return Page(rows=_shown(page.rows), total=page.total, is_exact=page.is_exact, number=page.number, size=page.size)


def _shown(hits: list[Hit]) -> list[ShownHit]:
    above = directory.orgs_by_ids({org_id for hit in hits for org_id in _chain(hit.path)})
    return [
        ShownHit(
            title=hit.title,
            title_parts=hit.title_parts,
            url=_ADDRESS[hit.kind].format(ids.encode(hit.kind, hit.object_id)),
            kind=_kind_word(hit.kind),
            path=_names(hit, above),
            note=_note(hit),
        )
        for hit in hits
    ]


def _note(hit: Hit) -> str:
    """A person's number, the register and number of an entry, the number of a case."""
    return "" if hit.kind == "org" else hit.text.split(" ", 1)[0] if hit.kind == "person" else hit.text


def _chain(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part]


def _names(hit: Hit, above: Mapping[int, OrgData]) -> tuple[str, ...]:
    """Names of the orgs around the hit, without itself and without the region that everything lies in."""
    chain = [org_id for org_id in _chain(hit.path) if not (hit.kind == "org" and org_id == hit.object_id)]
    return tuple(above[org_id].short_name or above[org_id].name for org_id in chain[1:] if org_id in above)
