"""Making accounts and handing out first passwords."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from random import SystemRandom

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission, PersonData
from shuren.identity import rules, selectors
from shuren.identity.data import Slip
from shuren.identity.models import Account
from shuren.identity.services.sign_in import end_other_sign_ins
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound, Refused

_BATCH = 1_000


def create_accounts(*, actor: Actor, person_ids: Iterable[int], usernames: Mapping[int, str] | None = None, now: datetime) -> int:
    """Give an account to each person who has none; returns how many were made.

    The username is the person's number unless `usernames` names another. Nothing is hashed: the accounts cannot be
    used until `issue_credentials` hands out passwords.
    """
    made = 0
    stream = iter(person_ids)
    while batch := list(islice(stream, _BATCH)):
        missing = selectors.person_ids_without_account(batch)
        people = directory.people_by_ids(missing)
        accounts = [
            Account(
                person_id=person_id,
                username=rules.sign_in_name((usernames or {}).get(person_id) or people[person_id].number),
                password=make_password(None),
                must_change_password=True,
                created_at=now,
            )
            for person_id in missing
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
    if len(wanted) > rules.MAX_SLIPS:
        raise Invalid(_("一次最多给 %(limit)d 人发放密码。") % {"limit": rules.MAX_SLIPS}, remedy=_("请按班级或部门分批发放。"))
    people = directory.people_by_ids(wanted)
    _check_reach(actor=actor, people=people, now=now)
    create_accounts(actor=actor, person_ids=wanted, now=now)
    accounts = {account.person_id: account for account in Account.objects.filter(person_id__in=wanted)}
    random = SystemRandom()
    slips = [_slip(people[person_id], accounts[person_id].username, random) for person_id in wanted]
    hashes = {slip.person_id: make_password(slip.password) for slip in slips}
    with transaction.atomic():
        for slip in slips:
            account = accounts[slip.person_id]
            Account.objects.filter(pk=account.pk).update(
                password=hashes[slip.person_id],
                must_change_password=True,
                password_changed_at=now,
                failed_count=0,
                locked_until=None,
            )
            end_other_sign_ins(account_id=account.pk, kept_session_key=None)
            audit.record(actor=actor, action="identity.credentials_issued", target=f"person:{slip.person_id}", now=now)
    return slips


def _check_reach(*, actor: Actor, people: Mapping[int, PersonData], now: datetime) -> None:
    within = directory.people_within(actor=actor, person_ids=list(people), permission=Permission.ISSUE_CREDENTIALS, now=now)
    if actor.person_id in people:
        raise Refused(_("不能给自己发放密码。"), remedy=_("请在“我的账号”里修改密码。"))
    if set(people) - within:
        raise NotFound(_("有人不在您可以发放密码的范围内。"))
    scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CREDENTIALS, now=now)
    for person_id, paths in directory.duty_paths_of(list(people), now=now).items():
        if not all(scope.covers(path) for path in paths):
            raise Refused(
                _("%(name)s 在您管辖以外还有职务，不能由您发放密码。") % {"name": people[person_id].name},
                remedy=_("请取消勾选，并请上级单位发放。"),
            )


def _slip(person: PersonData, username: str, random: SystemRandom) -> Slip:
    return Slip(person.id, person.number, person.name, username, rules.initial_password(random))
