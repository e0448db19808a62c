"""Families of tokens: begun when a person comes into an app, carried on by refreshing, ended for good."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from shuren.identity.models import Authorization, DeviceRequest, PushedRequest, SignIn, SpentValue
from shuren.identity.rules.oauth import tokens
from shuren.identity.rules.oauth.asking import is_proved
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.rules.oauth.tokens import Token, TokenKind
from shuren.identity.selectors.bearers import spent_digest, standing_of, token_mac
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor

_GONE = "the code or token is unknown, expired, used or revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How the person came in: which session, when, and by what (OpenID Connect Core 2: auth_time, acr, amr)."""

    account_id: int
    sign_in_id: int | None
    authenticated_at: datetime
    acr: str = ""
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFamily:
    """What a person has just allowed."""

    client_pk: int
    entry: Entry
    scopes: tuple[str, ...]
    issuer: str
    redirect_uri: str = ""
    code_challenge: str = ""
    nonce: str = ""
    id_claims: frozenset[str] = frozenset()


@transaction.atomic
def begin_family(*, actor: Actor, family: NewFamily, now: datetime) -> Authorization:
    """Write down that an app was let in; audited as `identity.app_entered`."""
    row = Authorization.objects.create(
        client_id=family.client_pk,
        account_id=family.entry.account_id,
        sign_in=family.entry.sign_in_id,
        scopes=" ".join(family.scopes),
        issuer=family.issuer,
        redirect_uri=family.redirect_uri,
        code_challenge=family.code_challenge,
        nonce=family.nonce,
        id_claims=" ".join(sorted(family.id_claims)),
        authenticated_at=family.entry.authenticated_at,
        acr=family.entry.acr,
        amr=" ".join(family.entry.amr),
        is_offline="offline_access" in family.scopes,
        begun_at=now,
        expires_at=now + tokens.UNREDEEMED_FOR,
    )
    audit.record(
        actor=actor,
        action="identity.app_entered",
        target=f"client:{family.client_pk}",
        details={"scopes": list(family.scopes)},
        now=now,
    )
    return row


def code_for(family: Authorization, *, now: datetime) -> str:
    """The code of a family, good for a minute and once."""
    return _written(TokenKind.CODE, family, now=now, until=now + tokens.CODE_FOR, number=tokens.chance())


def access_token_for(family: Authorization, scopes: tuple[str, ...], *, now: datetime) -> str:
    until = min(now + tokens.ACCESS_FOR, family.expires_at)
    return _written(TokenKind.ACCESS, family, now=now, until=until, number=tokens.chance(), scopes=scopes)


def refresh_token_for(family: Authorization, *, now: datetime) -> str:
    return _written(TokenKind.REFRESH, family, now=now, until=family.expires_at, number=family.generation)


def own_access_token(*, client_pk: int, scopes: tuple[str, ...], now: datetime) -> str:
    """An access token of a client in its own name: nothing is written."""
    second = int(now.timestamp())
    until = second + int(tokens.ACCESS_FOR.total_seconds())
    token = Token(TokenKind.ACCESS, client_pk, 0, second, until, tokens.chance(), scopes)
    return tokens.token_text(token, token_mac)


def redeem_code(*, code: str, client_pk: int, redirect_uri: str, verifier: str, now: datetime) -> Authorization:
    """Change a code into its family, once.

    A code that comes again ends everything that came of it (RFC 9700 2.1.1); one that comes from another client, from
    another address or without its verifier is burnt.
    """
    token = tokens.read_token(code, token_mac, kind=TokenKind.CODE)
    if token is None or token.client != client_pk:
        raise OAuthFault("invalid_grant", _GONE)
    with transaction.atomic():
        claimed = claim_family(token.authorization, now=now)
        family = Authorization.objects.filter(pk=token.authorization).first()
        if family is None:
            raise OAuthFault("invalid_grant", _GONE)
        is_good = bool(
            claimed
            and token.expires_at > now.timestamp()
            and redirect_uri == family.redirect_uri
            and is_proved(verifier, family.code_challenge)
            and _is_alive(family, code, kind=TokenKind.CODE, now=now)
        )
        if not is_good:
            _end_replayed(family, "code", now=now)
    if not is_good:
        raise OAuthFault("invalid_grant", _GONE)
    return family


def claim_family(family_id: int, *, now: datetime) -> bool:
    """Open a family that nobody opened before, for as long as it may last: 90 days away from a session, 12 hours with one."""
    waiting = Authorization.objects.filter(pk=family_id, redeemed_at=None, ended_at=None)
    for is_offline, span in ((False, tokens.SESSION_FOR), (True, tokens.OFFLINE_FOR)):
        if waiting.filter(is_offline=is_offline).update(redeemed_at=now, expires_at=now + span):
            return True
    return False


def refresh_family(*, refresh_token: str, client_pk: int, now: datetime) -> Authorization:
    """Take the one refresh token that is still good and move the family on to the next.

    One that was used before means that somebody else has a copy: the family ends for both (RFC 9700 4.14).
    """
    standing = standing_of(refresh_token, kind=TokenKind.REFRESH, now=now)
    if standing is None or standing.client_pk != client_pk:
        raise OAuthFault("invalid_grant", _GONE)
    generation, family_id = standing.token.number, standing.token.authorization
    with transaction.atomic():
        moved = Authorization.objects.filter(pk=family_id, generation=generation, ended_at=None).update(
            generation=generation + 1, refreshed_at=now
        )
        family = Authorization.objects.get(pk=family_id)
        if not moved:
            _end_replayed(family, "refresh_token", now=now)
    if not moved:
        raise OAuthFault("invalid_grant", _GONE)
    return family


@transaction.atomic
def revoke_token(*, text: str, client_pk: int, now: datetime) -> None:
    """RFC 7009: a refresh token or code takes its family along, an access token goes alone; another client's is passed over."""
    kind = tokens.kind_of(text)
    token = tokens.read_token(text, token_mac, kind=kind) if kind else None
    if token is None or kind is None or token.client != client_pk or token.expires_at <= now.timestamp():
        return
    if kind is TokenKind.ACCESS:
        until = datetime.fromtimestamp(token.expires_at, tz=now.tzinfo)
        SpentValue.objects.bulk_create([SpentValue(digest=spent_digest(text), expires_at=until)], ignore_conflicts=True)
    else:
        end_families(Authorization.objects.filter(pk=token.authorization), now=now)
    audit.record(actor=SYSTEM, action="identity.token_revoked", target=f"client:{client_pk}", now=now)


def end_families(families: QuerySet[Authorization], *, now: datetime) -> int:
    """End these at once: codes, access and refresh tokens; returns how many. The caller audits why."""
    return families.filter(ended_at=None).update(ended_at=now)


def end_session_families(*, sign_in_id: int, now: datetime) -> None:
    """With a session end the families that hang on it, unless they were allowed to outlive it."""
    end_families(Authorization.objects.filter(sign_in=sign_in_id, is_offline=False), now=now)


def sweep_families(*, now: datetime, batch: int = 5_000) -> int:
    """Forget families past their end and values that nobody could bring any more, in batches; returns how many went."""
    over = Authorization.objects.filter(expires_at__lt=now)
    gone = 0
    while family_ids := list(over.values_list("pk", flat=True)[:batch]):
        gone += Authorization.objects.filter(pk__in=family_ids).delete()[0]
    while digests := list(SpentValue.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:batch]):
        gone += SpentValue.objects.filter(pk__in=digests).delete()[0]
    gone += DeviceRequest.objects.filter(expires_at__lt=now).delete()[0]
    gone += PushedRequest.objects.filter(expires_at__lt=now).delete()[0]
    return gone


def _is_alive(family: Authorization, code: str, *, kind: TokenKind, now: datetime) -> bool:
    return standing_of(code, kind=kind, now=now) is not None and (
        family.is_offline or family.sign_in is None or SignIn.objects.filter(pk=family.sign_in).exists()
    )


def _end_replayed(family: Authorization, what: str, *, now: datetime) -> None:
    end_families(Authorization.objects.filter(pk=family.pk), now=now)
    audit.record(
        actor=SYSTEM,
        action="identity.token_replayed",
        target=f"account:{family.account_id}",
        details={"what": what, "client": family.client_id},
        now=now,
    )


def _written(
    kind: TokenKind, family: Authorization, *, now: datetime, until: datetime, number: int, scopes: tuple[str, ...] = ()
) -> str:
    token = Token(kind, family.client_id, family.pk, int(now.timestamp()), int(until.timestamp()), number, scopes)
    return tokens.token_text(token, token_mac)
