from itertools import pairwise

import pytest

from shuren.identity import api
from shuren.identity.data import Visit
from shuren.identity.models import SignIn
from shuren.identity.rules import locks
from shuren.identity.services.passwords import PasswordRefused, WrongPassword, change_password
from shuren.identity.services.sign_in import record_sign_in
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound, Refused

NEW = "Wenhua7lu"


def test_a_changed_password_counts_and_ends_other_sessions(school: School) -> None:
    actor = school.actor("pupil")
    for key in ("here", "there"):
        record_sign_in(actor=actor, session_key=key, visit=Visit("", ""), now=NOW)
    change_password(actor=actor, old=PASSWORD, new=NEW, kept_session_key="here", now=NOW)
    account = school.account("pupil")
    assert account.check_password(NEW)
    assert (account.must_change_password, account.password_changed_at) == (False, NOW)
    assert list(SignIn.objects.values_list("session_key", flat=True)) == ["here"]
    entry = audit.entries(action="identity.password_changed").get()
    assert entry.actor_person_id == school.people["pupil"]
    assert NEW not in str(entry.details)


def test_the_present_password_is_asked_and_guesses_lock(school: School) -> None:
    actor = school.actor("pupil")
    for _turn in range(locks.MAX_FAILURES):
        with pytest.raises(WrongPassword):
            change_password(actor=actor, old="wrong", new=NEW, now=NOW)
    with pytest.raises(Conflict):
        change_password(actor=actor, old=PASSWORD, new=NEW, now=NOW)


@pytest.mark.parametrize(
    "new", ["short1", "zhangsan99", "Zhang20160504", "a123456789", "lixiaoming2024", "zhang020917", "woaini1314a", PASSWORD]
)
def test_weak_telling_and_present_passwords_are_refused(school: School, new: str) -> None:
    with pytest.raises(PasswordRefused) as caught:
        change_password(actor=school.actor("pupil"), old=PASSWORD, new=new, now=NOW)
    assert caught.value.reasons
    assert school.account("pupil").check_password(PASSWORD)


def test_the_last_five_passwords_do_not_come_back(school: School) -> None:
    actor = school.actor("pupil")
    used = [PASSWORD, *(f"Wenhua7lu{letter * 2}" for letter in "bcdef")]
    for old, new in pairwise(used):
        change_password(actor=actor, old=old, new=new, now=NOW)
    for again in used[1:]:
        with pytest.raises(PasswordRefused):
            change_password(actor=actor, old=used[-1], new=again, now=NOW)
    change_password(actor=actor, old=used[-1], new=PASSWORD, now=NOW)


def test_only_the_installation_sets_a_known_password(school: School) -> None:
    with pytest.raises(Refused):
        api.set_password(actor=school.actor("officer"), person_id=school.people["pupil"], password=NEW, now=NOW)
    api.set_password(actor=SYSTEM, person_id=school.people["pupil"], password=NEW, now=NOW)
    assert school.account("pupil").must_change_password
    with pytest.raises(NotFound):
        api.set_password(actor=SYSTEM, person_id=999, password=NEW, now=NOW)
