"""Telling apps that somebody signed out (OpenID Connect Back-Channel Logout 1.0)."""

from datetime import datetime
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import QuerySet

from shuren.identity.data import ClientStatus
from shuren.identity.models import Account, Authorization, Client
from shuren.identity.selectors.clients import client_data
from shuren.identity.services.oauth.families import end_session_families
from shuren.identity.services.oauth.id_tokens import logout_token_for, session_id_of, subject_of
from shuren.kernel import outward
from shuren.work.api import enqueue

SEND_JOB = "shuren.identity.jobs.send_logout"


class NotDelivered(Exception):
    """The app did not take its logout token; the job tries again."""


@transaction.atomic
def end_session(*, sign_in_id: int, now: datetime) -> int:
    """What follows from the end of a session: its families end, its apps are told; returns to how many a notice is due."""
    told = notify_clients(Authorization.objects.filter(sign_in=sign_in_id), now=now)
    end_session_families(sign_in_id=sign_in_id, now=now)
    return told


def notify_clients(families: QuerySet[Authorization], *, now: datetime) -> int:
    """Put one notice per app, person and session into the queue; twice the same while it waits is once."""
    redeemed = families.filter(redeemed_at__isnull=False, client__status=ClientStatus.ACTIVE)
    rows = redeemed.exclude(client__backchannel_logout_uri="").values_list("client_id", "account_id", "sign_in", "issuer")
    due = sorted(set(rows), key=str)
    for client_pk, account_id, sign_in, issuer in due:
        args = {"client_pk": client_pk, "account_id": account_id, "sign_in_id": sign_in, "issuer": issuer}
        enqueue(SEND_JOB, args, key=f"logout:{client_pk}:{account_id}:{sign_in}", max_attempts=8)
    return len(due)


def send_logout(*, client_pk: int, account_id: int, sign_in_id: int | None, issuer: str, now: datetime) -> int:
    """Bring a fresh logout token to an app; returns its status. Raises `NotDelivered` for what may pass."""
    row = Client.objects.filter(pk=client_pk).first()
    account = Account.objects.filter(pk=account_id).first()
    if row is None or account is None or not row.backchannel_logout_uri:
        return 0
    client = client_data(row)
    token = logout_token_for(
        client=client, issuer=issuer, sub=subject_of(account, client), sid=session_id_of(sign_in_id), now=now
    )
    try:
        answer = outward.call(
            client.backchannel_logout_uri,
            method="POST",
            body=urlencode({"logout_token": token}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    except (outward.OutwardRefused, outward.OutwardFailed) as fault:
        raise NotDelivered(str(fault)) from fault
    if answer.status >= 500 or answer.status in (408, 429):
        raise NotDelivered(f"HTTP {answer.status}")
    return answer.status
