"""Whether a token is still good: one indexed look at its client, family, account, sign-in and the list of revoked ones.

Plain SQL, because every call of every app pays for it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django.db import connection

from shuren.identity.data import Bearer, ClientStatus, GrantType
from shuren.identity.rules.oauth.tokens import Token, TokenKind, read_token
from shuren.kernel.moments import loaded, stored
from shuren.trust.api import blind_index

MAC_PURPOSE = "identity.oauth_token"  # names a key, is none
SPENT_PURPOSE = "identity.spent_value"
SECRET_PURPOSE = "identity.client_secret"  # noqa: S105  # names a key, is none

_FACTS = """c.client_id, c.name, c.status, c.tokens_from, c.org_id,
       f.ended_at, f.expires_at, f.sign_in, f.is_offline, f.generation, f.scopes,
       a.id, a.person_id, a.is_active, s.id, d.digest, c.is_first_party, c.purpose"""
_AROUND = """LEFT JOIN identity_authorization f ON f.id = %s AND f.client_id = c.id
LEFT JOIN identity_account a ON a.id = f.account_id
LEFT JOIN identity_signin s ON s.id = f.sign_in
LEFT JOIN identity_spentvalue d ON d.digest = %s"""
_KEY = "FROM identity_clientsecret k JOIN identity_client b ON b.id = k.client_id"
_FITS = """WHERE k.digest = %s AND b.client_id = %s AND b.status = 'active' AND b.auth = %s
  AND (k.expires_at IS NULL OR k.expires_at > %s)"""
_APP = f"""SELECT b.id, b.is_governed, b.name, b.scopes, b.grant_types, b.org_id, b.is_first_party, b.purpose
{_KEY} {_FITS}"""
_STANDING = f"SELECT {_FACTS} FROM identity_client c {_AROUND} WHERE c.id = %s"  # noqa: S608  # of the lines above
_PROVED = f"SELECT b.id, b.is_governed {_KEY} {_FITS}"
_ASKED = f"SELECT b.id, b.is_governed, {_FACTS} {_KEY} LEFT JOIN identity_client c ON c.id = %s {_AROUND} {_FITS}"


@dataclass(frozen=True, slots=True)
class Secret:
    """What a request brought to prove a client: its name, its secret, and the way it was sent."""

    client_id: str
    secret: str
    auth: str


@dataclass(frozen=True, slots=True)
class Proved:
    """The active client that a secret belongs to."""

    pk: int
    client_id: str
    is_governed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A token that is good now, with what was found beside it."""

    token: Token
    bearer: Bearer
    generation: int
    client_pk: int


def token_mac(text: str) -> str:
    return blind_index(text, purpose=MAC_PURPOSE)


def spent_digest(text: str) -> str:
    return blind_index(text, purpose=SPENT_PURPOSE)


def secret_digest(secret: str) -> str:
    return blind_index(secret, purpose=SECRET_PURPOSE)


def standing_of(text: str, *, kind: TokenKind, now: datetime) -> Standing | None:
    """The token `text` if it is one of ours, of this kind, and good at this moment."""
    token = _unexpired(text, kind, now)
    if token is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [token.authorization, spent_digest(text), token.client])
        row = cursor.fetchone()
    return _standing(token, row, now) if row else None


def proved_by(found: Secret, *, now: datetime) -> Proved | None:
    """The active client that has this secret and is registered for this way of proving it."""
    with connection.cursor() as cursor:
        cursor.execute(_PROVED, _proof(found, now))
        row = cursor.fetchone()
    return Proved(int(row[0]), found.client_id, bool(row[1])) if row else None


def app_of_secret(found: Secret, *, now: datetime) -> tuple[Proved, Bearer] | None:
    """The active client that has this secret, in its own name, with all scopes it is registered for.

    None too where it is not registered to act in its own name.
    """
    with connection.cursor() as cursor:
        cursor.execute(_APP, _proof(found, now))
        row = cursor.fetchone()
    if row is None or GrantType.CLIENT_CREDENTIALS not in _texts(row[4]):
        return None
    bearer = Bearer(
        client_id=found.client_id,
        name=str(row[2]),
        scopes=frozenset(_texts(row[3])),
        person_id=None,
        account_id=None,
        org_id=_number(row[5]),
        expires_at=now,
        is_first_party=bool(row[6]),
        purpose=str(row[7]),
    )
    return Proved(int(row[0]), found.client_id, bool(row[1])), bearer


def asked_standing(found: Secret, text: str, *, kind: TokenKind | None, now: datetime) -> tuple[Proved | None, Standing | None]:
    """`proved_by` and `standing_of` in one look at the database: introspection comes by the thousand."""
    token = _unexpired(text, kind, now) if kind else None
    if token is None:
        return proved_by(found, now=now), None
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, [token.client, token.authorization, spent_digest(text), *_proof(found, now)])
        row = cursor.fetchone()
    if row is None:
        return None, None
    proved = Proved(int(row[0]), found.client_id, bool(row[1]))
    return proved, _standing(token, row[2:], now) if row[2] is not None else None


def _unexpired(text: str, kind: TokenKind, now: datetime) -> Token | None:
    token = read_token(text, token_mac, kind=kind)
    return None if token is None or token.expires_at <= now.timestamp() else token


def _proof(found: Secret, now: datetime) -> list[str | datetime]:
    return [secret_digest(found.secret), found.client_id, found.auth, stored(now)]


def _standing(token: Token, row: tuple[object, ...], now: datetime) -> Standing | None:
    (client_id, name, status, tokens_from, org_id, ended_at, expires_at, sign_in, is_offline, generation) = row[:10]
    (scopes, account_id, person_id, is_active, live_sign_in, spent, is_first_party, purpose) = row[10:]
    is_own = token.authorization == 0
    if status != ClientStatus.ACTIVE or spent is not None or token.issued_at < int(loaded(tokens_from).timestamp()):
        return None
    if not is_own and (account_id is None or not is_active or ended_at is not None or loaded(expires_at) <= now):
        return None
    if not is_own and sign_in is not None and not is_offline and live_sign_in is None:
        return None
    bearer = Bearer(
        client_id=str(client_id),
        name=str(name),
        scopes=frozenset(token.scopes or str(scopes or "").split()),
        person_id=_number(person_id),
        account_id=_number(account_id),
        org_id=_number(org_id),
        expires_at=datetime.fromtimestamp(token.expires_at, UTC),
        is_first_party=bool(is_first_party),
        purpose=str(purpose),
    )
    return Standing(token, bearer, _number(generation) or 0, token.client)


def _texts(value: object) -> list[str]:
    """A list kept as JSON: plain SQL gets it as text."""
    return [str(one) for one in (json.loads(value) if isinstance(value, str | bytes) else cast("list[object]", value))]


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))
