"""The accounts that the demonstration prints are those one can sign in with."""

import pytest
from django.test import Client
from tests.cast import build_cast

from shuren.front.demo.accounts import open_accounts
from shuren.kernel import clock


@pytest.mark.django_db
def test_who_had_an_account_before_is_printed_under_its_name() -> None:
    cast = build_cast()
    person = cast.people["vendor"]
    (printed,) = open_accounts({"supplier": (person, cast.orgs["city"])}, now=clock.now())
    assert printed.username == cast.username("vendor") != "supplier"
    answer = Client().post("/sign-in/", {"username": printed.username, "password": printed.password})
    assert answer.status_code == 302
