import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import identify_hasher, make_password
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shuren.directory.data import Role
from shuren.identity.api import set_password
from shuren.identity.data import SignInOutcome, SignInRefusal, Visit
from shuren.identity.hashers import Argon2idHasher
from shuren.identity.models import Account, Failure, SignIn
from shuren.identity.rules import locks
from shuren.identity.selectors import accounts, sign_ins
from shuren.identity.services.sign_in import check_sign_in, end_sign_in, record_sign_in, sweep_sign_ins
from shuren.identity.services.sign_out import sign_out_elsewhere
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound
from shuren.kernel.statistics import refresh_statistics


def try_in(name: str, password: str = PASSWORD, *, address: str = "10.0.0.1", after: timedelta = timedelta()) -> SignInOutcome:
    return check_sign_in(name=name, password=password, visit=Visit(address=address), now=NOW + after)


def test_the_hash_is_argon2id_at_the_declared_cost() -> None:
    encoded = make_password("x", hasher="argon2")
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert isinstance(identify_hasher(encoded), Argon2idHasher)


def test_people_come_in_by_any_name_of_theirs(school: School) -> None:
    admin, pupil = school.account("admin"), school.account("pupil")
    for name in ("admin", " ADMIN ", admin.person.number, "T-0042", "t-0042", "13000000001"):
        assert try_in(name).account_id == admin.pk, name
    for name in (pupil.person.pupil_number, pupil.person.pupil_number.lower()):
        assert try_in(name).account_id == pupil.pk
    for name in ("Zhou@Example.org", " zhou@example.org"):
        assert try_in(name).account_id == school.account("officer").pk


def test_a_name_that_two_people_share_opens_nothing(school: School) -> None:
    school.employ("twin", "双生", Role.STAFF, "school", staff_number="t-0042")
    Account.objects.create(person_id=school.people["twin"], username="twin", password="", created_at=NOW)
    assert accounts.account_by_name("t-0042") is None


def fill_the_streets(school: School) -> None:
    """Add three thousand people with accounts: a handful of rows is read whole by any planner, whatever its indexes."""
    person = type(school.account("admin").person)
    people = person.objects.bulk_create(
        person(
            sourced_id=f"crowd-{i}",
            number=f"C{i:08d}",
            pupil_number=f"G5101042017{i:08d}",
            staff_number=f"C-{i}",
            email=f"crowd-{i}@example.org",
            phone=f"1300001{i:04d}",
        )
        for i in range(3_000)
    )
    Account.objects.bulk_create(Account(person=one, username=one.number, created_at=NOW) for one in people)
    refresh_statistics(person, Account)


@pytest.mark.parametrize(
    ("name", "index"),
    [("zhou@example.org", "person_email"), ("13000000001", "person_phone"), ("G510104201605040007", "formerusername")],
)
def test_no_name_is_looked_for_from_one_end_of_the_people_to_the_other(school: School, name: str, index: str) -> None:
    plans: list[str] = []

    def explained(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        # With the parameters still apart: SQLite must know what they are to take an index of some rows only.
        execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {sql}", params, many, context)
        plans.append(" ".join(str(row[-1]) for row in context["cursor"].fetchall()))
        return execute(sql, params, many, context)

    fill_the_streets(school)
    with connection.execute_wrapper(explained):
        accounts.account_by_name(name)
    assert len(plans) == 2
    # SQLite calls it a scan, too, when it takes the two rows at most of a look-up, t0 to t6.
    assert [plan for plan in plans if re.search(r"\bSCAN (?!t\d\b)|Seq Scan", plan)] == []
    assert index in plans[0]


def test_every_name_costs_the_same_queries(school: School, django_assert_num_queries: Any) -> None:
    for name in ("admin", "zhou@example.org", "13000000001", "nobody", "nobody@example.org", "19900000000"):
        with django_assert_num_queries(2):
            accounts.account_by_name(name)


def test_a_look_up_brings_the_name_of_the_person(school: School, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        account = accounts.account_by_name("admin")
        assert account is not None
        assert accounts.actor_of_account(account).name == "赵文博"
    assert accounts.actor_of_account(school.account("admin")).name == "赵文博"


def work_of(name: str, address: str) -> list[list[str]]:
    """What six wrong answers in a row cost: hashes and statements in their order, without what is told in them."""
    cost: list[list[str]] = []
    with pytest.MonkeyPatch.context() as patched:
        for step in ("encode", "verify"):
            done = getattr(Argon2idHasher, step)
            patched.setattr(Argon2idHasher, step, lambda *given, done=done: (cost[-1].append("one hash"), done(*given))[1])
        for turn in range(6):
            cost.append([])
            with CaptureQueriesContext(connection) as asked:
                try_in(name, "wrong", address=address, after=timedelta(milliseconds=turn))
            cost[-1] += [" ".join(query["sql"].split()[:3]) for query in asked if "SAVEPOINT" not in query["sql"]]
    return cost


@pytest.mark.parametrize("is_hot", [False, True])
def test_a_name_nobody_has_costs_the_same_work(school: School, settings: Any, is_hot: bool) -> None:
    settings.PASSWORD_HASHERS = ["shuren.identity.hashers.Argon2idHasher"]
    for key in ("pupil", "classmate"):
        set_password(actor=SYSTEM, person_id=school.people[key], password=PASSWORD + key, must_change=False, now=NOW)
    Account.objects.filter(person_id=school.people["classmate"]).update(password=make_password(None))
    if is_hot:
        for place in (1, 2, 3):
            Failure.objects.create(key=f"address:10.0.7.{place}", window_began_at=NOW, count=locks.MAX_ADDRESS_FAILURES)
    known, unknown, never_handed_out = (
        work_of(name, f"10.0.7.{place}") for place, name in enumerate(("pupil", "nobody", "classmate"), 1)
    )
    assert known == unknown == never_handed_out
    assert [steps.count("one hash") for steps in known] == ([1, 0, 0, 0, 0, 0] if is_hot else [1, 1, 1, 1, 1, 0])


def test_five_failures_close_the_door_for_a_minute(school: School) -> None:
    for _turn in range(4):
        assert try_in("pupil", "wrong").refusal is SignInRefusal.WRONG
    locked = try_in("pupil", "wrong")
    assert (locked.refusal, locked.until) == (SignInRefusal.LOCKED, NOW + timedelta(minutes=1))
    assert try_in("pupil").refusal is SignInRefusal.LOCKED
    assert try_in("pupil", after=timedelta(minutes=2)).account_id == school.account("pupil").pk
    assert audit.entries(action="identity.account_locked").count() == 1


def test_an_unknown_name_locks_like_a_known_one(school: School) -> None:
    answers = [(try_in("nobody", "wrong").refusal, try_in("pupil", "wrong").refusal) for _turn in range(6)]
    assert all(unknown == known for unknown, known in answers)
    assert answers[-1][0] is SignInRefusal.LOCKED
    assert not Failure.objects.filter(key__contains="nobody").exists()


def test_coming_in_forgets_failures(school: School) -> None:
    for _turn in range(4):
        try_in("pupil", "wrong")
    assert try_in("pupil").account_id
    assert try_in("pupil", "wrong").refusal is SignInRefusal.WRONG
    actor = school.actor("pupil")
    record_sign_in(actor=actor, session_key="s1", visit=Visit("10.0.0.1", "x" * 500), now=NOW)
    assert school.account("pupil").last_sign_in_at == NOW


def test_one_address_may_not_try_everybody(school: School) -> None:
    Failure.objects.create(key="address:10.0.0.9", window_began_at=NOW, count=locks.MAX_ADDRESS_FAILURES)
    assert try_in("classmate", "wrong", address="10.0.0.9").refusal is SignInRefusal.WRONG
    assert try_in("pupil", address="10.0.0.9").refusal is SignInRefusal.TOO_MANY
    assert try_in("pupil", address="10.0.0.9", after=locks.ADDRESS_PACE).account_id
    assert try_in("pupil", address="10.0.0.8").account_id
    assert try_in("pupil", address="10.0.0.9", after=locks.ADDRESS_WINDOW * 2).account_id


def test_an_account_that_was_closed_stays_out(school: School) -> None:
    Account.objects.filter(person_id=school.people["pupil"]).update(is_active=False)
    assert try_in("pupil").refusal is SignInRefusal.INACTIVE
    assert try_in("pupil", "wrong").refusal is SignInRefusal.WRONG


def test_accounts_without_credentials_stay_out(school: School) -> None:
    Account.objects.filter(person_id=school.people["pupil"]).update(password=make_password(None))
    assert try_in("pupil", "").refusal is SignInRefusal.WRONG


def test_django_uses_the_same_door(school: School) -> None:
    assert authenticate(None, username="pupil", password=PASSWORD) == school.account("pupil")
    assert authenticate(None, username="pupil", password="wrong") is None
    assert authenticate(None, username="pupil") is None
    assert Failure.objects.filter(key__startswith="pair:account:").get().count == 1


def test_own_sessions_are_listed_and_ended(school: School) -> None:
    actor = school.actor("pupil")
    for key in ("s1", "s2", "s3"):
        record_sign_in(actor=actor, session_key=key, visit=Visit("10.0.0.1", ""), now=NOW)
    listed = sign_ins.sign_ins_of(school.account("pupil").pk, session_key="s2", now=NOW)
    assert [row.is_current for row in listed].count(True) == 1
    end_sign_in(actor=actor, sign_in_id=SignIn.objects.get(session_key="s1").pk, now=NOW)
    assert sign_out_elsewhere(actor=actor, kept_session_key="s2", now=NOW) == 1
    assert list(SignIn.objects.values_list("session_key", flat=True)) == ["s2"]


def test_nobody_ends_the_sessions_of_others(school: School) -> None:
    record_sign_in(actor=school.actor("pupil"), session_key="s1", visit=Visit("", ""), now=NOW)
    with pytest.raises(NotFound):
        end_sign_in(actor=school.actor("head"), sign_in_id=SignIn.objects.get().pk, now=NOW)


def test_sessions_that_ran_out_are_swept(school: School) -> None:
    record_sign_in(actor=school.actor("pupil"), session_key="gone", visit=Visit("", ""), now=NOW)
    Failure.objects.create(key="address:x", window_began_at=NOW - timedelta(days=1), count=3)
    assert sweep_sign_ins(now=NOW) == 1
    assert not Failure.objects.exists()
