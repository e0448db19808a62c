"""Accounts opened, suspended and resumed for the system that provisions them, under the rules for first passwords."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.identity.data import AccountData, SleepReason
from shuren.identity.models import Account
from shuren.identity.rules import locks
from shuren.identity.selectors.accounts import account_by_name, account_data
from shuren.identity.services.credentials import check_reach, create_accounts
from shuren.identity.services.life import put_to_sleep, wake
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound

NAME_LENGTH = 80


@transaction.atomic
def provision_account(*, actor: Actor, person_id: int, username: str = "", now: datetime) -> AccountData:
    """Open the account of a person of the roster; nobody can use it until a password is handed out.

    Who may is who may hand out the person's password (`issue_credentials`). The name must not be one by which somebody
    else signs in. `Conflict` where the person has an account or the name is taken.
    """
    _check(actor=actor, person_id=person_id, now=now)
    if Account.objects.filter(person_id=person_id).exists():
        raise Conflict(_("这个人已经有账号。"))
    if len(username) > NAME_LENGTH:
        raise Invalid(_("用户名太长。"), remedy=_("请用不超过 80 个字的用户名。"))
    name = locks.sign_in_name(username)
    if name and account_by_name(name) is not None:
        raise Conflict(_("这个用户名已经有人使用。"), remedy=_("请换一个用户名。"))
    create_accounts(actor=actor, person_ids=[person_id], usernames={person_id: name} if name else None, now=now)
    return account_data(Account.objects.get(person_id=person_id))


@transaction.atomic
def suspend_account(*, actor: Actor, person_id: int, now: datetime) -> None:
    """Let a person's account sleep until `resume_account`; their sessions and tokens end. Publishes `identity.account_slept`."""
    account = _account(actor=actor, person_id=person_id, now=now)
    put_to_sleep(actor=actor, account_id=account.pk, reason=SleepReason.SUSPENDED, now=now)


@transaction.atomic
def resume_account(*, actor: Actor, person_id: int, now: datetime) -> None:
    """Wake a person's account, unless an officer has stopped it; publishes `identity.account_woken`."""
    account = _account(actor=actor, person_id=person_id, now=now)
    wake(actor=actor, account_id=account.pk, now=now)


def _account(*, actor: Actor, person_id: int, now: datetime) -> Account:
    _check(actor=actor, person_id=person_id, now=now)
    account = Account.objects.filter(person_id=person_id).first()
    if account is None:
        raise NotFound(_("这个人还没有账号。"))
    return account


def _check(*, actor: Actor, person_id: int, now: datetime) -> None:
    people = directory.people_by_ids([person_id])
    if person_id not in people:
        raise NotFound(_("没有找到这个人。"))
    check_reach(actor=actor, people=people, now=now, even_held=True)
