"""Registering clients, handing out their secrets, and shutting them out."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.data import ClientAuth, ClientData, ClientStatus, NewClient, RegisteredClient
from shuren.identity.models import Client, ClientSecret
from shuren.identity.rules.oauth.registration import client_faults, sector_of
from shuren.identity.selectors.bearers import secret_digest
from shuren.identity.selectors.clients import client_data
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound

_SECRET_BYTES = 32
MAX_SECRETS = 3
OVERLAP = timedelta(days=7)
_WITH_SECRET = (ClientAuth.BASIC, ClientAuth.POST)


@transaction.atomic
def register_client(*, actor: Actor, client: NewClient, now: datetime) -> RegisteredClient:
    """Add a client; its secret comes back once and is kept as a keyed hash. The caller has checked that `actor` may.

    Raises `Invalid` with every fault of the registration.
    """
    _check(client)
    client_id = secrets.token_urlsafe(18)
    row = Client(client_id=client_id, tokens_from=now, created_at=now)
    _fill(row, client)
    row.save()
    secret = _add_secret(row.pk, now=now) if client.auth in _WITH_SECRET else ""
    audit.record(
        actor=actor,
        action="identity.client_registered",
        target=f"client:{row.pk}",
        details={"client": client_id, "scopes": sorted(client.scopes), "auth": client.auth},
        now=now,
    )
    return RegisteredClient(id=row.pk, client_id=client_id, client_secret=secret)


@transaction.atomic
def change_client(*, actor: Actor, client_id: str, client: NewClient, now: datetime) -> ClientData:
    """Write a registration anew; tokens that allow more than it does now are ended with all others of the client."""
    row = _locked(client_id)
    if client.auth != row.auth:
        raise Conflict(_("应用证明身份的方式不能改。"), remedy=_("请另外登记一个应用。"))
    _check(client)
    fewer = set(row.scopes) - client.scopes
    _fill(row, client)
    if fewer:
        row.tokens_from = _after(now)
    row.save()
    audit.record(
        actor=actor,
        action="identity.client_changed",
        target=f"client:{row.pk}",
        details={"scopes": sorted(client.scopes), "redirect_uris": list(client.redirect_uris)},
        now=now,
    )
    return client_data(row)


@transaction.atomic
def add_client_secret(*, actor: Actor, client_id: str, now: datetime) -> str:
    """A further secret, shown once; the former ones stay good for seven days so that the app can change over."""
    row = _locked(client_id)
    if row.auth not in _WITH_SECRET:
        raise Conflict(_("这个应用不用密钥证明身份。"))
    ClientSecret.objects.filter(client=row, expires_at__lte=now).delete()
    if ClientSecret.objects.filter(client=row).count() >= MAX_SECRETS:
        raise Conflict(_("密钥太多。"), remedy=_("请先停用旧的密钥。"))
    ClientSecret.objects.filter(client=row, expires_at=None).update(expires_at=now + OVERLAP)
    secret = _add_secret(row.pk, now=now)
    audit.record(actor=actor, action="identity.client_secret_added", target=f"client:{row.pk}", now=now)
    return secret


@transaction.atomic
def drop_old_secrets(*, actor: Actor, client_id: str, now: datetime) -> int:
    """End every secret but the newest at once; returns how many."""
    row = _locked(client_id)
    newest = ClientSecret.objects.filter(client=row).order_by("-created_at", "-id").first()
    gone = ClientSecret.objects.filter(client=row).exclude(pk=newest.pk if newest else 0).delete()[0]
    audit.record(
        actor=actor, action="identity.client_secrets_dropped", target=f"client:{row.pk}", details={"count": gone}, now=now
    )
    return gone


@transaction.atomic
def disable_client(*, actor: Actor, client_id: str, now: datetime) -> None:
    """Shut a client out: every token of it is refused from the next call on. Publishes `identity.client_disabled`."""
    row = _locked(client_id)
    if row.status == ClientStatus.DISABLED:
        return
    row.status, row.tokens_from = ClientStatus.DISABLED, _after(now)
    row.save(update_fields=["status", "tokens_from"])
    audit.record(actor=actor, action="identity.client_disabled", target=f"client:{row.pk}", now=now)
    events.publish("identity.client_disabled", {"client_id": client_id}, now=now)


@transaction.atomic
def enable_client(*, actor: Actor, client_id: str, now: datetime) -> None:
    """Let a client in again; tokens from before it was shut out stay dead."""
    row = _locked(client_id)
    if row.status == ClientStatus.ACTIVE:
        return
    row.status = ClientStatus.ACTIVE
    row.save(update_fields=["status"])
    audit.record(actor=actor, action="identity.client_enabled", target=f"client:{row.pk}", now=now)


def _after(now: datetime) -> datetime:
    """The first whole second after `now`: tokens carry the second in which they were issued."""
    return now.replace(microsecond=0) + timedelta(seconds=1)


def _check(client: NewClient) -> None:
    faults = client_faults(client)
    if faults:
        raise Invalid(_("应用登记的内容有误：%(faults)s") % {"faults": "; ".join(faults)})


def _fill(row: Client, client: NewClient) -> None:
    facts = replace(client, name=client.name.strip(), sector=sector_of(client, row.client_id))
    for name in ("name", "auth", "jwks", "jwks_uri", "subject_type", "sector", "is_first_party", "is_governed", "org_id"):
        setattr(row, name, getattr(facts, name))
    for name in ("backchannel_logout_uri", "id_token_alg", "purpose"):
        setattr(row, name, getattr(facts, name))
    row.grant_types, row.scopes = sorted(facts.grant_types), sorted(facts.scopes)
    row.redirect_uris, row.post_logout_redirect_uris = list(facts.redirect_uris), list(facts.post_logout_redirect_uris)


def _locked(client_id: str) -> Client:
    row = Client.objects.select_for_update().filter(client_id=client_id).first()
    if row is None:
        raise NotFound(_("没有找到这个应用。"))
    return row


def _add_secret(client_pk: int, *, now: datetime) -> str:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    ClientSecret.objects.create(client_id=client_pk, digest=secret_digest(secret), hint=secret[-4:], created_at=now)
    return secret
