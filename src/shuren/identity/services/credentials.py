"""Making accounts and handing out first passwords."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from random import SystemRandom

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission, PersonData
from shuren.identity.data import LeftOutReason, SleepReason, Slip
from shuren.identity.models import Account
from shuren.identity.rules import locks
from shuren.identity.rules.passwords import MAX_SLIPS, initial_password
from shuren.identity.selectors.accounts import person_ids_without_account
from shuren.identity.services.life import wake
from shuren.identity.services.sign_out import end_access
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused

_BATCH = 1_000
_STOPPED = {SleepReason.HELD: LeftOutReason.HELD, SleepReason.ERASED: LeftOutReason.ERASED}


def create_accounts(*, actor: Actor, person_ids: Iterable[int], usernames: Mapping[int, str] | None = None, now: datetime) -> int:
    """Give an account to each person who has none; returns how many were made.

    The username is the person's number unless `usernames` names another. Nothing is hashed: the accounts cannot be
    used until `issue_credentials` hands out passwords.
    """
    made = 0
    stream = iter(person_ids)
    while batch := list(islice(stream, _BATCH)):
        missing = person_ids_without_account(batch)
        people = directory.people_by_ids(missing)
        accounts = [
            Account(
                person_id=person_id,
                username=locks.sign_in_name((usernames or {}).get(person_id) or people[person_id].number),
                password=make_password(None),
                must_change_password=True,
                created_at=now,
            )
            for person_id in missing
            if person_id in people
        ]
        with transaction.atomic():
            Account.objects.bulk_create(accounts)
            if accounts:
                details = {"count": len(accounts)}
                audit.record(actor=actor, action="identity.accounts_created", target="account:many", details=details, now=now)
        made += len(accounts)
    return made


def issue_credentials(*, actor: Actor, person_ids: Sequence[int], now: datetime) -> list[Slip]:
    """Give each person a new first password, which they must change; ends their sessions and lifts their locks.

    `actor` needs `ISSUE_CREDENTIALS` on every person, and every duty of theirs must lie inside the same branches:
    else a school could take over the account of an officer whose child it teaches. At most 500 at a time. The
    passwords are in the answer and nowhere else.
    """
    wanted = list(dict.fromkeys(person_ids))
    if not wanted:
        raise Invalid(_("还没有选人。"), remedy=_("请先勾选要发放密码的人。"))
    if len(wanted) > MAX_SLIPS:
        raise Invalid(_("一次最多给 %(limit)d 人发放密码。") % {"limit": MAX_SLIPS}, remedy=_("请按班级或部门分批发放。"))
    people = directory.people_by_ids(wanted)
    if set(wanted) - set(people):
        raise NotFound(_("有人不在您可以发放密码的范围内。"))
    check_reach(actor=actor, people=people, now=now)
    create_accounts(actor=actor, person_ids=wanted, now=now)
    slips = draw_slips([people[person_id] for person_id in wanted])
    hashes = {slip.person_id: make_password(slip.password) for slip in slips}
    set_first_passwords(actor=actor, hashes=hashes, now=now)
    return slips


def draw_slips(people: Sequence[PersonData]) -> list[Slip]:
    """New first passwords, drawn and not yet set; everybody needs an account already."""
    names = dict(Account.objects.filter(person_id__in=[person.id for person in people]).values_list("person_id", "username"))
    random = SystemRandom()
    return [Slip(person.id, person.number, person.name, names[person.id], initial_password(random)) for person in people]


@transaction.atomic
def set_first_passwords(*, actor: Actor, hashes: Mapping[int, str], now: datetime) -> None:
    """Let these hashes open the people's accounts, once changed: ends sessions and tokens, lifts locks, wakes who sleeps.

    What an officer has stopped sleeps on. The caller has asked whether `actor` may.
    """
    for account in Account.objects.filter(person_id__in=list(hashes)).only("pk", "person_id"):
        person_id = account.person_id or 0
        Account.objects.filter(pk=account.pk).update(
            password=hashes[person_id],
            must_change_password=True,
            password_changed_at=now,
            failed_count=0,
            locked_until=None,
        )
        end_access(account_id=account.pk, now=now)
        wake(actor=actor, account_id=account.pk, now=now)
        audit.record(actor=actor, action="identity.credentials_issued", target=f"person:{person_id}", now=now)


def who_is_left_out(
    *, actor: Actor, person_ids: Collection[int], permission: Permission = Permission.ISSUE_CREDENTIALS, now: datetime
) -> dict[int, LeftOutReason]:
    """Those whose account `actor` may not take in hand, and why: not their own, none out of reach, nobody with wider duties."""
    wanted = list(person_ids)
    within = directory.people_within(actor=actor, person_ids=wanted, permission=permission, now=now)
    scope = directory.scope_of(actor=actor, permission=permission, now=now)
    duties = directory.duty_paths_of(wanted, now=now)
    stopped = Account.objects.filter(person_id__in=wanted, sleep_reason__in=_STOPPED).values_list("person_id", "sleep_reason")
    found = {person_id: _STOPPED[SleepReason(reason)] for person_id, reason in stopped if person_id is not None}
    for person_id in wanted:
        if person_id == actor.person_id:
            found[person_id] = LeftOutReason.SELF
        elif person_id not in within:
            found[person_id] = LeftOutReason.OUTSIDE
        elif not all(scope.covers(path) for path in duties.get(person_id, ())):
            found[person_id] = LeftOutReason.WIDER_DUTIES
    return found


def check_reach(*, actor: Actor, people: Mapping[int, PersonData], now: datetime, even_held: bool = False) -> None:
    """Refuse where `actor` may not hand out the password of everybody of `people`; see `who_is_left_out`.

    `even_held` passes over accounts that an officer has stopped.
    """
    left_out = who_is_left_out(actor=actor, person_ids=list(people), now=now)
    if even_held:
        left_out = {person_id: reason for person_id, reason in left_out.items() if reason is not LeftOutReason.HELD}
    reasons = set(left_out.values())
    if LeftOutReason.SELF in reasons:
        raise Refused(_("不能给自己发放密码。"), remedy=_("请在“我的账号”里修改密码。"))
    if LeftOutReason.OUTSIDE in reasons:
        raise NotFound(_("有人不在您可以发放密码的范围内。"))
    if LeftOutReason.ERASED in reasons:
        raise Conflict(_("有人的账号已经注销，不能再发放密码。"), remedy=_("请取消勾选已注销的人。"))
    if LeftOutReason.HELD in reasons:
        raise Conflict(_("有人的账号被停用，不能发放密码。"), remedy=_("请先唤醒这个账号，或取消勾选。"))
    for person_id in left_out:
        raise Refused(
            _("%(name)s 在您管辖以外还有职务，不能由您发放密码。") % {"name": people[person_id].name},
            remedy=_("请取消勾选，并请上级单位发放。"),
        )
