"""Looking after the accounts of others: signed out, asleep, awake, unlocked, rid of lost factors."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.identity.data import LeftOutReason, SleepReason
from shuren.identity.models import Account, Failure
from shuren.identity.selectors.account_list import PERMISSIONS, access_account, lock_q
from shuren.identity.services.credentials import who_is_left_out
from shuren.identity.services.life import put_to_sleep, wake
from shuren.identity.services.sign_out import end_access
from shuren.identity.services.ways_in import forget_ways_in
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.messaging import api as messaging

# Merged and erased accounts have ended for good.
WAKEABLE = (SleepReason.LEFT, SleepReason.UNUSED, SleepReason.HELD, SleepReason.SUSPENDED)


@transaction.atomic
def sign_account_out(*, actor: Actor, account_id: int, now: datetime) -> int:
    """End every session of somebody else's account, and what hangs on it; returns how many there were."""
    account = _held(actor, account_id, now=now)
    ended = end_access(account_id=account.pk, now=now)
    details = {"count": ended}
    audit.record(actor=actor, action="identity.sessions_ended", target=f"account:{account.pk}", details=details, now=now)
    return ended


@transaction.atomic
def reset_factors(*, actor: Actor, account_id: int, now: datetime) -> None:
    """Forget every second factor and every other way into somebody's account, for who has lost them or fears a stranger.

    What is left is the password. Sessions and tokens end, browsers are strange again, and the owner is told.
    """
    account = _held(actor, account_id, now=now)
    details = {"removed": forget_ways_in(account)}
    end_access(account_id=account.pk, now=now)
    audit.record(actor=actor, action="identity.factors_reset", target=f"account:{account.pk}", details=details, now=now)
    if account.person_id is not None:
        messaging.notify(
            person_ids=[account.person_id],
            title=_("您的第二种验证方式已被清除"),
            body=_("通行密钥、验证器应用、备用码和其他登录方式都要重新登记。如果不是您要求的，请联系本单位管理员。"),
            url=reverse("identity:security"),
            key=f"factors_reset:{account.pk}:{now:%Y-%m-%dT%H:%M}",
            now=now,
        )


def hold_account(*, actor: Actor, account_id: int, now: datetime) -> None:
    """Put an account to sleep by hand: it wakes only by hand."""
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
    wake(actor=actor, account_id=account.pk, now=now, even_held=True)


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
    if None in reasons or set(reasons) & {LeftOutReason.ERASED, LeftOutReason.HELD}:
        return account
    if LeftOutReason.SELF in reasons:
        raise Refused(_("不能这样处理自己的账号。"), remedy=_("请在“我的账号”里处理。"))
    if LeftOutReason.WIDER_DUTIES in reasons:
        raise Refused(_("这个人在您管辖以外还有职务，不能由您处理。"), remedy=_("请上级单位处理。"))
    raise NotFound(_("没有找到这个账号。"))
