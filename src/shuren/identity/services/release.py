"""What services are told about a person: by minimal need, and never more than grade, purpose and consent allow."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.models import Account, CasService, SamlService
from shuren.identity.rules.released import ATTRIBUTES, ELEMENTS, FIT_MASKED, PURPOSE, USERS
from shuren.identity.selectors.clients import governed_client
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.trust.api import blind_index


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """What is written down about a service, whatever it speaks: of the house itself, or of the app that `client_id` names."""

    name: str
    org_id: int
    user: str = "pairwise"
    attributes: Collection[str] = ()
    is_first_party: bool = False
    client_id: str = ""


def facts_of_service(actor: Actor, service: NewService, *, now: datetime) -> dict[str, Any]:
    """The checked columns that services share; `actor` manages sign-in in the branch.

    A service that is not the house's own belongs to an app of the register: approved, listed and chosen there, and stopped
    there.
    """
    directory.access_org(actor=actor, id=service.org_id, permission=Permission.MANAGE_SIGN_IN, now=now)
    if service.user not in USERS or not set(service.attributes) <= set(ATTRIBUTES):
        raise Invalid(_("没有这种属性。"), remedy=_("请从列表中选择。"))
    client = governed_client(service.client_id) if service.client_id else None
    if (client is not None) is service.is_first_party or (service.client_id and client is None):
        raise Invalid(
            _("这个软件是本单位自己的，还是应用登记里的，要选一样，只选一样。"),
            remedy=_("外面公司的软件先在应用登记里通过审核，再到这里选它。"),
        )
    return {
        "name": service.name,
        "org_id": service.org_id,
        "user": service.user,
        "attributes": sorted(service.attributes),
        "is_first_party": service.is_first_party,
        "client_id": client.id if client else None,
    }


def recipient_of(service: CasService | SamlService) -> tuple[str, str]:
    """As whom a service is told, and for what: the house itself, or an app by the purpose its consents were asked for.

    A service from before services belonged to apps is told by a name of its own.
    """
    if service.client is not None:
        return service.client.client_id, service.client.purpose
    kind = "cas" if isinstance(service, CasService) else "saml"
    return "" if service.is_first_party else f"{kind}:{ids.encode(f'{kind}_service', service.pk)}", PURPOSE


def release_attributes(account: Account, service: CasService | SamlService, *, now: datetime) -> dict[str, tuple[str, ...]]:
    """The values of the service's attributes that the account's person has and it may be told; orgs by their public ids.

    Everything told leaves its line in the directory's disclosures.
    """
    names = service.attributes
    if account.person_id is None or not names:
        return {}
    recipient, purpose = recipient_of(service)
    elements = [ELEMENTS[name] for name in ATTRIBUTES if name in names and ELEMENTS[name]]
    told: dict[str, tuple[str, ...]] = {}
    if elements:
        found = directory.disclosed_people(
            person_ids=[account.person_id], elements=elements, purpose=purpose, recipient=recipient, now=now
        )[account.person_id]
        fit = {code: text for code, text in found.values.items() if code in FIT_MASKED or code not in found.masked}
        told = {name: (fit[code],) for name, code in ELEMENTS.items() if code and name in names and fit.get(code)}
    if {"roles", "orgs"} & set(names):
        hats = directory.role_options(account.person_id, now=now)
        if "roles" in names:
            told["roles"] = tuple(dict.fromkeys(hat.role.value for hat in hats))
        if "orgs" in names:
            told["orgs"] = tuple(sorted({ids.encode("org", hat.org_id) for hat in hats if hat.org_id is not None}))
    return told


def user_name(account: Account, kind: str, *, audience: str) -> str:
    """The name by which a service knows somebody: one made for `audience` alone (`pairwise`), or one everybody knows."""
    if kind == "username" or (kind == "number" and account.person is None):
        return account.username
    if kind == "number" and account.person is not None:
        return account.person.number
    return blind_index(f"{audience} {account.pk}", purpose="identity.pairwise_subject")[:40]
