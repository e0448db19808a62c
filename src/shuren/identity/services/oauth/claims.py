"""What an app learns of a person: no more than the scopes that were allowed, and through the directory's masks."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from shuren.directory import api as directory
from shuren.identity.data import Bearer, ClientData
from shuren.identity.selectors.clients import client_by_client_id
from shuren.identity.services.oauth.id_tokens import subject
from shuren.kernel import ids

_ELEMENTS = {
    "profile": ("person.name", "name"),
    "email": ("person.email", "email"),
    "phone": ("person.phone", "phone_number"),
    "person_number": ("person.number", "shuren_number"),
}


def claims_for(*, bearer: Bearer, now: datetime) -> dict[str, Any]:
    """The claims of the userinfo endpoint: `sub` always, roles with the `org` scope, personal data as consents allow."""
    client = client_by_client_id(bearer.client_id)
    assert client is not None
    assert bearer.account_id is not None
    claims: dict[str, Any] = {"sub": subject(person_id=bearer.person_id, account_id=bearer.account_id, client=client)}
    return claims | personal_claims(person_id=bearer.person_id, client=client, scopes=bearer.scopes, now=now)


def personal_claims(*, person_id: int | None, client: ClientData, scopes: Collection[str], now: datetime) -> dict[str, Any]:
    """What these scopes carry of a person, for userinfo or, where it was asked for there, an ID token."""
    if person_id is None:
        return {}
    claims = _disclosed(person_id, client, scopes, now=now)
    return claims | ({"shuren_roles": roles_claim(person_id, now=now)} if "org" in scopes else {})


def roles_claim(person_id: int, *, now: datetime) -> list[dict[str, str]]:
    """Each hat of a person and, where it hangs on one, the public id of its org."""
    return [
        {"role": option.role.value} | ({"org": ids.encode("org", option.org_id)} if option.org_id is not None else {})
        for option in directory.role_options(person_id, now=now)
    ]


def _disclosed(person_id: int, client: ClientData, scopes: Collection[str], *, now: datetime) -> dict[str, Any]:
    """Personal data as the directory tells them: a name may come masked, an address comes whole or not at all."""
    elements = [element for scope, (element, _claim) in _ELEMENTS.items() if scope in scopes]
    if not elements:
        return {}
    told = directory.disclosed_people(
        person_ids=[person_id],
        elements=elements,
        purpose=client.purpose,
        recipient="" if client.is_first_party else client.client_id,
        now=now,
    ).get(person_id)
    if told is None:
        return {}
    claims: dict[str, Any] = {}
    for element, claim in _ELEMENTS.values():
        value = told.values.get(element, "")
        if value and (claim == "name" or element not in told.masked):
            claims[claim] = value
    # Nobody has checked that these addresses are theirs.
    return claims | {f"{claim}_verified": False for claim in ("email", "phone_number") if claim in claims}
