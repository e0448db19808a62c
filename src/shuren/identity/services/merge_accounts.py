"""Two accounts of one human become one, after the directory has made two people one."""

from datetime import datetime

from django.db import transaction

from shuren.identity.data import SleepReason
from shuren.identity.models import Account, BindingCode, FormerUsername, Passkey, TotpSecret, UpstreamLink, VendorBinding
from shuren.identity.services.life import put_to_sleep
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM


@transaction.atomic
def merge_accounts(*, kept_person_id: int, dropped_person_id: int, now: datetime) -> int | None:
    """Let the account that was used last go on for the kept person; returns its id, None when neither had one.

    The other one's username still leads here; its authenticator app, and its ties to WeCom and the like and to identity
    providers, come along where there are none yet. Its passkeys know the account they were made for and go. Codes for
    the parents of the dropped person lead to the kept one. Its sessions and tokens end, and it sleeps for good. Publishes
    `identity.accounts_merged`. Run twice it does nothing the second time.
    """
    BindingCode.objects.filter(ward_id=dropped_person_id).update(ward_id=kept_person_id)
    BindingCode.objects.filter(guardian_id=dropped_person_id).update(guardian_id=kept_person_id)
    rows = list(Account.objects.select_for_update().filter(person_id__in=(kept_person_id, dropped_person_id)).order_by("pk"))
    if not rows:
        return None
    keep = max(rows, key=lambda row: (row.is_active, row.has_usable_password(), _used_at(row), row.person_id == kept_person_id))
    for other in rows:
        if other.pk != keep.pk:
            _fold(other, keep, now=now)
    if keep.person_id != kept_person_id:
        keep.person_id = kept_person_id
        keep.save(update_fields=["person_id"])
    return keep.pk


def _fold(other: Account, keep: Account, *, now: datetime) -> None:
    Passkey.objects.filter(account=other).delete()
    if not TotpSecret.objects.filter(account=keep).exists():
        TotpSecret.objects.filter(account=other).update(account=keep)
    tied = VendorBinding.objects.filter(account=keep).values("vendor")
    VendorBinding.objects.filter(account=other).exclude(vendor__in=tied).update(account=keep)
    VendorBinding.objects.filter(account=other).delete()
    linked = UpstreamLink.objects.filter(account=keep).values("upstream_id")
    UpstreamLink.objects.filter(account=other).exclude(upstream_id__in=linked).update(account=keep)
    UpstreamLink.objects.filter(account=other).delete()
    FormerUsername.objects.filter(account=other).update(account=keep)
    FormerUsername.objects.create(account=keep, username=other.username, merged_at=now)
    put_to_sleep(actor=SYSTEM, account_id=other.pk, reason=SleepReason.MERGED, now=now)
    Account.objects.filter(pk=other.pk).update(
        person=None, username=f"merged-{other.pk}", is_active=False, sleep_reason=SleepReason.MERGED.value
    )
    details = {"dropped_account": other.pk}
    audit.record(actor=SYSTEM, action="identity.accounts_merged", target=f"account:{keep.pk}", details=details, now=now)
    events.publish("identity.accounts_merged", {"account_id": keep.pk, "dropped_account_id": other.pk}, now=now)


def _used_at(account: Account) -> float:
    moment = account.last_sign_in_at or account.password_changed_at or account.created_at
    return moment.timestamp()
