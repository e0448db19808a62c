"""Signing in by a vendor, against a server that answers as its documentation says."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.apps import apps
from django.test import Client

from shuren.identity.api import addresses_of
from shuren.identity.models import Account, SignIn, VendorBinding
from shuren.identity.services.vendors import Vendor, authorize_address, bind_vendor, subject_of
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.identity.tests.test_second_factors import gone_stale
from shuren.kernel.errors import Conflict
from shuren.messaging.api import GatewayFailed
from shuren.messaging.data import Channel
from shuren.messaging.tests.test_gateways import vendors

__all__ = ["vendors"]
Notice = apps.get_model("messaging.Notice")
Enter = Callable[[str], Client]


@pytest.mark.parametrize(("vendor", "subject"), [(Vendor.WECOM, "zhang"), (Vendor.DINGTALK, "u1"), (Vendor.WECHAT, "un")])
def test_vendors_say_who_came(vendors: str, vendor: Vendor, subject: str) -> None:
    assert subject_of(vendor, code="c1") == subject
    with pytest.raises(GatewayFailed):
        subject_of(vendor, code="stolen")
    address = authorize_address(vendor, redirect_uri="https://a.example/back/?x=1", state="s t")
    assert address.startswith("https://vendor.example/")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert (asked["state"], asked["redirect_uri"]) == ("s t", "https://a.example/back/?x=1")


def begun(client: Client, vendor: str = "wecom", **asked: str) -> str:
    """The state that the vendor would send back."""
    answer = client.get(f"/sign-in/with/{vendor}/", asked)
    address = answer.headers["Location"] if answer.status_code == 302 else answer.context["url"]
    return dict(parse_qsl(urlsplit(address).query))["state"]


def test_bound_once_it_opens_the_door(school: School, vendors: str, sign_in: Enter) -> None:
    owner = sign_in("head")
    assert (
        owner.get("/sign-in/with/wecom/back/", {"code": "c1", "state": begun(owner)}).headers["Location"] == "/account/security/"
    )
    assert VendorBinding.objects.get().subject == "zhang"
    told = Notice.objects.get(person_id=school.people["head"])
    assert ("企业微信" in told.body, told.url) == (True, "/account/security/")
    stranger = Client()
    state = begun(stranger, next="/account/")
    assert stranger.get("/sign-in/with/wecom/back/", {"code": "c1", "state": state}).headers["Location"] == "/account/"
    assert SignIn.objects.order_by("-pk")[0].methods == "wecom"
    assert owner.post("/account/security/vendors/wecom/unbind/").status_code == 302
    assert not VendorBinding.objects.exists()


@pytest.mark.parametrize("case", ["unbound", "other_state", "no_state", "no_code", "wrong_code", "other_vendor", "replayed"])
def test_what_was_not_begun_here_ends_here(school: School, vendors: str, case: str) -> None:
    if case != "unbound":
        bind_vendor(actor=school.actor("head"), vendor=Vendor.WECOM, subject="zhang", now=NOW)
    client = Client()
    state = begun(client)
    sent = {"code": "c1", "state": state}
    vendor = "wecom"
    match case:
        case "other_state":
            sent["state"] = begun(Client())
        case "no_state":
            del sent["state"]
        case "no_code":
            del sent["code"]
        case "wrong_code":
            sent["code"] = "stolen"
        case "other_vendor":
            vendor = "dingtalk"
        case "replayed":
            client.get("/sign-in/with/wecom/back/", {"code": "stolen", "state": state})
    assert client.get(f"/sign-in/with/{vendor}/back/", sent).status_code in (400, 404)
    assert client.get("/account/").status_code == 302


def test_somebody_elses_vendor_account_is_not_taken_over(school: School, vendors: str) -> None:
    bind_vendor(actor=school.actor("head"), vendor=Vendor.WECHAT, subject="un", now=NOW)
    with pytest.raises(Conflict):
        bind_vendor(actor=school.actor("pupil"), vendor=Vendor.WECHAT, subject="un", now=NOW)


def test_a_flow_begun_by_a_stranger_does_not_bind_to_whoever_signs_in_meanwhile(
    school: School, vendors: str, sign_in: Enter
) -> None:
    attacker, victim = Client(), sign_in("pupil")
    state = begun(attacker)
    assert victim.get("/sign-in/with/wecom/back/", {"code": "c1", "state": state}).status_code == 400
    assert not VendorBinding.objects.exists()


def test_binding_asks_for_a_fresh_proof(school: School, vendors: str, sign_in: Enter) -> None:
    owner = sign_in("head")
    state = begun(owner)
    gone_stale(owner)
    assert owner.get("/sign-in/with/wecom/back/", {"code": "c1", "state": state}).headers["Location"] == "/sign-in/with/wecom/"
    asked = owner.get("/sign-in/with/wecom/").headers["Location"]
    assert asked.startswith("/account/confirm/?next=%2Fsign-in%2Fwith%2Fwecom%2F")
    assert not VendorBinding.objects.exists()
    where = owner.get(asked).context["next"]
    assert owner.post("/account/confirm/", {"password": PASSWORD, "next": where}).headers["Location"] == where
    assert owner.get("/sign-in/with/wecom/back/", {"code": "c1", "state": begun(owner)}).status_code == 302
    assert VendorBinding.objects.exists()


def test_nothing_is_bound_before_the_first_password_is_changed(school: School, vendors: str, sign_in: Enter) -> None:
    owner = sign_in("head")
    state = begun(owner)
    Account.objects.filter(person_id=school.people["head"]).update(must_change_password=True)
    assert owner.get("/sign-in/with/wecom/").headers["Location"] == "/account/password/"
    owner.get("/sign-in/with/wecom/back/", {"code": "c1", "state": state})
    assert not VendorBinding.objects.exists()
    assert not Notice.objects.exists()


def test_the_house_knows_where_to_reach_people(school: School) -> None:
    bind_vendor(actor=school.actor("head"), vendor=Vendor.WECOM, subject="chen", now=NOW)
    asked = [school.people[key] for key in ("officer", "admin", "head", "parent")]
    found = addresses_of(asked)
    assert found[school.people["officer"]] == {Channel.EMAIL: "Zhou@example.org"}
    assert found[school.people["admin"]] == {Channel.SMS: "13000000001"}
    assert found[school.people["head"]] == {Channel.WECOM: "chen"}
    Account.objects.filter(person_id=school.people["admin"]).update(is_active=False)
    assert school.people["admin"] not in addresses_of(asked)
