"""Whoever takes an account back takes all of it back: no token of an app outlives the rescue."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from shuren.identity.models import Authorization
from shuren.identity.services import tend_accounts
from shuren.identity.services.credentials import issue_credentials
from shuren.identity.services.passwords import change_password
from shuren.identity.services.sign_out import sign_out_elsewhere
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.identity.tests.oauth.conftest import App
from shuren.kernel import clock

Enter = Callable[..., Browser]
Rescue = Callable[[School], object]
OFFLINE = "openid offline_access"


def ids(school: School, who: str) -> dict[str, object]:
    return {"actor": school.actor(who), "now": clock.now()}


RESCUES: dict[str, Rescue] = {
    "a new password": lambda school: change_password(old=PASSWORD, new="tiankong-Blau7", **ids(school, "pupil")),  # type: ignore[arg-type]
    "out everywhere": lambda school: sign_out_elsewhere(kept_session_key=None, **ids(school, "pupil")),  # type: ignore[arg-type]
    "signed out by the school": lambda school: tend_accounts.sign_account_out(
        account_id=school.account("pupil").pk,
        **ids(school, "admin"),  # type: ignore[arg-type]
    ),
    "new credentials": lambda school: issue_credentials(person_ids=[school.people["pupil"]], **ids(school, "admin")),  # type: ignore[arg-type]
    "held": lambda school: tend_accounts.hold_account(account_id=school.account("pupil").pk, **ids(school, "admin")),  # type: ignore[arg-type]
    "factors reset": lambda school: tend_accounts.reset_factors(
        account_id=school.account("pupil").pk,
        **ids(school, "admin"),  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("rescue", RESCUES.values(), ids=RESCUES.keys())
def test_a_token_that_outlives_its_session_does_not_outlive_a_rescue(
    app: App, school: School, sign_in: Enter, rescue: Rescue
) -> None:
    tokens = app.tokens(sign_in("pupil"), scope=OFFLINE)
    # A device has no session that it hangs on.
    device = app.tokens(sign_in("pupil"), scope="openid")
    Authorization.objects.filter(is_offline=False).update(sign_in=None)
    rescue(school)
    for kept in (tokens, device):
        answer = app.post("token", grant_type="refresh_token", refresh_token=kept["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_the_session_that_rescues_keeps_its_own_apps(app: App, school: School, sign_in: Enter) -> None:
    here, there = sign_in("pupil"), sign_in("pupil")
    own, other = app.tokens(here, scope="openid"), app.tokens(there, scope="openid")
    here.post("/account/sessions/end-others/")
    assert app.post("token", grant_type="refresh_token", refresh_token=own["refresh_token"]).status_code == 200
    assert app.post("token", grant_type="refresh_token", refresh_token=other["refresh_token"]).status_code == 400
