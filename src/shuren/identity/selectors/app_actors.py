"""Apps as actors: who calls with a token, and how far they reach."""

from datetime import datetime

from django.http import HttpRequest

from shuren.directory import api as directory
from shuren.identity.data import Bearer
from shuren.identity.rules.oauth.scopes import permissions_in
from shuren.identity.rules.oauth.tokens import TokenKind
from shuren.identity.selectors.bearers import standing_of
from shuren.kernel.data import Actor, AppReach

APP_ROLE = "app"


def bearer_in(request: HttpRequest, *, now: datetime) -> Bearer | None:
    """Who calls, by the access token in the Authorization header (RFC 6750 2.1; never in the query or a form)."""
    scheme, _blank, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    standing = standing_of(text.strip(), kind=TokenKind.ACCESS, now=now)
    return standing.bearer if standing else None


def actor_of_bearer(bearer: Bearer) -> Actor:
    """An app in its own name acts inside the branch of its org; for a person it reaches what they reach, if its scopes say so."""
    is_own = bearer.account_id is None
    org = directory.orgs_by_ids([bearer.org_id]).get(bearer.org_id) if is_own and bearer.org_id is not None else None
    reach = AppReach(
        client_id=bearer.client_id,
        permissions=permissions_in(bearer.scopes),
        paths=(org.path,) if org else (),
        recipient="" if bearer.is_first_party else bearer.client_id,
        purpose=bearer.purpose,
    )
    return Actor(
        person_id=bearer.person_id,
        account_id=bearer.account_id,
        name=bearer.name,
        role=APP_ROLE if is_own else None,
        app=reach,
    )
