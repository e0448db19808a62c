"""Reads of CAS services."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.models import CasService, SignIn
from shuren.identity.presence import last_verified
from shuren.identity.rules import addresses
from shuren.identity.sessions import SessionStore
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, path_q


@dataclass(frozen=True, slots=True, kw_only=True)
class CasServiceData:
    """A CAS service as its page shows it."""

    id: int
    public_id: str
    name: str
    address: str
    org_id: int
    org_name: str
    org_path: str
    user: str
    attributes: tuple[str, ...]
    may_proxy: bool
    signs_out: bool
    is_first_party: bool
    client_id: str
    app_name: str
    is_enabled: bool
    created_at: datetime


def cas_service_data(row: CasService) -> CasServiceData:
    return CasServiceData(
        id=row.pk,
        public_id=ids.encode("cas_service", row.pk),
        name=row.name,
        address=f"{row.origin}{row.path}",
        org_id=row.org_id,
        org_name=row.org.name,
        org_path=row.org.path,
        user=row.user,
        attributes=tuple(row.attributes),
        may_proxy=row.may_proxy,
        signs_out=row.signs_out,
        is_first_party=row.is_first_party,
        client_id=row.client.client_id if row.client else "",
        app_name=row.client.name if row.client else "",
        is_enabled=row.is_enabled,
        created_at=row.created_at,
    )


def cas_service_of(address: str) -> CasService | None:
    """The service that a normal address belongs to: same origin, the longest path above it; None where nobody may go."""
    rows = CasService.objects.select_related("org", "client").filter(origin=addresses.origin_of(address), is_enabled=True)
    path = addresses.path_of(address)
    found = [row for row in rows if addresses.is_below(path, row.path)]
    return max(found, key=lambda row: len(row.path), default=None)


def verified_at_of(sign_in_id: int) -> datetime | None:
    """When whoever a ticket stands for last showed who they are, as the session of their browser says; None once it ended.

    Services ask over another connection than that browser's.
    """
    sign_in = SignIn.objects.filter(pk=sign_in_id).only("session_key", "begun_at").first()
    if sign_in is None:
        return None
    browser = HttpRequest()
    browser.session = SessionStore(sign_in.session_key)
    return last_verified(browser)[0] or sign_in.begun_at


def sign_in_scope(*, actor: Actor, now: datetime) -> Scope:
    """The branches whose ways of signing in `actor` manages."""
    return directory.scope_of(actor=actor, permission=Permission.MANAGE_SIGN_IN, now=now)


def access_cas_service(*, actor: Actor, id: int, now: datetime) -> CasServiceData:
    """The service with row id `id`, if `actor` manages sign-in in its branch; otherwise `NotFound`."""
    scope = sign_in_scope(actor=actor, now=now)
    row = CasService.objects.select_related("org", "client").filter(path_q("org__path", scope.paths), pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个服务。"))
    return cas_service_data(row)


def page_of_cas_services(*, scope: Scope, search: str, number: int, size: int) -> Page[CasServiceData]:
    """The services of these branches, by name."""
    rows: Any = CasService.objects.select_related("org", "client").filter(path_q("org__path", scope.paths)).order_by("name", "pk")
    if search:
        rows = rows.filter(Q(name__contains=search) | Q(origin__contains=search.lower()))
    return page_of(rows, cas_service_data, number=number, size=size)
