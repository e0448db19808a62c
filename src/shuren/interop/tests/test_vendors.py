"""Becoming a vendor: once per enterprise, e-mail proved by code, account handed out once."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client

from shuren.interop.data import Applicant, VendorStatus
from shuren.interop.models import Vendor
from shuren.interop.selectors.vendors import vendor_row_of_token
from shuren.interop.services.register_vendor import (
    MAX_NEAR,
    TooManyApplications,
    check_email,
    decide_vendor,
    drop_lapsed,
    open_vendor_account,
    register_vendor,
)
from shuren.interop.tests.conftest import Stage
from shuren.kernel import clock
from shuren.kernel.errors import Conflict, Invalid, NotFound

ACME = Applicant(name="一家公司", credit_code="91440101MA5CUXKJ7Z", contact_name="褚云", email="a@example.cn")


def apply(stage: Stage) -> tuple[str, Vendor]:
    token = register_vendor(applicant=ACME, org_id=stage.cast.orgs["city"].id, now=clock.now())
    return token, vendor_row_of_token(token)


def test_an_enterprise_applies_once_unless_refused(stage: Stage) -> None:
    _token, row = apply(stage)
    with pytest.raises(Conflict):
        apply(stage)
    officer = stage.actor("city_officer")
    with pytest.raises(Invalid):
        decide_vendor(actor=officer, vendor_id=row.pk, is_approved=False, reason="", now=clock.now())
    with pytest.raises(NotFound):
        decide_vendor(actor=stage.actor("county_officer"), vendor_id=row.pk, is_approved=True, reason="", now=clock.now())
    decide_vendor(actor=officer, vendor_id=row.pk, is_approved=False, reason="材料不全", now=clock.now())
    again, row = apply(stage)
    with pytest.raises(Conflict, match="邮箱"):
        decide_vendor(actor=officer, vendor_id=row.pk, is_approved=True, reason="", now=clock.now())
    Vendor.objects.filter(pk=row.pk).update(email_checked_at=clock.now())
    decide_vendor(actor=officer, vendor_id=row.pk, is_approved=True, reason="", now=clock.now())
    drawn = open_vendor_account(token=again, now=clock.now())
    assert drawn.client_secret
    with pytest.raises(Conflict):
        open_vendor_account(token=again, now=clock.now())
    with pytest.raises(NotFound):
        open_vendor_account(token="x" * 43, now=clock.now())


def test_the_code_proves_the_address_within_five_tries(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda _limit: 123_456)
    token, row = apply(stage)
    for _try in range(4):
        with pytest.raises(Invalid):
            check_email(token=token, code="000000", now=clock.now())
    check_email(token=token, code="123456", now=clock.now())
    row.refresh_from_db()
    assert row.email_checked_at is not None
    Vendor.objects.filter(pk=row.pk).update(email_checked_at=None)
    with pytest.raises(Invalid):
        check_email(token=token, code="123456", now=clock.now())
    assert row.status == VendorStatus.PENDING


def file(stage: Stage, place: int, *, address: str = "", email: str = "", now: datetime | None = None) -> str:
    """The application of another enterprise."""
    applicant = replace(ACME, credit_code=f"91440101MA5CU{place:05}", email=email or f"{place}@example.cn")
    return register_vendor(applicant=applicant, org_id=stage.cast.orgs["city"].id, address=address, now=now or clock.now())


def test_one_network_files_a_few_applications_a_day(stage: Stage) -> None:
    for place in range(MAX_NEAR):
        file(stage, place, address="203.0.113.7")
    with pytest.raises(TooManyApplications):
        file(stage, 90, address="203.0.113.7")
    file(stage, 91, address="203.0.113.8")
    file(stage, 92, address="203.0.113.7", now=clock.now() + timedelta(hours=25))
    assert not Vendor.objects.filter(origin__startswith="203.").exists()


def test_an_ipv6_network_counts_as_one(stage: Stage) -> None:
    for place in range(MAX_NEAR):
        file(stage, place, address=f"2001:db8:1:2::{place:x}")
    with pytest.raises(TooManyApplications):
        file(stage, 90, address="2001:db8:1:2:ffff::1")
    file(stage, 91, address="2001:db8:1:3::1")


def test_nobody_is_sent_one_code_after_another(stage: Stage) -> None:
    for place in range(3):
        file(stage, place, address=f"203.0.113.{place}", email="victim@example.cn")
    with pytest.raises(TooManyApplications):
        file(stage, 90, address="203.0.113.90", email="Victim@example.cn")


def test_the_page_says_so_with_429(stage: Stage) -> None:
    facts = {"name": "一家公司", "contact_name": "褚云", "org": stage.cast.orgs["city"].public_id}
    browser = Client(REMOTE_ADDR="203.0.113.7")
    answers = [
        browser.post(
            "/vendors/register/", facts | {"credit_code": f"91440101MA5CU{place:05}", "email": f"{place}@example.cn"}
        ).status_code
        for place in range(MAX_NEAR + 1)
    ]
    assert answers == [302] * MAX_NEAR + [429]


def test_what_nobody_proved_lapses_after_a_day(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda _limit: 123_456)
    kept, lost, now = file(stage, 1), file(stage, 2), clock.now()
    check_email(token=kept, code="123456", now=now)
    assert drop_lapsed(now=now + timedelta(hours=23)) == 0
    assert drop_lapsed(now=now + timedelta(hours=25)) == 1
    assert vendor_row_of_token(kept).status == VendorStatus.PENDING
    with pytest.raises(NotFound):
        vendor_row_of_token(lost)
    squatted = file(stage, 3)
    again = file(stage, 3, now=now + timedelta(hours=25))
    assert vendor_row_of_token(again).credit_code.endswith("00003")
    with pytest.raises(NotFound):
        vendor_row_of_token(squatted)
    assert Vendor.objects.filter(status=VendorStatus.APPROVED).count() == 2, "decided ones stay"
