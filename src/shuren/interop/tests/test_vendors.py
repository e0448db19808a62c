"""Becoming a vendor: once per enterprise, e-mail proved by code, account handed out once."""

import secrets

import pytest

from shuren.interop.data import Applicant, VendorStatus
from shuren.interop.models import Vendor
from shuren.interop.selectors.vendors import vendor_row_of_token
from shuren.interop.services.register_vendor import check_email, decide_vendor, open_vendor_account, register_vendor
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
