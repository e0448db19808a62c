"""Services that may ask by CAS: added, corrected, switched on and off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.models import CasService
from shuren.identity.rules import addresses
from shuren.identity.selectors.cas import access_cas_service
from shuren.identity.services.release import NewService, facts_of_service
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCasService(NewService):
    """What is written down about a service; `address` is its origin and the path all its addresses lie beneath."""

    address: str
    may_proxy: bool = False
    signs_out: bool = True


@transaction.atomic
def register_cas_service(*, actor: Actor, service: NewCasService, now: datetime) -> int:
    """Add a service; `actor` manages sign-in in its branch. Returns the row id."""
    facts = _facts(actor, service, now=now)
    _refuse_double(CasService.objects.filter(origin=facts["origin"], path=facts["path"]).exists())
    row = CasService.objects.create(created_at=now, **facts)
    _record(actor, "identity.cas_service_registered", row, now=now)
    return row.pk


@transaction.atomic
def correct_cas_service(*, actor: Actor, service_id: int, service: NewCasService, now: datetime) -> None:
    """Write other facts down; tickets already given keep to the address they were given for."""
    access_cas_service(actor=actor, id=service_id, now=now)
    facts = _facts(actor, service, now=now)
    others = CasService.objects.filter(origin=facts["origin"], path=facts["path"]).exclude(pk=service_id)
    _refuse_double(others.exists())
    CasService.objects.filter(pk=service_id).update(**facts)
    _record(actor, "identity.cas_service_corrected", CasService.objects.get(pk=service_id), now=now)


@transaction.atomic
def switch_cas_service(*, actor: Actor, service_id: int, is_enabled: bool, now: datetime) -> None:
    """Switch a service on or off; off means no ticket is given or accepted from this moment."""
    access_cas_service(actor=actor, id=service_id, now=now)
    CasService.objects.filter(pk=service_id).update(is_enabled=is_enabled)
    action = "identity.cas_service_enabled" if is_enabled else "identity.cas_service_disabled"
    audit.record(actor=actor, action=action, target=f"cas_service:{service_id}", now=now)


def _facts(actor: Actor, service: NewCasService, *, now: datetime) -> dict[str, Any]:
    shared = facts_of_service(actor, service, now=now)
    address = addresses.normal_address(service.address)
    if address is None or "?" in address:
        raise Invalid(_("服务地址不对。"), remedy=_("请写完整的网址，例如 https://lib.example.org/portal/，不带问号和井号。"))
    return {
        **shared,
        "origin": addresses.origin_of(address),
        "path": addresses.path_of(address),
        "may_proxy": service.may_proxy,
        "signs_out": service.signs_out,
    }


def _refuse_double(is_double: bool) -> None:
    if is_double:
        raise Conflict(_("这个地址已经登记过。"), remedy=_("请在列表里找到它再修改。"))


def _record(actor: Actor, action: str, row: CasService, *, now: datetime) -> None:
    details = {"address": str(row), "attributes": row.attributes, "user": row.user, "org_id": row.org_id}
    details |= {"client": row.client_id, "is_first_party": row.is_first_party}
    audit.record(actor=actor, action=action, target=f"cas_service:{row.pk}", details=details, now=now)
