"""The account of somebody whose data was erased: closed for good, and emptied of what could name them."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from shuren.identity.data import SleepReason
from shuren.identity.models import Account, AppConsent, Authorization, FormerPassword, FormerUsername
from shuren.identity.services.life import put_to_sleep
from shuren.identity.services.oauth.families import end_families
from shuren.identity.services.oauth.logout import notify_clients
from shuren.identity.services.ways_in import forget_ways_in
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM


@transaction.atomic
def close_account(*, person_id: int, now: datetime) -> int | None:
    """End the sessions and tokens of a person's account, forget its names and factors; returns its id, None without one.

    The row stays, nameless, so that what the account once did can still be told apart; nothing wakes it and nobody gets
    a password for it. Apps are told to sign the person out. Publishes `identity.account_closed`. Run twice it does
    nothing the second time.
    """
    account = Account.objects.select_for_update().filter(person_id=person_id).first()
    if account is None or account.sleep_reason == SleepReason.ERASED:
        return account.pk if account else None
    families = Authorization.objects.filter(account=account, ended_at=None)
    notify_clients(families, now=now)
    ended = end_families(families, now=now)
    put_to_sleep(actor=SYSTEM, account_id=account.pk, reason=SleepReason.ERASED, now=now)
    AppConsent.objects.filter(account=account).update(is_allowed=False, decided_at=now)
    # Tickets of CAS and sessions of SAML stay until they are swept: by them the services are told to sign the person out.
    gone = forget_ways_in(account, FormerPassword, FormerUsername)
    Account.objects.filter(pk=account.pk).update(
        username=f"erased-{account.pk}",
        password=make_password(None),
        is_active=False,
        asleep_since=now,
        sleep_reason=SleepReason.ERASED.value,
    )
    details = {"tokens": ended, "erased": gone}
    audit.record(actor=SYSTEM, action="identity.account_closed", target=f"account:{account.pk}", details=details, now=now)
    events.publish("identity.account_closed", {"account_id": account.pk, "person_id": person_id}, now=now)
    return account.pk
