"""What a person's copy of their data holds of their account, and what it must not."""

from collections.abc import Callable

from django.test import Client

from shuren.directory import api as directory
from shuren.identity.tests.conftest import School
from shuren.identity.tests.test_second_factors import with_app
from shuren.kernel import clock


def test_a_copy_tells_of_the_account_and_no_secret(school: School, sign_in: Callable[..., Client]) -> None:
    now = clock.now()
    sign_in("pupil")
    with_app(school, "pupil", now=now)
    data = directory.give_subject_data(actor=school.actor("parent"), person_id=school.people["pupil"], now=now)
    (account,) = data["account"]  # type: ignore[misc]
    assert (account["username"], account["has_authenticator_app"], account["passkeys"]) == ("pupil", True, 0)
    (row,) = data["sign_ins"]  # type: ignore[misc]
    assert (row["address"], row["methods"]) == ("127.0.0.1", "password")
    assert data["allowed_apps"] == []
    said = str(data)
    stored = school.account("pupil")
    assert stored.password not in said
    assert "argon2" not in said
    assert not any(session in said for session in stored.sign_ins.values_list("session_key", flat=True))
