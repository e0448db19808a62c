"""Reads of identity providers."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.identity.models import Upstream, UpstreamLink
from shuren.identity.selectors.cas import sign_in_scope
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, path_q

_OFFERED = 30


@dataclass(frozen=True, slots=True)
class UpstreamLinkData:
    """A link to an account elsewhere, as its owner sees it."""

    public_id: str
    name: str
    org_name: str
    linked_at: datetime


def open_upstream(public_id: str) -> Upstream:
    """The enabled provider a stranger names at the door; otherwise `NotFound`."""
    pk = ids.decode("upstream", public_id)
    row = Upstream.objects.select_related("org").filter(pk=pk, is_enabled=True).first()
    if row is None:
        raise NotFound(_("这里没有这种登录方式。"))
    return row


def offered_upstreams(search: str) -> list[Upstream]:
    """Enabled providers whose name or org holds the words, the first of them."""
    rows = Upstream.objects.select_related("org").filter(is_enabled=True).order_by("org__depth", "name")
    if search:
        rows = rows.filter(Q(name__contains=search) | Q(org__name__contains=search))
    return list(rows[:_OFFERED])


def has_upstreams() -> bool:
    return Upstream.objects.filter(is_enabled=True).exists()


def upstream_links(account_id: int) -> list[UpstreamLinkData]:
    """The accounts elsewhere that open this one, also those of providers that are switched off."""
    rows = UpstreamLink.objects.select_related("upstream__org").filter(account_id=account_id).order_by("linked_at", "pk")
    return [
        UpstreamLinkData(ids.encode("upstream_link", row.pk), row.upstream.name, row.upstream.org.name, row.linked_at)
        for row in rows
    ]


def access_upstream(*, actor: Actor, id: int, now: datetime) -> Upstream:
    """The provider with row id `id`, if `actor` manages sign-in in its branch; otherwise `NotFound`."""
    scope = sign_in_scope(actor=actor, now=now)
    row = Upstream.objects.select_related("org").filter(path_q("org__path", scope.paths), pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这种登录方式。"))
    return row


def page_of_upstreams(*, scope: Scope, search: str, number: int, size: int) -> Page[Upstream]:
    """The providers of these branches, by name."""
    rows = Upstream.objects.select_related("org").filter(path_q("org__path", scope.paths)).order_by("name", "pk")
    if search:
        rows = rows.filter(Q(name__contains=search) | Q(address__contains=search))
    return page_of(rows, lambda row: row, number=number, size=size)
