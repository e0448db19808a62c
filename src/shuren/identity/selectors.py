"""Reads of accounts."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from shuren.identity import rules
from shuren.identity.data import AccountData, SignInData
from shuren.identity.models import Account, SignIn
from shuren.kernel import ids
from shuren.kernel.data import Actor


def account_by_name(text: str) -> Account | None:
    """The one account that goes by this username, 学籍号, staff or person number, e-mail address or phone number."""
    name = rules.sign_in_name(text)
    for condition in _names(name, {name, name.upper(), text.strip()}) if name else ():
        found = list(Account.objects.with_person().filter(condition)[:2])
        if len(found) == 1:
            return found[0]
    return None


def _names(name: str, spellings: set[str]) -> Iterator[Q]:
    """What a typed name may be, in the order in which it is tried; the first that belongs to exactly one account wins.

    `> ""` leads to the indexes of people who have an address at all; without it their table would be read whole.
    """
    yield Q(username=name)
    for column in ("number", "pupil_number", "staff_number"):
        yield Q(**{f"person__{column}__in": spellings})
    if "@" in name:
        yield Q(Exact(Lower("person__email"), name), person__email__gt="")
    if name.lstrip("+").isdigit():
        yield Q(person__phone__in=spellings, person__phone__gt="")


def actor_of_account(account: Account, *, role: str | None = None) -> Actor:
    """The account's person acting with `role`; an account without a person acts under its username."""
    name = account.person.name if account.person else account.username
    return Actor(person_id=account.person_id, account_id=account.pk, name=name, role=role)


def account_data(account: Account) -> AccountData:
    return AccountData(
        id=account.pk,
        person_id=account.person_id,
        username=account.username,
        is_active=account.is_active,
        is_usable=account.has_usable_password(),
        must_change_password=account.must_change_password,
        locked_until=account.locked_until,
        last_sign_in_at=account.last_sign_in_at,
        language=account.language,
    )


def accounts_of_people(person_ids: Collection[int]) -> dict[int, AccountData]:
    """Accounts by person id; people without one are left out."""
    rows = Account.objects.filter(person_id__in=list(person_ids))
    return {account.person_id: account_data(account) for account in rows if account.person_id is not None}


def person_ids_of_accounts(account_ids: Collection[int]) -> dict[int, int]:
    """Person ids by account id; accounts without a person are left out."""
    rows = Account.objects.filter(pk__in=list(account_ids), person_id__isnull=False)
    return dict(rows.values_list("pk", "person_id"))


def person_ids_without_account(person_ids: Iterable[int]) -> list[int]:
    wanted = list(dict.fromkeys(person_ids))
    having = set(Account.objects.filter(person_id__in=wanted).values_list("person_id", flat=True))
    return [person_id for person_id in wanted if person_id not in having]


def sign_ins_of(account_id: int, *, session_key: str | None, now: datetime) -> list[SignInData]:
    """Where the account is signed in, the latest first; the row of `session_key` is marked as the current one."""
    rows = SignIn.objects.filter(account_id=account_id).order_by("-seen_at")[:50]
    return [
        SignInData(
            id=row.pk,
            public_id=ids.encode("sign_in", row.pk),
            address=row.address,
            agent=row.agent,
            begun_at=row.begun_at,
            seen_at=now if row.session_key == session_key else row.seen_at,
            is_current=row.session_key == session_key,
        )
        for row in rows
    ]
