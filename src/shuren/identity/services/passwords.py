"""Choosing passwords: by their owner, by rule, and never the same ones again."""

from datetime import datetime

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.identity.models import Account, FormerPassword
from shuren.identity.rules import locks
from shuren.identity.rules.passwords import KEPT_PASSWORDS, Owner, password_refusals
from shuren.identity.services.sign_out import end_access
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.search.api import name_syllables


class PasswordRefused(Invalid):
    """The new password breaks the rules; `reasons` says each in a sentence."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class WrongPassword(Refused):
    """The present password was not given correctly."""


def change_password(*, actor: Actor, old: str, new: str, kept_session_key: str | None = None, now: datetime) -> None:
    """Replace the actor's own password and end every session but the kept one.

    Raises `WrongPassword` (counted like a failed sign-in) or `PasswordRefused`.
    """
    account = Account.objects.with_person().filter(pk=actor.account_id).first() if actor.account_id else None
    if account is None:
        raise NotFound(_("没有找到这个账号。"))
    if account.locked_until and account.locked_until > now:
        raise Conflict(_("密码连续输错多次，暂时不能修改。"), remedy=_("请过几分钟再试。"))
    if not account.check_password(old):
        _count_wrong(account, now=now)
        raise WrongPassword(_("现在的密码不对。"))
    reasons = password_refusals(new, owner=_owner(account))
    if account.person_id and directory.tells_national_id(person_id=account.person_id, text=new):
        reasons.append(_("密码里不要用自己的身份证号。"))
    if _was_used(account, new):
        reasons.append(_("这个密码最近用过，请换一个。"))
    if reasons:
        raise PasswordRefused(reasons)
    _replace(account, new, must_change=False, now=now)
    with transaction.atomic():
        account.save(update_fields=["password", "must_change_password", "password_changed_at", "failed_count", "locked_until"])
        end_access(account_id=account.pk, kept_session_key=kept_session_key, now=now)
        audit.record(actor=actor, action="identity.password_changed", target=f"account:{account.pk}", now=now)


def confirm_password(*, actor: Actor, password: str, now: datetime) -> None:
    """Check the actor's own password once more; raises `WrongPassword`, counted as for `change_password`."""
    account = Account.objects.filter(pk=actor.account_id).first() if actor.account_id else None
    if account is None:
        raise NotFound(_("没有找到这个账号。"))
    if account.locked_until and account.locked_until > now:
        raise Conflict(_("密码连续输错多次，暂时不能确认。"), remedy=_("请过几分钟再试。"))
    if not account.check_password(password):
        _count_wrong(account, now=now)
        raise WrongPassword(_("密码不对。"))
    if account.failed_count:
        Account.objects.filter(pk=account.pk).update(failed_count=0, locked_until=None)
    audit.record(actor=actor, action="identity.confirmed", target=f"account:{account.pk}", now=now)


def set_password(*, actor: Actor, person_id: int, password: str, must_change: bool = True, now: datetime) -> None:
    """Give a person's account a known password, by the installation itself only (setup, demo, rescue)."""
    if not actor.is_system:
        raise Refused(_("只有系统本身可以指定密码。"), remedy=_("请用“发放初始密码”。"))
    account = Account.objects.filter(person_id=person_id).first()
    if account is None:
        raise NotFound(_("这个人还没有账号。"))
    _replace(account, password, must_change=must_change, now=now)
    with transaction.atomic():
        account.save(update_fields=["password", "must_change_password", "password_changed_at", "failed_count", "locked_until"])
        audit.record(actor=actor, action="identity.password_set", target=f"account:{account.pk}", now=now)


def _owner(account: Account) -> Owner:
    person = account.person
    if person is None:
        return Owner(numbers=(account.username,))
    syllables = name_syllables(person.name)
    names = (person.name, "".join(syllables), "".join(syllables[1:] + syllables[:1]))
    numbers = (account.username, person.number, person.pupil_number, person.staff_number, person.phone, person.email)
    return Owner(names=names, numbers=tuple(filter(None, numbers)), birth_date=person.birth_date)


def _was_used(account: Account, password: str) -> bool:
    kept = account.former_passwords.order_by("-replaced_at", "-pk").values_list("password", flat=True)[: KEPT_PASSWORDS - 1]
    return any(check_password(password, former) for former in (account.password, *kept))


def _replace(account: Account, password: str, *, must_change: bool, now: datetime) -> None:
    """Set the new password on the unsaved account and put the old hash on the list of former ones."""
    if account.has_usable_password():
        FormerPassword.objects.create(account=account, password=account.password, replaced_at=now)
        stale = account.former_passwords.order_by("-replaced_at", "-pk").values_list("pk", flat=True)[KEPT_PASSWORDS:]
        FormerPassword.objects.filter(pk__in=list(stale)).delete()
    account.set_password(password)
    account.must_change_password = must_change
    account.password_changed_at = now
    account.failed_count = 0
    account.locked_until = None


def _count_wrong(account: Account, *, now: datetime) -> None:
    account.failed_count += 1
    account.locked_until = locks.locked_until(failed_count=account.failed_count, now=now)
    account.save(update_fields=["failed_count", "locked_until"])
