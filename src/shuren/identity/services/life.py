"""Accounts from joining to leaving: opened, kept, put to sleep, woken, never deleted."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.data import SleepReason
from shuren.identity.models import Account
from shuren.identity.rules.life import Life, Turn, turn_of
from shuren.identity.services.sign_out import end_access
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.messaging import api as messaging

_CHUNK = 2_000
_SLEEPS = {Turn.SLEEP_LEFT: SleepReason.LEFT, Turn.SLEEP_UNUSED: SleepReason.UNUSED}


def review_accounts(
    *, now: datetime, after: int = 0, on_chunk: Callable[[int, dict[str, int]], None] = lambda _last, _counts: None
) -> dict[str, int]:
    """Go through all accounts in order of id, from behind `after`, and let each take its next step.

    Each chunk is a transaction of its own, at whose end `on_chunk` is told the last id and what happened so far, so
    that a killed run goes on there. Returns how many accounts took which step.
    """
    counts: dict[str, int] = {}
    while True:
        rows = Account.objects.filter(pk__gt=after, person__isnull=False).order_by("pk")
        with transaction.atomic():
            chunk = list(rows.only(*_NEEDED)[:_CHUNK])
            if not chunk:
                return counts
            for turn, accounts in _turns(chunk, now=now).items():
                counts[turn] = counts.get(turn, 0) + len(accounts)
                _take(turn, accounts, now=now)
            after = chunk[-1].pk
            on_chunk(after, counts)


def review_people(*, person_ids: Iterable[int], now: datetime) -> None:
    """Let the accounts of these people take their next step at once: somebody came back, or left their last place."""
    with transaction.atomic():
        chunk = list(Account.objects.filter(person_id__in=list(person_ids)).only(*_NEEDED))
        for turn, accounts in _turns(chunk, now=now).items():
            _take(turn, accounts, now=now)


def put_to_sleep(*, actor: Actor, account_id: int, reason: SleepReason, now: datetime) -> None:
    """Let an account sleep: nobody comes in by it, its sessions and tokens end. Publishes `identity.account_slept`.

    The caller has asked whether `actor` may.
    """
    with transaction.atomic():
        slept = Account.objects.filter(pk=account_id, is_active=True).update(
            is_active=False, asleep_since=now, sleep_reason=reason.value
        )
        if not slept:
            return
        end_access(account_id=account_id, now=now)
        details = {"reason": reason.value}
        audit.record(actor=actor, action="identity.account_slept", target=f"account:{account_id}", details=details, now=now)
        events.publish("identity.account_slept", {"account_id": account_id, **details}, now=now)


def wake(*, actor: Actor, account_id: int, now: datetime, even_held: bool = False) -> None:
    """Let a sleeping account be used again; publishes `identity.account_woken`. The caller has asked whether `actor` may.

    What an officer has stopped stays so unless somebody lets it go by hand (`even_held`).
    """
    ended = {SleepReason.MERGED, SleepReason.ERASED} | (set() if even_held else {SleepReason.HELD})
    with transaction.atomic():
        sleeping = Account.objects.filter(pk=account_id, is_active=False).exclude(sleep_reason__in=ended)
        woken = sleeping.update(is_active=True, asleep_since=None, sleep_reason="", tieless_since=None, last_sign_in_at=now)
        if woken:
            audit.record(actor=actor, action="identity.account_woken", target=f"account:{account_id}", now=now)
            events.publish("identity.account_woken", {"account_id": account_id}, now=now)


def wake_account(*, actor: Actor, person_id: int, now: datetime) -> None:
    """Wake a person's account at the wish of somebody who may hand out their password."""
    if person_id not in directory.people_within(
        actor=actor, person_ids=[person_id], permission=Permission.ISSUE_CREDENTIALS, now=now
    ):
        raise NotFound(_("没有找到这个人。"))
    account = Account.objects.filter(person_id=person_id).first()
    if account is None or account.is_active or account.sleep_reason == SleepReason.ERASED:
        raise Conflict(_("这个账号没有休眠。"), remedy=_("请刷新页面。"))
    wake(actor=actor, account_id=account.pk, now=now, even_held=True)


_NEEDED = (
    "person_id",
    "password",
    "is_active",
    "sleep_reason",
    "tieless_since",
    "last_sign_in_at",
    "password_changed_at",
    "created_at",
    "language",
)


def _turns(accounts: Iterable[Account], *, now: datetime) -> dict[Turn, list[Account]]:
    found = [(account, account.person_id) for account in accounts if account.person_id is not None]
    tied = directory.people_with_ties([person_id for _account, person_id in found], now=now)
    turns: dict[Turn, list[Account]] = {}
    for account, person_id in found:
        life = Life(
            is_active=account.is_active,
            sleep_reason=SleepReason(account.sleep_reason) if account.sleep_reason else None,
            has_ties=person_id in tied,
            tieless_since=account.tieless_since,
            is_usable=account.has_usable_password(),
            used_at=account.last_sign_in_at or account.password_changed_at or account.created_at,
        )
        turn = turn_of(life, now=now, grace=settings.SHUREN_LEAVER_GRACE, unused_after=settings.SHUREN_UNUSED_AFTER)
        if turn is not Turn.STAY:
            turns.setdefault(turn, []).append(account)
    return turns


def _take(turn: Turn, accounts: list[Account], *, now: datetime) -> None:
    rows = Account.objects.filter(pk__in=[account.pk for account in accounts])
    if turn is Turn.NOTE_TIELESS:
        rows.update(tieless_since=now)
    elif turn is Turn.FORGET_TIELESS:
        rows.update(tieless_since=None)
    elif turn is Turn.WARN:
        _warn(accounts, now=now)
    elif turn is Turn.WAKE:
        for account in accounts:
            wake(actor=SYSTEM, account_id=account.pk, now=now)
    else:
        for account in accounts:
            put_to_sleep(actor=SYSTEM, account_id=account.pk, reason=_SLEEPS[turn], now=now)


def _warn(accounts: Iterable[Account], *, now: datetime) -> None:
    """Each is told once for every time of not being used, in the language of their account."""
    for account in accounts:
        assert account.person_id is not None
        used_at = account.last_sign_in_at or account.password_changed_at or account.created_at
        with translation.override(account.language or settings.LANGUAGE_CODE):
            messaging.notify(
                person_ids=[account.person_id],
                title=_("您的账号很久没有使用，快要休眠了"),
                body=_("登录一次就可以继续使用。休眠后，可以请班主任或本单位管理员唤醒。"),
                key=f"unused:{used_at:%Y-%m-%d}",
                now=now,
            )
