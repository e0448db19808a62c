"""Looking after the accounts of others: signed out, asleep, awake, unlocked."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.data import LeftOutReason, SleepReason
from shuren.identity.models import Account, Failure
from shuren.identity.selectors.account_list import PERMISSIONS, access_account, lock_q
from shuren.identity.services.credentials import who_is_left_out
from shuren.identity.services.life import put_to_sleep, wake
from shuren.identity.services.sign_in import end_other_sign_ins
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound, Refused

# Merged and erased accounts have ended for good.
WAKEABLE = (SleepReason.LEFT, SleepReason.UNUSED, SleepReason.HELD)


@transaction.atomic
def sign_account_out(*, actor: Actor, account_id: int, now: datetime) -> int:
    """End every session of somebody else's account, and what hangs on it; returns how many there were."""
    account = _held(actor, account_id, now=now)
    ended = end_other_sign_ins(account_id=account.pk, kept_session_key=None, now=now)
    details = {"count": ended}
    audit.record(actor=actor, action="identity.sessions_ended", target=f"account:{account.pk}", details=details, now=now)
    return ended


def hold_account(*, actor: Actor, account_id: int, now: datetime) -> None:
    """Put an account to sleep by hand: it wakes only by hand, or with a new first password."""
    account = _held(actor, account_id, now=now)
    if not account.is_active:
        raise Conflict(_("这个账号已经在休眠。"), remedy=_("请刷新页面。"))
    put_to_sleep(actor=actor, account_id=account.pk, reason=SleepReason.HELD, now=now)


def wake_held_account(*, actor: Actor, account_id: int, now: datetime) -> None:
    """Wake an account that sleeps for whatever reason but having ended for good."""
    account = _held(actor, account_id, now=now)
    if account.is_active:
        raise Conflict(_("这个账号没有休眠。"), remedy=_("请刷新页面。"))
    if account.sleep_reason not in WAKEABLE:
        raise Conflict(_("这个账号已经合并或注销，不能唤醒。"))
    wake(actor=actor, account_id=account.pk, now=now)


@transaction.atomic
def unlock_account(*, actor: Actor, account_id: int, now: datetime) -> None:
    """Forget the wrong passwords counted against an account, so that its owner need not wait."""
    account = _held(actor, account_id, now=now)
    Account.objects.filter(pk=account.pk).update(failed_count=0, locked_until=None)
    forgotten, _kinds = Failure.objects.filter(lock_q(account.pk)).delete()
    details = {"count": forgotten}
    audit.record(actor=actor, action="identity.account_unlocked", target=f"account:{account.pk}", details=details, now=now)


def _held(actor: Actor, account_id: int, *, now: datetime) -> Account:
    """The account, if `actor` may take it in hand: as with first passwords, not their own, and nobody's with wider duties."""
    account = access_account(actor=actor, id=account_id, now=now)
    person_id = account.person_id or 0
    reasons = [
        who_is_left_out(actor=actor, person_ids=[person_id], permission=permission, now=now).get(person_id)
        for permission in PERMISSIONS
    ]
    if None in reasons or set(reasons) & {LeftOutReason.ERASED}:
        return account
    if LeftOutReason.SELF in reasons:
        raise Refused(_("不能这样处理自己的账号。"), remedy=_("请在“我的账号”里处理。"))
    if LeftOutReason.WIDER_DUTIES in reasons:
        raise Refused(_("这个人在您管辖以外还有职务，不能由您处理。"), remedy=_("请上级单位处理。"))
    raise NotFound(_("没有找到这个账号。"))
