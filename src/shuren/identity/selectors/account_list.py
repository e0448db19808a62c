"""Accounts as those who look after them find them: by name, number, username or phone, by org and by state.

Flat at ten million: a search is a range of an index (the directory's for names and numbers), a state a partial index,
and nothing beyond the page shown is counted.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.identity.data import AccountRow, AccountState
from shuren.identity.models import Account, Failure
from shuren.identity.rules import locks
from shuren.identity.selectors.accounts import account_data, accounts_of_people
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.kernel.scope import path_q

# Whoever hands out passwords in a branch, or manages sign-in there, looks after its accounts.
PERMISSIONS = (Permission.ISSUE_CREDENTIALS, Permission.MANAGE_SIGN_IN)
# A username or phone number that leads to more people than this is typed on.
_NARROW = 500
_LAST = chr(0x10FFFF)
# What waits by itself, and what is counted from everywhere together (see `services/throttle.py`).
_PAIRS = ("pair", "verify:pair", "picture:pair")
_TOGETHER = {
    "strange": locks.MAX_STRANGE_FAILURES,
    "near": locks.MAX_NEAR_FAILURES,
    "verify": locks.MAX_FACTOR_FAILURES,
    "picture": locks.MAX_PICTURE_FAILURES,
}
_STATES = {
    AccountState.ASLEEP: Q(is_active=False),
    AccountState.NEVER_HANDED_OUT: Q(is_active=True, password_changed_at__isnull=True),
}


def account_page(
    *, actor: Actor, org: OrgData | None, search: str, state: AccountState | None, number: int, size: int, now: datetime
) -> Page[AccountRow]:
    """A page of the accounts that `actor` looks after; without a state also of people who have none yet."""
    if state is AccountState.LOCKED:
        return _page_of(_reached(actor, _locked(now=now), org, search, now=now), number, size)
    if state is not None:
        return _page_in_state(actor, state, org, search, number=number, size=size, now=now)
    page = directory.people_page(actor=actor, permissions=PERMISSIONS, org=org, search=search, number=number, size=size, now=now)
    if page.rows or not search:
        accounts = accounts_of_people([row.id for row in page.rows])
        rows = [
            AccountRow(person_id=row.id, name=row.name, number=row.number, org_name=row.org_name, account=accounts.get(row.id))
            for row in page.rows
        ]
        return Page(rows=rows, total=page.total, is_exact=page.is_exact, number=page.number, size=page.size)
    return _page_of(_reached(actor, _named(search), org, "", now=now), number, size)


def access_account(*, actor: Actor, id: int, now: datetime) -> Account:
    """The account of somebody whom `actor` looks after; otherwise `NotFound`."""
    account = Account.objects.with_person().filter(pk=id).first()
    if account is None or account.person_id not in _within(actor, [account.person_id or 0], now=now):
        raise NotFound(_("没有找到这个账号。"))
    return account


def is_locked(account_id: int, *, now: datetime) -> bool:
    """Whether wrong passwords keep a browser, a network or everybody unknown from this account right now."""
    return Failure.objects.filter(lock_q(account_id)).filter(_waiting_q(now)).exists()


def lock_q(account_id: int) -> Q:
    """The failures that were counted against one account: of its password, its second factors, its pictures."""
    whose = f"account:{account_id}"
    found = Q(key__in=[f"{kind}:{whose}" for kind in _TOGETHER])
    return reduce(or_, (_begins_q(f"{kind}:{whose}:") for kind in _PAIRS), found)


def _begins_q(prefix: str) -> Q:
    return Q(key__gte=prefix, key__lt=f"{prefix}{_LAST}")


def _page_in_state(
    actor: Actor, state: AccountState, org: OrgData | None, search: str, *, number: int, size: int, now: datetime
) -> Page[AccountRow]:
    scope = directory.joint_scope(actor=actor, permissions=PERMISSIONS, now=now)
    root = directory.root_org()
    rows = Account.objects.filter(_STATES[state], person__isnull=False)
    if org is None and root is not None and scope.covers(root.path):
        rows = rows.order_by("pk")
    else:
        day = clock.day_of(now)
        current = Q(person__affiliations__end_date__isnull=True) | Q(person__affiliations__end_date__gt=day)
        paths = [org.path] if org else scope.paths
        rows = rows.filter(path_q("person__affiliations__org_path", paths) & current)
        rows = rows.order_by("person__affiliations__org_path", "person__affiliations__role", "person_id")
    if search:
        rows = rows.filter(_search_q(search))
    number = max(1, number)
    start = (number - 1) * size
    # Skipped rows are read from the index alone; only those shown are joined with their people.
    found = list(rows.values_list("pk", flat=True)[start : start + size + 1])
    accounts = Account.objects.with_person().in_bulk(found[:size])
    shown = [_row(accounts[pk]) for pk in found[:size]]
    return Page(rows=shown, total=start + len(found), is_exact=len(found) <= size, number=number, size=size)


def _search_q(search: str) -> Q:
    """Few who are called so are found first: a state may hold ten thousand accounts, and none of theirs."""
    text = search.strip()
    few = directory.person_ids_beginning(text)
    if few is not None:
        return Q(username=locks.sign_in_name(text)) | Q(person_id__in=few)
    spelled = {"number": text.upper(), "name": text}
    found = Q(username=locks.sign_in_name(text))
    for column, prefix in spelled.items():
        found |= Q(**{f"person__{column}__gte": prefix, f"person__{column}__lt": prefix + _LAST})
    return found


def _named(search: str) -> list[int]:
    """Accounts whose username begins so, or whose owner has exactly this phone number or e-mail address."""
    text = locks.sign_in_name(search.replace("\x00", ""))
    if not text:
        return []
    begins = Q(username__startswith=text)
    if connection.vendor == "sqlite":
        begins = Q(username__gte=text, username__lt=text + _LAST)  # its LIKE reads the whole table
    found = set(Account.objects.filter(begins).values_list("pk", flat=True)[:_NARROW])
    if text.lstrip("+").isdigit():
        owners = Account.objects.filter(person__phone=text, person__phone__gt="")
        found |= set(owners.values_list("pk", flat=True)[:_NARROW])
    return sorted(found)


def _reached(actor: Actor, account_ids: Collection[int], org: OrgData | None, search: str, *, now: datetime) -> list[AccountRow]:
    rows = Account.objects.with_person().filter(pk__in=list(account_ids), person__isnull=False).order_by("pk")
    if org is not None:
        rows = rows.filter(pk__in=rows.filter(path_q("person__affiliations__org_path", [org.path])).values("pk"))
    if search:
        rows = rows.filter(_search_q(search))
    accounts = list(rows)
    within = _within(actor, [account.person_id or 0 for account in accounts], now=now)
    return [_row(account) for account in accounts if account.person_id in within]


def _within(actor: Actor, person_ids: Iterable[int], *, now: datetime) -> set[int]:
    wanted, found = set(person_ids), set[int]()
    for permission in PERMISSIONS:
        found |= directory.people_within(actor=actor, person_ids=wanted - found, permission=permission, now=now)
    return found


def _locked(*, now: datetime) -> set[int]:
    of_accounts = reduce(or_, (_begins_q(f"{kind}:account:") for kind in (*_PAIRS, *_TOGETHER)))
    keys = Failure.objects.filter(of_accounts).filter(_waiting_q(now)).values_list("key", flat=True)[:10_000]
    return {int(key.partition("account:")[2].partition(":")[0]) for key in keys}


def _waiting_q(now: datetime) -> Q:
    """What is closed right now: a pair that waits, or a count of all together that is full."""
    found, began = Q(blocked_until__gt=now), now - locks.STRANGE_WINDOW
    for kind, most in _TOGETHER.items():
        found |= Q(key__startswith=f"{kind}:account:", count__gte=most, window_began_at__gt=began)
    return found


def _page_of(rows: list[AccountRow], number: int, size: int) -> Page[AccountRow]:
    number = min(max(1, number), max(1, -(-len(rows) // size)))
    start = (number - 1) * size
    return Page(rows=rows[start : start + size], total=len(rows), is_exact=True, number=number, size=size)


def _row(account: Account) -> AccountRow:
    person = account.person
    assert person is not None
    return AccountRow(person_id=person.pk, name=person.name, number=person.number, org_name="", account=account_data(account))
