"""Apps that bring their secret with the call itself."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from shuren.identity import api
from shuren.identity.data import Bearer, ClientAuth, GrantType
from shuren.identity.tests.oauth.conftest import CALLBACK, App
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM


def test_the_app_itself_is_admitted_with_all_its_scopes(app: App) -> None:
    found = api.admit_secret(header=app.basic, now=clock.now())
    assert isinstance(found, Bearer)
    assert (found.client_id, found.person_id) == (app.client_id, None)
    assert "directory.read" in found.scopes


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Bearer x", "Basic " + base64.b64encode(b"nobody:x").decode()])
def test_nobody_else_is(app: App, header: str) -> None:
    assert api.admit_secret(header=header, now=clock.now()) is None
    assert api.admit_secret(header=app.basic[:-6] + "AAAA==", now=clock.now()) is None


def test_a_disabled_app_is_not(app: App) -> None:
    api.disable_client(actor=SYSTEM, client_id=app.client_id, now=clock.now())
    assert api.admit_secret(header=app.basic, now=clock.now()) is None


def test_an_app_that_acts_for_people_alone_or_proves_itself_otherwise_is_not(make_app: Callable[..., App]) -> None:
    for_people = make_app(grant_types=frozenset({GrantType.AUTHORIZATION_CODE}), redirect_uris=(CALLBACK,))
    by_post = make_app(auth=ClientAuth.POST)
    assert api.admit_secret(header=for_people.basic, now=clock.now()) is None
    assert api.admit_secret(header=by_post.basic, now=clock.now()) is None


def test_calls_that_come_at_once_are_each_answered_and_each_secret_is_looked_up_once(
    app: App, make_app: Callable[..., App], django_assert_num_queries: Any
) -> None:
    other = make_app()
    api.admit_secret(header=app.basic, now=clock.now())
    with django_assert_num_queries(2):
        found = api.admit_secrets(headers=[app.basic, "Basic !", other.basic, app.basic, app.basic], now=clock.now())
    ids = [one.client_id if isinstance(one, Bearer) else None for one in found]
    assert ids == [app.client_id, None, other.client_id, app.client_id, app.client_id]
