from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, Role
from shuren.identity import api, jobs
from shuren.identity.data import SignInRefusal, SleepReason, Visit
from shuren.identity.models import Account, BindingCode, FormerUsername, SignIn, TotpSecret, VendorBinding
from shuren.identity.rules.life import WARNED_BEFORE, Life, Turn, turn_of
from shuren.identity.services import life
from shuren.identity.services.merge_accounts import merge_accounts
from shuren.identity.services.sign_in import check_sign_in, record_sign_in
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound
from shuren.messaging import api as messaging
from shuren.work.api import run_pending

GRACE, UNUSED = timedelta(days=30), timedelta(days=400)
VISIT = Visit("10.0.0.9", "")


class Kept:
    """A job that remembers what it kept."""

    attempt = 1
    job_id = 1

    def __init__(self, **state: object) -> None:
        self.state = dict(state)

    def checkpoint(self, **state: object) -> None:
        self.state.update(state)

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        assert total is None or done <= total


def leave(school: School, key: str) -> None:
    row = directory.enrollments_of_people([school.people[key]])[0]
    assert row.role is EnrollmentRole.STUDENT
    from_model = Account._meta.apps.get_model("directory", "Enrollment")
    enrollment = from_model.objects.get(person_id=school.people[key])
    directory.end_enrollment(actor=SYSTEM, enrollment_id=enrollment.pk, now=NOW)


@given(
    st.builds(
        Life,
        is_active=st.booleans(),
        sleep_reason=st.sampled_from([None, *SleepReason]),
        has_ties=st.booleans(),
        tieless_since=st.none() | st.datetimes(datetime(2026, 1, 1), NOW.replace(tzinfo=None)).map(lambda at: at.astimezone()),
        is_usable=st.booleans(),
        used_at=st.datetimes(datetime(2020, 1, 1), NOW.replace(tzinfo=None)).map(lambda at: at.astimezone()),
    )
)
def test_nobody_who_belongs_somewhere_and_uses_it_falls_asleep(one: Life) -> None:
    turn = turn_of(one, now=NOW, grace=GRACE, unused_after=UNUSED)
    if one.is_active and one.has_ties and NOW - one.used_at < UNUSED:
        assert turn in (Turn.STAY, Turn.FORGET_TIELESS, Turn.WARN)
    if turn is Turn.SLEEP_LEFT:
        assert not one.has_ties
        assert one.tieless_since is not None
        assert NOW - one.tieless_since >= GRACE
    if turn is Turn.WAKE:
        assert one.sleep_reason is SleepReason.LEFT
        assert one.has_ties
    if not one.is_active:
        assert turn in (Turn.STAY, Turn.WAKE)


def test_who_leaves_may_still_come_in_for_a_month(school: School) -> None:
    leave(school, "classmate")
    life.review_people(person_ids=[school.people["classmate"]], now=NOW)
    assert school.account("classmate").tieless_since == NOW
    record_sign_in(actor=school.actor("classmate"), session_key="old", visit=VISIT, now=NOW)
    assert life.review_accounts(now=NOW + GRACE - timedelta(seconds=1)) == {}
    assert life.review_accounts(now=NOW + GRACE)["sleep_left"] == 1
    account = school.account("classmate")
    assert (account.is_active, account.sleep_reason) == (False, "left")
    assert not SignIn.objects.filter(session_key="old").exists()
    assert check_sign_in(name="classmate", password=PASSWORD, visit=VISIT, now=NOW).refusal is SignInRefusal.ASLEEP
    assert audit.entries(action="identity.account_slept").count() == 1


def test_who_comes_back_wakes(school: School) -> None:
    leave(school, "classmate")
    life.review_accounts(now=NOW)
    life.review_accounts(now=NOW + GRACE)
    school.employ("classmate", "张小雨", Role.STAFF, "other")
    life.review_people(person_ids=[school.people["classmate"]], now=NOW + GRACE)
    account = school.account("classmate")
    assert (account.is_active, account.sleep_reason, account.tieless_since) == (True, "", None)
    assert check_sign_in(name="classmate", password=PASSWORD, visit=VISIT, now=NOW).account_id == account.pk


def test_guardians_belong_through_their_children(school: School) -> None:
    assert directory.people_with_ties(list(school.people.values()), now=NOW) == set(school.people.values())
    directory.unlink_guardian(actor=SYSTEM, guardian_id=school.people["parent"], ward_id=school.people["pupil"], now=NOW)
    assert school.people["parent"] not in directory.people_with_ties([school.people["parent"]], now=NOW)


def test_unused_accounts_are_warned_once_and_sleep(school: School) -> None:
    Account.objects.update(last_sign_in_at=NOW)
    Account.objects.filter(person_id=school.people["head"]).update(last_sign_in_at=NOW - UNUSED + WARNED_BEFORE)
    for _night in range(2):
        assert life.review_accounts(now=NOW) == {"warn": 1}
    assert len(messaging.notices_of(school.people["head"]).rows) == 1
    assert life.review_accounts(now=NOW + WARNED_BEFORE)["sleep_unused"] == 1
    assert not school.account("head").is_active


def test_a_second_proof_wakes_what_was_unused_and_nothing_else(school: School) -> None:
    account = school.account("head")
    for reason in SleepReason:
        Account.objects.filter(pk=account.pk).update(is_active=False, sleep_reason=reason)
        TotpSecret.objects.filter(account=account).delete()
        assert check_sign_in(name="head", password=PASSWORD, visit=VISIT, now=NOW).refusal is SignInRefusal.ASLEEP
        TotpSecret.objects.create(account=account, secret_sealed=b"x", confirmed_at=NOW, created_at=NOW)
        outcome = check_sign_in(name="head", password=PASSWORD, visit=VISIT, now=NOW)
        assert (outcome.account_id is not None) == (reason is SleepReason.UNUSED)


def test_only_who_may_hand_out_passwords_wakes(school: School) -> None:
    account = school.account("pupil")
    life.put_to_sleep(actor=SYSTEM, account_id=account.pk, reason=SleepReason.UNUSED, now=NOW)
    for key in ("far_teacher", "head", "parent"):
        with pytest.raises(NotFound):
            life.wake_account(actor=school.actor(key), person_id=school.people["pupil"], now=NOW)
    life.wake_account(actor=school.actor("admin"), person_id=school.people["pupil"], now=NOW)
    assert school.account("pupil").is_active


def test_a_first_password_wakes(school: School) -> None:
    account = school.account("pupil")
    life.put_to_sleep(actor=SYSTEM, account_id=account.pk, reason=SleepReason.LEFT, now=NOW)
    api.issue_credentials(actor=school.actor("admin"), person_ids=[school.people["pupil"]], now=NOW)
    assert school.account("pupil").is_active


def test_a_review_goes_on_where_it_was_killed(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    Account.objects.update(last_sign_in_at=NOW - UNUSED)
    monkeypatch.setattr(life, "_CHUNK", 2)
    seen: list[int] = []

    def stop(last: int, _counts: dict[str, int]) -> None:
        seen.append(last)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        life.review_accounts(now=NOW, on_chunk=stop)
    left = Account.objects.filter(is_active=True, person__isnull=False).count()
    assert life.review_accounts(now=NOW, after=seen[-1] if len(seen) < 2 else seen[-2])["sleep_unused"] == left
    assert not Account.objects.filter(is_active=True, person__isnull=False).exists()


def test_a_roster_opens_accounts_and_a_second_run_opens_none(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    added = [school.add_person(f"p{at}", f"学生{at}") for at in range(7)]
    monkeypatch.setattr(directory, "people_added_by", lambda _import_id: (added[0], added[-1] + 1))
    monkeypatch.setattr(jobs, "_OPENED_AT_ONCE", 3)
    assert jobs.open_accounts(Kept(), import_id=1) == {"accounts": 7}
    assert jobs.open_accounts(Kept(), import_id=1) == {"accounts": 0}
    assert jobs.open_accounts(Kept(next=added[-1] + 1, made=7), import_id=1) == {"accounts": 7}


def test_a_roster_lets_only_the_accounts_it_touches_take_their_step(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(school, "pupil")
    gone = {school.people["pupil"]}
    Account.objects.filter(person_id__in=gone).update(tieless_since=None)
    touched: list[int] | None = []
    monkeypatch.setattr(directory, "people_touched_by", lambda _import_id: touched)
    jobs.review_roster(Kept(), payload={"import_id": 1})
    assert school.account("pupil").tieless_since is None
    touched = sorted(gone)
    jobs.review_roster(Kept(), payload={"import_id": 1})
    noticed = school.account("pupil").tieless_since
    assert noticed is not None
    Account.objects.filter(person_id__in=gone).update(tieless_since=None)
    touched = None
    jobs.review_roster(Kept(), payload={"import_id": 1})
    assert school.account("pupil").tieless_since is not None


def test_merged_people_keep_the_account_in_use_and_both_names(school: School) -> None:
    other = school.add_person("twin", "张三")
    api.create_accounts(actor=SYSTEM, person_ids=[other], usernames={other: "twin"}, now=NOW)
    api.set_password(actor=SYSTEM, person_id=other, password="nuvo-kabe-sile-1032", must_change=False, now=NOW)
    used = school.account("twin")
    Account.objects.filter(pk=used.pk).update(last_sign_in_at=NOW)
    record_sign_in(actor=school.actor("pupil"), session_key="mine", visit=VISIT, now=NOW - timedelta(days=1))
    kept, dropped = school.people["pupil"], other
    assert merge_accounts(kept_person_id=kept, dropped_person_id=dropped, now=NOW) == used.pk
    assert merge_accounts(kept_person_id=kept, dropped_person_id=dropped, now=NOW) == used.pk
    assert school.account("pupil").pk == used.pk
    assert FormerUsername.objects.get().username == "pupil"
    for name in ("pupil", "twin"):
        outcome = check_sign_in(name=name, password="nuvo-kabe-sile-1032", visit=VISIT, now=NOW)
        assert outcome.account_id == used.pk
    assert not SignIn.objects.filter(session_key="mine").exists()


def test_ties_to_other_doors_follow_where_there_are_none_yet(school: School) -> None:
    kept, dropped = school.account("pupil"), school.account("classmate")
    for account, vendor, subject in ((kept, "wecom", "a"), (dropped, "wecom", "b"), (dropped, "dingtalk", "c")):
        VendorBinding.objects.create(account=account, vendor=vendor, subject=subject, bound_at=NOW)
    code = BindingCode.objects.create(ward_id=school.people["classmate"], code_hash="h", made_at=NOW, expires_at=NOW)
    Account.objects.filter(pk=kept.pk).update(last_sign_in_at=NOW)
    merge_accounts(kept_person_id=school.people["pupil"], dropped_person_id=school.people["classmate"], now=NOW)
    assert set(VendorBinding.objects.values_list("account_id", "subject")) == {(kept.pk, "a"), (kept.pk, "c")}
    code.refresh_from_db()
    assert code.ward_id == school.people["pupil"]


def test_merging_people_in_the_directory_merges_their_accounts(school: School) -> None:
    other = school.add_person("twin", "张三")
    directory.merge_people(actor=SYSTEM, keep_id=school.people["pupil"], drop_id=other, now=NOW)
    api.create_accounts(actor=SYSTEM, person_ids=[other], now=NOW)
    jobs.merge_accounts(Kept(), payload={"kept_id": school.people["pupil"], "dropped_id": other})
    assert Account.objects.filter(person_id=school.people["pupil"]).count() == 1
    assert not Account.objects.filter(person_id=other).exists()


def test_an_erased_person_leaves_no_way_in(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    person_id, account = school.people["parent"], school.account("parent")
    record_sign_in(actor=school.actor("parent"), session_key="mine", visit=VISIT, now=NOW)
    TotpSecret.objects.create(account=account, secret_sealed=b"x", confirmed_at=NOW, created_at=NOW)
    FormerUsername.objects.create(account=account, username="zhangfu", merged_at=NOW)
    assert jobs.close_account(Kept(), payload={"person_id": person_id, "is_whole": False}) == {"account": None}
    assert SignIn.objects.filter(account=account).exists()
    for _run in range(2):
        assert jobs.close_account(Kept(), payload={"person_id": person_id, "is_whole": True}) == {"account": account.pk}
    assert not SignIn.objects.filter(account=account).exists()
    assert not TotpSecret.objects.exists()
    assert not FormerUsername.objects.exists()
    for name in ("parent", "zhangfu", f"erased-{account.pk}"):
        assert check_sign_in(name=name, password=PASSWORD, visit=VISIT, now=NOW).refusal is SignInRefusal.WRONG
    life.wake(actor=SYSTEM, account_id=account.pk, now=NOW)
    life.review_accounts(now=NOW)
    closed = Account.objects.get(pk=account.pk)
    assert not closed.is_active
    assert closed.sleep_reason == SleepReason.ERASED
    assert not closed.has_usable_password()
    assert audit.entries(action="identity.account_closed").count() == 1
    with pytest.raises(Conflict):
        api.issue_credentials(actor=SYSTEM, person_ids=[person_id], now=NOW)


def test_the_directory_erasing_somebody_is_heard(school: School) -> None:
    events.publish("directory.person_erased", {"person_id": school.people["parent"], "is_whole": True}, now=NOW)
    run_pending()
    assert school.account("parent").sleep_reason == SleepReason.ERASED
