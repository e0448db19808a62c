"""Statements between us and an app that go through a browser: ours signed, theirs checked (1EdTech Security Framework 1.0)."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from joserfc.errors import JoseError

from shuren.identity.data import ClientStatus
from shuren.identity.models import SpentValue
from shuren.identity.rules.oauth.assertions import checked_message, key_set
from shuren.identity.selectors.bearers import spent_digest
from shuren.identity.selectors.clients import client_by_client_id
from shuren.identity.services.oauth.id_tokens import sign_claims, subject
from shuren.identity.services.oauth.prove import keys_of
from shuren.kernel.errors import Invalid


def issue_id_token(*, claims: Mapping[str, Any], now: datetime) -> str:
    """An id token of these claims by RS256, under a key of `/oauth/jwks/`; the caller answers for every claim."""
    return sign_claims(claims, algorithm="RS256", typ="JWT", now=now)


def subjects_of_people(*, person_ids: Collection[int], client_id: str) -> dict[int, str]:
    """The `sub` by which the client knows each person; empty for an unknown client."""
    client = client_by_client_id(client_id)
    if client is None:
        return {}
    return {id: subject(person_id=id, account_id=0, client=client) for id in person_ids}


def read_client_message(*, client_id: str, text: str, audience: str, now: datetime) -> dict[str, Any]:
    """The claims of a JWT that the client signed for us; its nonce is good once.

    Raises `Invalid` for anything else; what was spent stays spent only if the caller's transaction stands.
    """
    client = client_by_client_id(client_id)
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise Invalid(_("这个应用没有在本平台登记，或者已经停用。"))
    claims: dict[str, Any] | None = None
    for is_fresh in (False, True):
        try:
            keys = key_set(keys_of(client, is_fresh=is_fresh))
            claims = checked_message(text, keys, client_id=client_id, audience=audience, now=now)
            break
        except (JoseError, ValueError) as fault:
            if not client.jwks_uri or is_fresh:
                raise Invalid(_("应用签名的内容没有通过核对。")) from fault
    assert claims is not None
    until = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(minutes=2)
    spend_once(f"{client_id}\nnonce\n{claims['nonce']}", until=until)
    return claims


def spend_once(value: str, *, until: datetime) -> None:
    """Let a value pass a single time before `until`, when it must be out of date by itself; raises `Invalid` after that."""
    try:
        with transaction.atomic():
            SpentValue.objects.create(digest=spent_digest(value), expires_at=until)
    except IntegrityError:
        raise Invalid(_("同一份内容只能用一次。")) from None
