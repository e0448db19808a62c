"""Yes and no to apps: both are written down, both can be changed at any time."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision
from shuren.identity.data import ClientData
from shuren.identity.models import AppConsent, Authorization, Client
from shuren.identity.selectors.app_consents import covered_scopes
from shuren.identity.selectors.clients import client_data
from shuren.identity.selectors.notices import Notice, notices_about
from shuren.identity.services.oauth.families import end_families
from shuren.identity.services.oauth.logout import notify_clients
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound


@transaction.atomic
def allow_app(*, actor: Actor, client_pk: int, scopes: Collection[str], now: datetime) -> None:
    """Remember that the actor lets an app have these scopes, beside those allowed before; audited."""
    assert actor.account_id is not None
    allowed = covered_scopes(account_id=actor.account_id, client_pk=client_pk) | set(scopes)
    _write(actor.account_id, client_pk, allowed, is_allowed=True, now=now)
    audit.record(
        actor=actor, action="identity.app_allowed", target=f"client:{client_pk}", details={"scopes": sorted(scopes)}, now=now
    )


@transaction.atomic
def answer_notices(*, actor: Actor, client: ClientData, agreed: Collection[str], now: datetime) -> None:
    """Answer the directory's notices about an app that are the actor's own: yes to those `agreed` (public ids), no to the rest.

    What is kept stands with the directory alone; nobody else's notice is touched.
    """
    for notice in notices_about(actor=actor, client=client, now=now):
        is_agreed = notice.public_id in agreed
        if notice.is_own and (notice.is_waiting or is_agreed is not notice.is_given):
            decision = ConsentDecision.GIVEN if is_agreed else ConsentDecision.REFUSED
            _decide(actor, notice, decision, now=now)


@transaction.atomic
def refuse_app(*, actor: Actor, client_pk: int, scopes: Collection[str], now: datetime) -> None:
    """Remember that the actor said no; what was allowed before stays until it is withdrawn."""
    assert actor.account_id is not None
    if not covered_scopes(account_id=actor.account_id, client_pk=client_pk):
        _write(actor.account_id, client_pk, scopes, is_allowed=False, now=now)
    audit.record(
        actor=actor, action="identity.app_refused", target=f"client:{client_pk}", details={"scopes": sorted(scopes)}, now=now
    )


@transaction.atomic
def withdraw_app(*, actor: Actor, client_pk: int, now: datetime) -> None:
    """Take back what an app was allowed: its tokens for the actor end at once, and it is told to sign the actor out.

    What the actor agreed to in the directory's notices about the app is taken back as well. Publishes
    `identity.app_withdrawn`.
    """
    assert actor.account_id is not None
    client = Client.objects.filter(pk=client_pk).first()
    families = Authorization.objects.filter(account_id=actor.account_id, client_id=client_pk)
    known = AppConsent.objects.filter(account_id=actor.account_id, client_id=client_pk)
    if client is None or not (known.exists() or families.exists()):
        raise NotFound(_("没有找到这个应用。"))
    notify_clients(families.filter(ended_at=None), now=now)
    end_families(families, now=now)
    scopes = known.values_list("scopes", flat=True).first() or ""
    _write(actor.account_id, client_pk, scopes.split(), is_allowed=False, now=now)
    for notice in notices_about(actor=actor, client=client_data(client), now=now):
        if notice.is_own and notice.is_given:
            _decide(actor, notice, ConsentDecision.WITHDRAWN, now=now)
    audit.record(actor=actor, action="identity.app_withdrawn", target=f"client:{client_pk}", now=now)
    events.publish("identity.app_withdrawn", {"account_id": actor.account_id, "client_id": client.client_id}, now=now)


def _decide(actor: Actor, notice: Notice, decision: ConsentDecision, *, now: datetime) -> None:
    assert actor.person_id is not None
    directory.decide_consent(actor=actor, person_id=actor.person_id, text_id=notice.text_id, decision=decision, now=now)


def _write(account_id: int, client_pk: int, scopes: Collection[str], *, is_allowed: bool, now: datetime) -> None:
    AppConsent.objects.update_or_create(
        account_id=account_id,
        client_id=client_pk,
        defaults={"scopes": " ".join(sorted(scopes)), "is_allowed": is_allowed, "decided_at": now},
    )
