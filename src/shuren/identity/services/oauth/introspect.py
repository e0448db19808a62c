"""What a resource server may learn of a token (RFC 7662)."""

from datetime import datetime
from typing import Any

from shuren.identity.data import ClientAuth
from shuren.identity.rules.oauth.faults import invalid_client
from shuren.identity.rules.oauth.tokens import TokenKind, kind_of
from shuren.identity.selectors.bearers import Proved, Standing, asked_standing, standing_of
from shuren.identity.selectors.clients import clients_by_ids
from shuren.identity.services.gate import check_governed
from shuren.identity.services.oauth.id_tokens import subject
from shuren.identity.services.oauth.prove import Proof, check_proved, proved_client, secret_in

INACTIVE: dict[str, Any] = {"active": False}


def introspection(*, proof: Proof, issuer: str, now: datetime) -> dict[str, Any]:
    """The facts of a good token, and nothing but `active: false` of any other.

    Answers clients that hold a secret or key; a public client proves nothing and learns nothing. A client learns about its
    own tokens, and about access tokens of others, which they bring to it; refresh tokens and codes of others are no
    business of its own.
    """
    token = proof.form.get("token", "")
    kind = kind_of(token)
    asking, standing = _asked(proof, token, kind, now=now)
    if asking.is_governed:
        check_governed(asking.client_id, now=now)
    if kind is None or standing is None or kind is TokenKind.CODE:
        return INACTIVE
    if kind is TokenKind.REFRESH and (standing.client_pk != asking.pk or standing.token.number != standing.generation):
        return INACTIVE
    return _facts(standing, kind, asking, issuer)


def _asked(proof: Proof, token: str, kind: TokenKind | None, *, now: datetime) -> tuple[Proved, Standing | None]:
    """Who asks, and how the token stands; with a secret at the price of one look."""
    secret = secret_in(proof)
    if secret is not None:
        proved, standing = asked_standing(secret, token, kind=kind, now=now)
        return check_proved(proved), standing
    client = proved_client(proof=proof, now=now)
    if client.auth is ClientAuth.NONE:
        raise invalid_client("a client without secret or key cannot ask")
    asking = Proved(client.id, client.client_id, client.is_governed)
    return asking, standing_of(token, kind=kind, now=now) if kind else None


def _facts(standing: Standing, kind: TokenKind, asking: Proved, issuer: str) -> dict[str, Any]:
    bearer, facts = standing.bearer, standing.token
    answer: dict[str, Any] = {
        "active": True,
        "client_id": bearer.client_id,
        "scope": " ".join(sorted(bearer.scopes)),
        "iss": issuer,
        "iat": facts.issued_at,
        "exp": facts.expires_at,
        "token_type": "Bearer" if kind is TokenKind.ACCESS else "refresh_token",
    }
    if bearer.account_id is None:
        return answer | {"sub": bearer.client_id}
    # Pairwise subjects stay apart: the one who asks learns the person by the name they have there.
    client = clients_by_ids([asking.pk])[asking.pk]
    return answer | {"sub": subject(person_id=bearer.person_id, account_id=bearer.account_id, client=client)}
