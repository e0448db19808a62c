"""Ending all that an account has open: its sessions, and the tokens of apps that would outlive them."""

from datetime import datetime

from django.db import transaction

from shuren.identity.models import Authorization, SignIn
from shuren.identity.services.oauth.families import end_families
from shuren.identity.services.oauth.logout import notify_clients
from shuren.identity.services.sign_in import end_other_sign_ins
from shuren.kernel import audit
from shuren.kernel.data import Actor


@transaction.atomic
def end_access(*, account_id: int, kept_session_key: str | None = None, now: datetime) -> int:
    """End every session but the kept one, and every token but those that end with it; returns how many sessions.

    Tokens of devices, and those that were let outlive their session, end too, and their apps are told: whoever took an
    account over must not keep a door of their own. The caller audits why.
    """
    ended = end_other_sign_ins(account_id=account_id, kept_session_key=kept_session_key, now=now)
    kept = list(SignIn.objects.filter(session_key=kept_session_key or "").values_list("pk", flat=True))
    families = Authorization.objects.filter(account_id=account_id, ended_at=None, expires_at__gt=now)
    families = families.exclude(is_offline=False, sign_in__in=kept)
    notify_clients(families, now=now)
    end_families(families, now=now)
    return ended


@transaction.atomic
def sign_out_elsewhere(*, actor: Actor, kept_session_key: str | None, now: datetime) -> int:
    """End every session of the actor but this one, and the apps' tokens with them; returns how many sessions."""
    assert actor.account_id is not None
    ended = end_access(account_id=actor.account_id, kept_session_key=kept_session_key, now=now)
    details = {"count": ended}
    audit.record(actor=actor, action="identity.sessions_ended", target=f"account:{actor.account_id}", details=details, now=now)
    return ended
