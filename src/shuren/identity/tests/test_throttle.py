"""Nobody locks out a classmate, nobody locks a victim for ever, and guessing does not pay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from shuren.directory.data import Role
from shuren.identity.data import Assurance, HeldFactors, Requirement, RiskDecision, RiskReason, SignInMethod, SignInRefusal, Visit
from shuren.identity.models import Account, Device, Failure, SignIn, SignInPolicy
from shuren.identity.rules import factors, locks
from shuren.identity.rules.factors import Step, amr_of, assurance_of, is_fresh, next_step
from shuren.identity.rules.networks import network_table
from shuren.identity.rules.risk import Signals, Spot, assess, is_inside, kilometres_between, network_prefix
from shuren.identity.selectors.factors import requirement_of_roles
from shuren.identity.services import throttle
from shuren.identity.services.sign_in import check_sign_in, record_sign_in
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel.models import Event

SCHOOL = "10.8.0.1"


def guess(
    name: str, *, address: str = SCHOOL, device: str = "", password: str = "wrong", seconds: float = 0
) -> SignInRefusal | None:
    visit = Visit(address=address, device=device)
    return check_sign_in(name=name, password=password, visit=visit, now=NOW + timedelta(seconds=seconds)).refusal


def come_in(school: School, who: str, *, address: str = SCHOOL, device: str = "") -> None:
    visit = Visit(address=address, device=device)
    key = f"s{SignIn.objects.count()}"
    record_sign_in(actor=school.actor(who), session_key=key, visit=visit, now=NOW)


def test_one_pupil_does_not_lock_the_class_behind_one_address(school: School) -> None:
    for _turn in range(40):
        guess("pupil")
    assert guess("pupil", password=PASSWORD) is SignInRefusal.LOCKED
    assert guess("classmate", password=PASSWORD) is None


def test_the_victim_still_comes_in_on_the_own_device(school: School) -> None:
    come_in(school, "pupil", device="tablet")
    for turn in range(40):
        guess("pupil", seconds=turn)
    assert guess("pupil", password=PASSWORD, device="tablet") is None


def test_guesses_from_everywhere_close_the_account_to_strangers_only(school: School) -> None:
    come_in(school, "pupil", address="192.0.2.7", device="home")
    for number in range(locks.MAX_STRANGE_FAILURES):
        guess("pupil", address=f"198.51.{number}.1")
    assert guess("pupil", address="203.0.113.1", password=PASSWORD) is SignInRefusal.LOCKED
    assert guess("pupil", address="192.0.2.99", password=PASSWORD) is None
    assert guess("pupil", address="203.0.113.1", device="home", password=PASSWORD) is None
    assert guess("pupil", address="203.0.113.1", password=PASSWORD, seconds=3_601) is None


def test_a_stolen_device_cookie_of_another_account_helps_nobody(school: School) -> None:
    come_in(school, "classmate", device="tablet")
    for _turn in range(5):
        guess("pupil", device="tablet")
    assert guess("pupil", device="tablet", password=PASSWORD) is SignInRefusal.LOCKED


def test_the_known_device_has_its_own_wait(school: School) -> None:
    come_in(school, "pupil", device="tablet")
    for _turn in range(5):
        guess("pupil", device="tablet")
    assert guess("pupil", device="tablet", password=PASSWORD) is SignInRefusal.LOCKED
    assert guess("pupil", device="tablet", password=PASSWORD, seconds=61) is None


def test_persistence_makes_the_wait_grow_to_a_quarter_of_an_hour(school: School) -> None:
    waits, seconds = [], 0.0
    for _round in range(6):
        for _turn in range(5):
            outcome = check_sign_in(name="pupil", password="wrong", visit=Visit(SCHOOL), now=NOW + timedelta(seconds=seconds))
        assert outcome.until is not None
        waits.append(round((outcome.until - NOW).total_seconds() - seconds) // 60)
        seconds = (outcome.until - NOW).total_seconds() + 1
    assert waits == [1, 2, 4, 8, 15, 15]


@pytest.mark.parametrize("name", ["pupil", "nobody-at-all"])
def test_spraying_slows_to_one_a_second_and_tells_no_names_apart(school: School, name: str) -> None:
    Failure.objects.create(key=f"address:{SCHOOL}", window_began_at=NOW, count=locks.MAX_ADDRESS_FAILURES)
    answers = [guess(name, seconds=turn / 10) for turn in range(20)]
    assert answers.count(SignInRefusal.WRONG) == 2
    assert set(answers) == {SignInRefusal.WRONG, SignInRefusal.TOO_MANY}


def test_a_hot_address_does_not_slow_those_who_know_it(school: School) -> None:
    come_in(school, "pupil", address=SCHOOL, device="x")
    Failure.objects.create(key=f"address:{SCHOOL}", window_began_at=NOW, count=10_000)
    assert [guess("pupil", password=PASSWORD, seconds=turn / 10) for turn in range(5)] == [None] * 5


@pytest.mark.parametrize(
    "name", ["", " ", "'; DROP TABLE identity_account; --", "a" * 10_000, "\x00", "张三", "%", "*", "../etc"]
)
def test_odd_names_are_names_that_nobody_has(school: School, name: str) -> None:
    assert guess(name, password=PASSWORD) is SignInRefusal.WRONG


def test_a_browser_is_kept_for_its_accounts_and_twenty_at_most(school: School) -> None:
    for number in range(25):
        come_in(school, "pupil", device=f"browser-{number}")
    assert Device.objects.count() == 20
    assert not Device.objects.filter(token_hash__contains="browser").exists()


def test_counting_is_one_statement_per_key(school: School) -> None:
    counts = [throttle.add("k", window=timedelta(minutes=1), now=NOW) for _turn in range(3)]
    assert counts == [1, 2, 3]
    assert throttle.add("k", window=timedelta(minutes=1), now=NOW + timedelta(minutes=2)) == 1


def test_coming_in_is_told_to_those_who_listen(school: School) -> None:
    come_in(school, "pupil")
    event = Event.objects.get(name="identity.signed_in")
    assert event.payload == {"account_id": school.account("pupil").pk, "sign_in_id": SignIn.objects.get().pk}
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("signals", "decision"),
    [
        (Signals(is_first=True), RiskDecision.ALLOW),
        (Signals(is_known_device=True, is_known_network=True), RiskDecision.ALLOW),
        (Signals(is_known_device=True), RiskDecision.ALLOW),
        (Signals(is_known_network=True), RiskDecision.ALLOW),
        (Signals(), RiskDecision.STEP_UP),
        (Signals(is_known_network=True, failures=10), RiskDecision.STEP_UP),
        (Signals(is_known_device=True, failures=1_000), RiskDecision.ALLOW),
        (Signals(is_known_device=True, kilometres=1_500, hours=1), RiskDecision.STEP_UP),
        (Signals(is_known_device=True, kilometres=1_500, hours=2), RiskDecision.ALLOW),
        (Signals(is_known_device=True, kilometres=299, hours=0), RiskDecision.ALLOW),
        (Signals(kilometres=8_000, hours=1, failures=50), RiskDecision.REFUSE),
    ],
)
def test_what_is_unusual(signals: Signals, decision: RiskDecision) -> None:
    assert assess(signals).decision is decision


def test_what_was_unusual_is_named() -> None:
    found = assess(Signals(failures=10, kilometres=900, hours=0.1)).reasons
    assert set(found) == set(RiskReason)


def test_distances_and_networks() -> None:
    assert round(kilometres_between(Spot("", 39.9042, 116.4074), Spot("", 31.2304, 121.4737))) == 1067
    assert (network_prefix("10.8.1.77"), network_prefix("2001:db8:1:2ff::9")) == ("10.8.1.0/24", "2001:db8:1:200::/56")
    assert (network_prefix("x"), is_inside("x", ("10.0.0.0/8",)), is_inside("10.1.1.1", ("x",))) == ("", False, False)


NOTHING, APP, KEY = HeldFactors(), HeldFactors(has_totp=True), HeldFactors(passkeys=1)


@pytest.mark.parametrize(
    ("requirement", "held", "shown", "is_usual", "is_in_grace", "step"),
    [
        (Requirement.RISK, NOTHING, "password", False, True, Step.ENTER),
        (Requirement.RISK, APP, "password", True, True, Step.ENTER),
        (Requirement.RISK, APP, "password", False, True, Step.VERIFY),
        (Requirement.RISK, APP, "password totp", False, True, Step.ENTER),
        (Requirement.SECOND, APP, "password", True, True, Step.VERIFY),
        (Requirement.SECOND, APP, "password sms_code", True, True, Step.ENTER),
        (Requirement.SECOND, NOTHING, "password", True, True, Step.ENTER),
        (Requirement.SECOND, NOTHING, "password", True, False, Step.ENROL),
        (Requirement.SECOND, NOTHING, "picture", True, False, Step.ENROL),
        (Requirement.CRYPTOGRAPHIC, NOTHING, "password", True, True, Step.ENTER),
        (Requirement.CRYPTOGRAPHIC, NOTHING, "password", True, False, Step.ENROL),
        (Requirement.CRYPTOGRAPHIC, APP, "password", True, True, Step.VERIFY),
        (Requirement.CRYPTOGRAPHIC, APP, "password totp", True, False, Step.ENROL),
        (Requirement.CRYPTOGRAPHIC, KEY, "password", True, True, Step.VERIFY),
        (Requirement.CRYPTOGRAPHIC, KEY, "password sms_code", True, True, Step.VERIFY),
        (Requirement.CRYPTOGRAPHIC, KEY, "password email_code", True, False, Step.VERIFY),
        (Requirement.CRYPTOGRAPHIC, KEY, "password recovery_code", True, True, Step.ENROL),
        (Requirement.CRYPTOGRAPHIC, KEY, "passkey", False, False, Step.ENTER),
    ],
)
def test_what_comes_next(
    requirement: Requirement, held: HeldFactors, shown: str, is_usual: bool, is_in_grace: bool, step: Step
) -> None:
    methods = [SignInMethod(word) for word in shown.split()]
    found = next_step(requirement=requirement, held=held, shown=methods, is_usual=is_usual, is_in_grace=is_in_grace)
    assert found is step


@pytest.mark.parametrize(
    ("held", "shown", "is_for_factors", "is_enough"),
    [
        (NOTHING, "password", False, True),
        (APP, "password", False, False),
        (APP, "password totp", False, True),
        (KEY, "password recovery_code", False, False),
        (KEY, "password recovery_code", True, True),
        (KEY, "password sms_code", True, False),
        (HeldFactors(passkeys=1, has_totp=True), "password sms_code", False, False),
        (HeldFactors(passkeys=1, has_totp=True), "password totp", False, True),
        (KEY, "passkey", False, True),
    ],
)
def test_what_is_fresh_enough(held: HeldFactors, shown: str, is_for_factors: bool, is_enough: bool) -> None:
    methods = [SignInMethod(word) for word in shown.split()]
    found = [
        is_fresh(verified_at=NOW - ago, shown=methods, held=held, now=NOW, is_for_factors=is_for_factors)
        for ago in (timedelta(minutes=9), timedelta(minutes=10))
    ]
    assert found == [is_enough, False]


def test_what_was_shown_in_the_words_of_the_standard() -> None:
    both = (SignInMethod.PASSWORD, SignInMethod.TOTP)
    assert (amr_of(both), assurance_of(both)) == (["pwd", "otp", "mfa"], Assurance.MULTI)
    assert (amr_of([SignInMethod.PASSWORD]), amr_of([SignInMethod.PASSKEY])) == (["pwd"], ["pop", "mfa"])
    assert assurance_of([SignInMethod.PICTURE]) is Assurance.WEAK


def test_the_strictest_role_counts_and_grace_begins_with_the_rule(school: School) -> None:
    begun = NOW - timedelta(days=100)
    assert requirement_of_roles([Role.TEACHER], begun_at=begun, now=NOW) == (Requirement.RISK, True)
    both = [Role.TEACHER, Role.COUNTY_OFFICER]
    assert requirement_of_roles(both, begun_at=begun, now=NOW) == (Requirement.CRYPTOGRAPHIC, False)
    assert requirement_of_roles(both, begun_at=None, now=NOW) == (Requirement.CRYPTOGRAPHIC, True)
    SignInPolicy.objects.create(role="teacher", requirement="second", grace_days=7, changed_at=NOW - timedelta(days=3))
    assert requirement_of_roles([Role.TEACHER], begun_at=begun, now=NOW) == (Requirement.SECOND, True)
    assert requirement_of_roles([Role.TEACHER], begun_at=begun, now=NOW + timedelta(days=5))[1] is False
    assert factors.strictest([]) is Requirement.RISK
    assert Account.objects.filter(first_sign_in_at__isnull=True).exists()


def test_addresses_of_one_ipv6_subscriber_count_as_one(school: School) -> None:
    for turn in range(5):
        guess("pupil", address=f"2001:db8:1:2::{turn + 1:x}")
    assert guess("pupil", address="2001:db8:1:2:ffff::9", password=PASSWORD) is SignInRefusal.LOCKED
    assert guess("pupil", address="2001:db8:1:3::9", password=PASSWORD) is None


def test_guesses_inside_the_own_network_are_counted_together_too(school: School) -> None:
    come_in(school, "pupil", address="192.0.2.7", device="home")
    for number in range(locks.MAX_NEAR_FAILURES):
        guess("pupil", address=f"192.0.2.{number % 250}", seconds=number)
    assert guess("pupil", address="192.0.2.251", password=PASSWORD, seconds=300) is SignInRefusal.LOCKED
    assert guess("pupil", address="203.0.113.1", password=PASSWORD, seconds=300) is None
    assert guess("pupil", address="192.0.2.251", device="home", password=PASSWORD, seconds=300) is None


def test_networks_are_looked_up_by_the_narrowest() -> None:
    table = network_table([(1, ["10.0.0.0/8", "2001:db8::/32"]), (2, ["10.8.0.0/16"]), (3, ["10.8.0.1"])])
    owners = {
        address: table.owner_of(address) for address in ("10.1.1.1", "10.8.9.9", "10.8.0.1", "2001:db8::5", "x", "11.0.0.1")
    }
    assert owners == {"10.1.1.1": 1, "10.8.9.9": 2, "10.8.0.1": 3, "2001:db8::5": 1, "x": None, "11.0.0.1": None}
    assert (locks.network_address("::ffff:10.8.0.1"), locks.network_address("x")) == ("10.8.0.1", "")
