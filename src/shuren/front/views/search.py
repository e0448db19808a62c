"""One search over orgs and people, as a page and as suggestions while typing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page
from shuren.kernel.scope import Scope
from shuren.search import api as search_index
from shuren.search.data import Hit, Part

KINDS = {"org": Permission.VIEW_ORGS, "person": Permission.VIEW_PEOPLE}
_ADDRESS = {"org": "/orgs/{}/", "person": "/people/{}/"}
_SUGGESTED = 6


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
    scopes = _scopes(actor, now)
    found = {kind: search_index.find(text, scope=scope, kinds=(kind,), offset=_offset(request)) for kind, scope in scopes.items()}
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
    """The best few hits for the box in the header, orgs before people."""
    text = request.GET.get("q", "").strip()[:60]
    actor, now = actor_of(request), clock.now()
    hits: list[Hit] = []
    if text:
        for kind, scope in _scopes(actor, now).items():
            hits.extend(search_index.find(text, scope=scope, kinds=(kind,), limit=_SUGGESTED).rows)
    context = {"search_text": text, "hits": _shown(hits), "all_url": "/search/?" + urlencode({"q": text})}
    return render(request, "front/_suggestions.html", context)


def _scopes(actor: Actor, now: datetime) -> Mapping[str, Scope]:
    return {kind: directory.scope_of(actor=actor, permission=permission, now=now) for kind, permission in KINDS.items()}


def _chosen_kind(request: HttpRequest, found: Mapping[str, Page[Hit]]) -> str:
    """The kind asked for, else the first that has hits."""
    wanted = request.GET.get("kind", "")
    return wanted if wanted in found else next((kind for kind, page in found.items() if page.total), "org")


def _offset(request: HttpRequest) -> int:
    number = request.GET.get("page", "1")
    return (int(number) - 1) * 20 if number.isdecimal() and 0 < int(number) < 100 else 0


def _kind_word(kind: str) -> str:
    return _("机构") if kind == "org" else _("人员")


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
            note=hit.text.split(" ", 1)[0] if hit.kind == "person" else "",
        )
        for hit in hits
    ]


def _chain(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part]


def _names(hit: Hit, above: Mapping[int, OrgData]) -> tuple[str, ...]:
    """Names of the orgs around the hit, without itself and without the region that everything lies in."""
    chain = [org_id for org_id in _chain(hit.path) if not (hit.kind == "org" and org_id == hit.object_id)]
    return tuple(above[org_id].short_name or above[org_id].name for org_id in chain[1:] if org_id in above)
