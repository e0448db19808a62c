"""Authorization requests that an app sends by the back door and then names (RFC 9126)."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shuren.identity.data import ClientData
from shuren.identity.models import PushedRequest
from shuren.identity.rules.oauth.asking import PARAMETERS, asked_of, return_address
from shuren.identity.rules.oauth.faults import AppUnknown, OAuthFault
from shuren.identity.selectors.bearers import spent_digest
from shuren.identity.services.gate import check_program

PREFIX = "urn:ietf:params:oauth:request_uri:"
GOOD_FOR = timedelta(seconds=90)
# Once a person has come with it, they may need to look for their password.
VISITED_FOR = timedelta(minutes=15)


@transaction.atomic
def push_request(*, client: ClientData, form: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Check a request as the authorization endpoint would, keep it for 90 seconds and give it a name."""
    if "request_uri" in form:
        raise OAuthFault("invalid_request", "request_uri cannot be pushed")
    asked = {key: form[key] for key in PARAMETERS if key in form} | {"client_id": client.client_id}
    query = {key: [value] for key, value in asked.items()}
    try:
        redirect_uri = return_address(query, client)
    except AppUnknown:
        raise OAuthFault("invalid_request", "redirect_uri is not registered") from None
    asked_of(query, client=client, redirect_uri=redirect_uri)
    check_program(client, now=now)
    name = PREFIX + secrets.token_urlsafe(32)
    PushedRequest.objects.create(client_id=client.id, digest=spent_digest(name), parameters=asked, expires_at=now + GOOD_FOR)
    return {"request_uri": name, "expires_in": int(GOOD_FOR.total_seconds())}


def pushed_query(*, request_uri: str, client: ClientData | None, now: datetime) -> dict[str, list[str]]:
    """The parameters behind a name; raises `AppUnknown` when there are none (any more) for this client."""
    row = PushedRequest.objects.filter(digest=spent_digest(request_uri), expires_at__gt=now).first()
    if row is None or client is None or row.client_id != client.id:
        raise AppUnknown("request_uri")
    if row.expires_at < now + GOOD_FOR:
        PushedRequest.objects.filter(pk=row.pk).update(expires_at=now + VISITED_FOR)
    return {key: [value] for key, value in row.parameters.items()}


def drop_pushed(*, request_uri: str) -> None:
    """A request that was answered with a code is answered no more."""
    if request_uri.startswith(PREFIX):
        PushedRequest.objects.filter(digest=spent_digest(request_uri)).delete()
