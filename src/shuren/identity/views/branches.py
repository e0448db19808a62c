"""The frame of pages that go branch by branch: begin at the first branch in reach, walk down, find people in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, PersonData
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.kernel.paging import Page
from shuren.pages import api as pages
from shuren.pages.data import ListQuery, ListSpec

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BranchWalk:
    """Pages of one duty: who holds `permission` walks the branches of their reach at the URL named `page`."""

    permission: Permission
    page: str
    template: str
    refusal: str | Promise
    remedy: str | Promise

    def begin(self, request: HttpRequest) -> HttpResponse:
        """Lead to the top of the first branch in reach; `Refused` where there is none."""
        scope = directory.scope_of(actor=actor_of(request), permission=self.permission, now=clock.now())
        if not scope.paths:
            raise Refused(str(self.refusal), remedy=str(self.remedy))
        top = int(scope.paths[0].rstrip("/").rsplit("/", 1)[-1])
        return redirect(self.page, org_id=ids.encode("org", top))

    def access(self, actor: Actor, org_id: str) -> OrgData:
        """The branch named in the address; `NotFound` out of reach."""
        return directory.access_org(actor=actor, id=ids.decode("org", org_id), permission=self.permission, now=clock.now())

    def show(self, request: HttpRequest, org: OrgData, spec: ListSpec[Any]) -> HttpResponseBase:
        """The list of one branch, with the way up and the ways down."""
        context: Mapping[str, object] = {
            "org": org,
            "page": self.page,
            "children": directory.children_of(org.id),
            "breadcrumbs": self._trail(actor_of(request), org),
        }
        return pages.render_list(request, spec, template=self.template, context=context)

    def _trail(self, actor: Actor, org: OrgData) -> list[dict[str, str]]:
        scope = directory.scope_of(actor=actor, permission=self.permission, now=clock.now())
        chain = [above for above in directory.ancestors_of(org.id) if scope.covers(above.path)]
        return [
            {"label": above.short_name or above.name, "url": reverse(self.page, args=[above.public_id])}
            for above in (*chain, org)
        ]


def page_of_some(
    found: Sequence[int], query: ListQuery, rows: Callable[[list[PersonData]], list[Row]], *, limit: int | None = None
) -> Page[Row]:
    """A page of the few people `found`, in their order, whose name or number holds what is searched for.

    At `limit` there may be more than were found.
    """
    people = directory.people_by_ids(found) if query.search else {}
    if query.search:
        found = [key for key in found if key in people and query.search in f"{people[key].name} {people[key].number}"]
    start = (query.number - 1) * query.size
    shown = found[start : start + query.size]
    people = people or directory.people_by_ids(shown)
    return Page(
        rows=rows([people[key] for key in shown if key in people]),
        total=len(found),
        is_exact=limit is None or len(found) < limit,
        number=query.number,
        size=query.size,
    )


def ticked(request: HttpRequest) -> list[int]:
    """The people ticked in such a list."""
    return [ids.decode("person", text) for text in request.POST.getlist("ids")]
