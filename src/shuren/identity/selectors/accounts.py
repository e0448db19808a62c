"""Reads of accounts."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db import connection

from shuren.identity.data import AccountData, SleepReason
from shuren.identity.models import Account
from shuren.identity.rules import locks
from shuren.kernel.data import Actor

# Plain SQL, and all look-ups for every name: the time must not tell which kind of name it is, or whether anybody has it.
# `> ''` leads to the indexes of people who have an address at all; without it their table would be read whole.
_OF_PERSON = "SELECT a.id FROM directory_person p JOIN identity_account a ON a.person_id = p.id WHERE"
_LOOK_UPS = (
    "SELECT id FROM identity_account WHERE username = %(name)s",
    f"{_OF_PERSON} p.number IN (%(name)s, %(upper)s, %(typed)s)",
    f"{_OF_PERSON} p.pupil_number IN (%(name)s, %(upper)s, %(typed)s)",
    f"{_OF_PERSON} p.staff_number IN (%(name)s, %(upper)s, %(typed)s)",
    f"{_OF_PERSON} LOWER(p.email) = %(name)s AND p.email > ''",
    f"{_OF_PERSON} p.phone IN (%(name)s, %(upper)s, %(typed)s) AND p.phone > ''",
    "SELECT account_id AS id FROM identity_formerusername WHERE username = %(name)s",
)
_PLACES = " UNION ALL ".join(
    f"SELECT {place} AS place, id FROM ({look_up} LIMIT 2) AS t{place}"  # noqa: S608  # words of this file only
    for place, look_up in enumerate(_LOOK_UPS)
)
_WITH_NAME = """
    SELECT a.*, p.name AS person_name FROM identity_account a LEFT JOIN directory_person p ON p.id = a.person_id WHERE a.id = %s
"""


def account_by_name(text: str) -> Account | None:
    """The one account that goes by this username, 学籍号, staff or person number, e-mail address or phone number.

    Of these the first that belongs to exactly one account wins. Two queries, whatever the name and whether it is known:
    joined in one, PostgreSQL would read whole tables.
    """
    text = text.replace("\x00", "")  # PostgreSQL has no such letter
    name = locks.sign_in_name(text)
    if not name:
        return None
    found = defaultdict[int, list[int]](list)
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, {"name": name, "upper": name.upper(), "typed": text.strip()})
        for place, account_id in cursor.fetchall():
            found[place].append(account_id)
    account_id = next((ids[0] for _place, ids in sorted(found.items()) if len(ids) == 1), 0)
    return next(iter(Account.objects.raw(_WITH_NAME, [account_id])), None)


def account_named(text: str) -> AccountData | None:
    """The one account that a person would reach by typing this name at the sign-in."""
    found = account_by_name(text)
    return account_data(found) if found else None


def actor_of_account(account: Account, *, role: str | None = None) -> Actor:
    """The account's person acting with `role`; an account without a person acts under its username."""
    return Actor(person_id=account.person_id, account_id=account.pk, name=account.called, role=role)


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
        sleep_reason=SleepReason(account.sleep_reason) if account.sleep_reason else None,
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
