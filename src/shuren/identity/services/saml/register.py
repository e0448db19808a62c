"""Services that may ask by SAML: added, corrected, switched on and off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.models import SamlService
from shuren.identity.rules.saml.metadata import LONGEST, BadMetadata, read_metadata
from shuren.identity.selectors.saml import access_saml_service
from shuren.identity.services.release import NewService, facts_of_service
from shuren.kernel import audit, outward
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSamlService(NewService):
    """What is written down about a service; `metadata` is the XML it publishes."""

    metadata: str


@transaction.atomic
def register_saml_service(*, actor: Actor, service: NewSamlService, now: datetime) -> int:
    """Add a service; `actor` manages sign-in in its branch. Returns the row id."""
    facts = _facts(actor, service, now=now)
    _refuse_double(SamlService.objects.filter(entity_id=facts["entity_id"]).exists())
    row = SamlService.objects.create(created_at=now, **facts)
    _record(actor, "identity.saml_service_registered", row, now=now)
    return row.pk


@transaction.atomic
def correct_saml_service(*, actor: Actor, service_id: int, service: NewSamlService, now: datetime) -> None:
    """Write other facts down, new metadata among them."""
    access_saml_service(actor=actor, id=service_id, now=now)
    facts = _facts(actor, service, now=now)
    _refuse_double(SamlService.objects.filter(entity_id=facts["entity_id"]).exclude(pk=service_id).exists())
    SamlService.objects.filter(pk=service_id).update(**facts)
    _record(actor, "identity.saml_service_corrected", SamlService.objects.get(pk=service_id), now=now)


@transaction.atomic
def switch_saml_service(*, actor: Actor, service_id: int, is_enabled: bool, now: datetime) -> None:
    """Switch a service on or off; off means no answer from this moment."""
    access_saml_service(actor=actor, id=service_id, now=now)
    SamlService.objects.filter(pk=service_id).update(is_enabled=is_enabled)
    action = "identity.saml_service_enabled" if is_enabled else "identity.saml_service_disabled"
    audit.record(actor=actor, action=action, target=f"saml_service:{service_id}", now=now)


def fetch_metadata(url: str) -> str:
    """The metadata that a service publishes; raises `Invalid` where nobody answers with any."""
    try:
        answer = outward.call(url, max_bytes=LONGEST)
        if answer.status != 200:
            raise outward.OutwardFailed(str(answer.status))
        return answer.body.decode()
    except (outward.OutwardRefused, outward.OutwardFailed, UnicodeDecodeError) as fault:
        raise Invalid(
            _("没有取到元数据：%(why)s。") % {"why": fault}, remedy=_("请核对网址，或者把元数据文件的内容贴进来。")
        ) from fault


def _facts(actor: Actor, service: NewSamlService, *, now: datetime) -> dict[str, Any]:
    shared = facts_of_service(actor, service, now=now)
    try:
        provider = read_metadata(service.metadata.encode())
    except BadMetadata as fault:
        raise Invalid(
            _("这不是一个服务的元数据：%(why)s。") % {"why": fault}, remedy=_("请向服务的管理员要 SAML 2.0 的 SP 元数据文件。")
        ) from fault
    if provider.valid_until is not None and provider.valid_until <= now:
        raise Invalid(_("这份元数据已经过期。"), remedy=_("请向服务的管理员要新的。"))
    return {**shared, "entity_id": provider.entity_id, "metadata": service.metadata}


def _refuse_double(is_double: bool) -> None:
    if is_double:
        raise Conflict(_("这个服务已经登记过。"), remedy=_("请在列表里找到它再修改。"))


def _record(actor: Actor, action: str, row: SamlService, *, now: datetime) -> None:
    details = {"entity_id": row.entity_id, "attributes": row.attributes, "user": row.user, "org_id": row.org_id}
    details |= {"client": row.client_id, "is_first_party": row.is_first_party}
    audit.record(actor=actor, action=action, target=f"saml_service:{row.pk}", details=details, now=now)
