"""Reads of SAML services."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.identity.models import SamlService
from shuren.identity.selectors.cas import sign_in_scope
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, path_q


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlServiceData:
    """A SAML service as its page shows it."""

    id: int
    public_id: str
    name: str
    entity_id: str
    org_id: int
    org_name: str
    metadata: str
    user: str
    attributes: tuple[str, ...]
    is_first_party: bool
    client_id: str
    app_name: str
    is_enabled: bool


def saml_service_data(row: SamlService) -> SamlServiceData:
    return SamlServiceData(
        id=row.pk,
        public_id=ids.encode("saml_service", row.pk),
        name=row.name,
        entity_id=row.entity_id,
        org_id=row.org_id,
        org_name=row.org.name,
        metadata=row.metadata,
        user=row.user,
        attributes=tuple(row.attributes),
        is_first_party=row.is_first_party,
        client_id=row.client.client_id if row.client else "",
        app_name=row.client.name if row.client else "",
        is_enabled=row.is_enabled,
    )


def saml_service_of(entity_id: str) -> SamlService | None:
    """The enabled service that goes by this entity id."""
    return SamlService.objects.select_related("org", "client").filter(entity_id=entity_id, is_enabled=True).first()


def saml_service_by_id(service_id: int) -> SamlService | None:
    return SamlService.objects.select_related("org", "client").filter(pk=service_id, is_enabled=True).first()


def access_saml_service(*, actor: Actor, id: int, now: datetime) -> SamlServiceData:
    """The service with row id `id`, if `actor` manages sign-in in its branch; otherwise `NotFound`."""
    scope = sign_in_scope(actor=actor, now=now)
    row = SamlService.objects.select_related("org", "client").filter(path_q("org__path", scope.paths), pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个服务。"))
    return saml_service_data(row)


def page_of_saml_services(*, scope: Scope, search: str, number: int, size: int) -> Page[SamlServiceData]:
    """The services of these branches, by name."""
    rows = SamlService.objects.select_related("org", "client").filter(path_q("org__path", scope.paths)).order_by("name", "pk")
    if search:
        rows = rows.filter(Q(name__contains=search) | Q(entity_id__contains=search))
    return page_of(rows, saml_service_data, number=number, size=size)
