"""Accounts found and looked after by those who may, and by nobody else."""

from collections.abc import Callable

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Role
from shuren.identity import api
from shuren.identity.data import AccountState, SignInRefusal, SleepReason, Visit
from shuren.identity.models import Failure, SignIn, TotpSecret, VendorBinding
from shuren.identity.rules.locks import MAX_FAILURES, MAX_STRANGE_FAILURES
from shuren.identity.selectors.account_list import account_page, is_locked
from shuren.identity.services import tend_accounts
from shuren.identity.services.credentials import issue_credentials
from shuren.identity.services.life import put_to_sleep, review_people
from shuren.identity.services.provision import resume_account, suspend_account
from shuren.identity.services.sign_in import check_sign_in, record_sign_in
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit, clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound, Refused


@pytest.fixture
def school(school: School) -> School:
    for key in ("pupil", "classmate"):
        school.employ(key, key, Role.PUPIL, "school")
    return school


def names(school: School, key: str, search: str = "", state: AccountState | None = None, org: OrgData | None = None) -> list[str]:
    found = account_page(actor=school.actor(key), org=org, search=search, state=state, number=1, size=50, now=clock.now())
    return [row.account.username if row.account else row.name for row in found.rows]


@pytest.mark.parametrize("search", ["张三", "classmat", "G510104201605040006", "13000000001", "t-00", "T-0042"])
def test_people_are_found_by_name_numbers_username_and_phone(school: School, search: str) -> None:
    expected = {"张三": "pupil", "classmat": "classmate", "G510104201605040006": "classmate"}
    assert names(school, "officer", search) == [expected.get(search, "admin")]


def test_half_a_phone_number_finds_nobody(school: School) -> None:
    assert names(school, "officer", "1300000000") == []


def test_nobody_is_found_out_of_reach(school: School) -> None:
    assert names(school, "admin", "far_teacher") == []
    assert names(school, "admin", "何西") == []
    assert names(school, "officer", "何西") == ["far_teacher"]
    assert names(school, "pupil") == []


def test_a_class_lists_its_own(school: School) -> None:
    org = directory.orgs_by_ids([school.orgs["class"]])[school.orgs["class"]]
    assert sorted(names(school, "admin", org=org)) == ["classmate", "pupil"]


def test_states_narrow_the_list(school: School) -> None:
    put_to_sleep(actor=SYSTEM, account_id=school.account("pupil").pk, reason=SleepReason.UNUSED, now=NOW)
    school.employ("new", "新来", Role.TEACHER, "school")
    api.create_accounts(actor=SYSTEM, person_ids=[school.people["new"]], now=NOW)
    for key in ("admin", "officer"):
        assert names(school, key, state=AccountState.ASLEEP) == ["pupil"]
        assert names(school, key, state=AccountState.NEVER_HANDED_OUT) == [school.account("new").username]
    assert names(school, "admin", "张小雨", state=AccountState.ASLEEP) == []
    for search in ("张三", "pupil", "张", "G510104201605040005"):
        assert names(school, "officer", search, state=AccountState.ASLEEP) == ["pupil"]
    assert names(school, "far_teacher", state=AccountState.ASLEEP) == []


def test_a_locked_account_is_listed_and_unlocked(school: School) -> None:
    for _turn in range(MAX_FAILURES):
        check_sign_in(name="pupil", password="wrong", visit=Visit("10.0.0.1"), now=clock.now())  # wrong on purpose
    assert names(school, "admin", state=AccountState.LOCKED) == ["pupil"]
    pk = school.account("pupil").pk
    tend_accounts.unlock_account(actor=school.actor("admin"), account_id=pk, now=clock.now())
    assert not is_locked(pk, now=clock.now())
    assert names(school, "admin", state=AccountState.LOCKED) == []
    assert check_sign_in(name="pupil", password=PASSWORD, visit=Visit("10.0.0.1"), now=clock.now()).account_id == pk
    assert audit.entries(action="identity.account_unlocked")


def test_a_lock_against_strangers_counts_and_others_stay(school: School) -> None:
    pk = school.account("pupil").pk
    Failure.objects.create(key=f"strange:account:{pk}", window_began_at=clock.now(), count=MAX_STRANGE_FAILURES)
    Failure.objects.create(key=f"strange:account:{pk}0", window_began_at=clock.now(), count=MAX_STRANGE_FAILURES)
    assert is_locked(pk, now=clock.now())
    tend_accounts.unlock_account(actor=school.actor("admin"), account_id=pk, now=clock.now())
    assert Failure.objects.get().key == f"strange:account:{pk}0"


def test_asleep_by_hand_and_awake_by_hand(school: School) -> None:
    pk, admin = school.account("pupil").pk, school.actor("admin")
    record_sign_in(actor=school.actor("pupil"), session_key="here", visit=Visit("", ""), now=NOW)
    tend_accounts.hold_account(actor=admin, account_id=pk, now=clock.now())
    assert not SignIn.objects.filter(account_id=pk).exists()
    refused = check_sign_in(name="pupil", password=PASSWORD, visit=Visit("10.0.0.1"), now=clock.now())
    assert refused.refusal is SignInRefusal.ASLEEP
    with pytest.raises(Conflict):
        tend_accounts.hold_account(actor=admin, account_id=pk, now=clock.now())
    tend_accounts.wake_held_account(actor=admin, account_id=pk, now=clock.now())
    assert check_sign_in(name="pupil", password=PASSWORD, visit=Visit("10.0.0.1"), now=clock.now()).account_id == pk


def test_what_an_officer_stopped_is_not_woken_by_routine(school: School) -> None:
    pk, admin, now = school.account("pupil").pk, school.actor("admin"), clock.now()
    tend_accounts.hold_account(actor=admin, account_id=pk, now=now)
    with pytest.raises(Conflict, match="停用"):
        issue_credentials(actor=admin, person_ids=[school.people["pupil"]], now=now)
    resume_account(actor=admin, person_id=school.people["pupil"], now=now)
    review_people(person_ids=[school.people["pupil"]], now=now)
    assert school.account("pupil").sleep_reason == SleepReason.HELD
    tend_accounts.wake_held_account(actor=admin, account_id=pk, now=now)
    suspend_account(actor=admin, person_id=school.people["pupil"], now=now)
    resume_account(actor=admin, person_id=school.people["pupil"], now=now)
    assert school.account("pupil").is_active


def test_lost_factors_are_reset_and_the_owner_told(school: School) -> None:
    pk, admin, now = school.account("pupil").pk, school.actor("admin"), clock.now()
    TotpSecret.objects.create(account_id=pk, secret_sealed=b"x", created_at=now, confirmed_at=now)
    VendorBinding.objects.create(account_id=pk, vendor="wecom", subject="x", bound_at=now)
    tend_accounts.reset_factors(actor=admin, account_id=pk, now=now)
    assert not TotpSecret.objects.exists()
    assert not VendorBinding.objects.exists()
    entry = audit.entries(action="identity.factors_reset").get()
    assert entry.details == {"removed": {"totpsecret": 1, "vendorbinding": 1}}
    with pytest.raises(Refused):
        tend_accounts.reset_factors(actor=admin, account_id=school.account("admin").pk, now=now)
    with pytest.raises(NotFound):
        tend_accounts.reset_factors(actor=admin, account_id=school.account("far_teacher").pk, now=now)


def test_what_ended_for_good_does_not_wake(school: School) -> None:
    pk = school.account("pupil").pk
    put_to_sleep(actor=SYSTEM, account_id=pk, reason=SleepReason.MERGED, now=NOW)
    with pytest.raises(Conflict):
        tend_accounts.wake_held_account(actor=school.actor("admin"), account_id=pk, now=clock.now())


def test_sessions_end_from_elsewhere(school: School) -> None:
    pk = school.account("pupil").pk
    record_sign_in(actor=school.actor("pupil"), session_key="here", visit=Visit("", ""), now=NOW)
    assert tend_accounts.sign_account_out(actor=school.actor("admin"), account_id=pk, now=clock.now()) == 1
    assert not SignIn.objects.filter(account_id=pk).exists()


def test_nobody_takes_their_own_or_a_wider_one_in_hand(school: School) -> None:
    admin = school.actor("admin")
    school.employ("officer", "周志强", Role.STAFF, "school")
    for key in ("admin", "officer"):
        with pytest.raises(Refused):
            tend_accounts.hold_account(actor=admin, account_id=school.account(key).pk, now=clock.now())
    for actor in (admin, school.actor("head")):
        with pytest.raises(NotFound):
            tend_accounts.hold_account(actor=actor, account_id=school.account("far_teacher").pk, now=clock.now())


def test_the_pages(school: School, sign_in: Callable[..., Client]) -> None:
    client = sign_in("admin")
    shown = client.get("/credentials/accounts/", {"q": "张三"}).content.decode()
    assert "张三" in shown
    assert client.get(f"/credentials/{ids.encode('org', school.orgs['class'])}/accounts/").status_code == 200
    assert client.get(f"/credentials/{ids.encode('org', school.orgs['county'])}/accounts/").status_code == 404
    page = f"/credentials/accounts/{ids.encode('account', school.account('pupil').pk)}/"
    assert f'href="{page}"' in shown
    assert "休眠" in client.get(page).content.decode()
    assert client.post(f"{page}sleep/").status_code == 302
    assert "唤醒" in client.get(page).content.decode()
    assert client.post(f"{page}nothing/").status_code == 404
    export = client.get("/credentials/accounts/", {"export": "csv"})
    assert "张小雨" in b"".join(export.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert audit.entries(action="identity.accounts_exported")
    assert sign_in("classmate").get("/credentials/accounts/").status_code == 403
