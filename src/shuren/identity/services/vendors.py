"""Signing in by WeCom, DingTalk or WeChat: OAuth code flows as each vendor's public documentation describes them."""

from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.data import SignInMethod
from shuren.identity.models import Account, VendorBinding
from shuren.identity.services.tell_owner import tell_of_way_in
from shuren.identity.words import method_name
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.messaging import api as messaging


class Vendor(StrEnum):
    """Services whose accounts can open the door; each is there when its gateway is configured."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    WECHAT = "wechat"

    @property
    def method(self) -> SignInMethod:
        return SignInMethod(self.value)


def vendors_here() -> list[Vendor]:
    return [vendor for vendor in Vendor if messaging.gateway_settings(vendor.value) is not None]


def authorize_address(vendor: Vendor, *, redirect_uri: str, state: str) -> str:
    """Where the browser is sent; it comes back to `redirect_uri` with a code and the same `state`."""
    facts = _facts(vendor)
    match vendor:
        case Vendor.WECOM:
            words = {"login_type": "CorpApp", "appid": facts["corp_id"], "agentid": facts["agent_id"]}
            place = "/wwlogin/sso/login"
        case Vendor.DINGTALK:
            words = {"client_id": facts["app_key"], "response_type": "code", "scope": "openid", "prompt": "consent"}
            place = "/oauth2/auth"
        case Vendor.WECHAT:
            words = {"appid": facts["app_id"], "response_type": "code", "scope": "snsapi_login"}
            place = "/connect/qrconnect"
    asked = urlencode({**words, "redirect_uri": redirect_uri, "state": state})
    end = "#wechat_redirect" if vendor is Vendor.WECHAT else ""
    return f"{facts['sign_in_url']}{place}?{asked}{end}"


def subject_of(vendor: Vendor, *, code: str) -> str:
    """Whose code it is: the userid of a WeCom member, the unionid elsewhere. Raises `messaging.GatewayFailed`."""
    facts = _facts(vendor)
    match vendor:
        case Vendor.WECOM:
            asked = urlencode({"access_token": messaging.wecom_token(facts), "code": code})
            told = messaging.vendor_call(f"{facts['url']}/cgi-bin/auth/getuserinfo?{asked}")
            subject = told.get("userid") or told.get("UserId")
        case Vendor.DINGTALK:
            body = {
                "clientId": facts["app_key"],
                "clientSecret": facts["secret"],
                "code": code,
                "grantType": "authorization_code",
            }
            token = messaging.vendor_call(f"{facts['url']}/v1.0/oauth2/userAccessToken", method="POST", json_body=body)
            headers = {"x-acs-dingtalk-access-token": str(token.get("accessToken", ""))}
            subject = messaging.vendor_call(f"{facts['url']}/v1.0/contact/users/me", headers=headers).get("unionId")
        case Vendor.WECHAT:
            asked = urlencode(
                {"appid": facts["app_id"], "secret": facts["secret"], "code": code, "grant_type": "authorization_code"}
            )
            subject = messaging.vendor_call(f"{facts['url']}/sns/oauth2/access_token?{asked}").get("unionid")
    if not subject:
        raise messaging.GatewayFailed("nobody in the answer")
    return str(subject)[:128]


def account_bound_to(vendor: Vendor, subject: str) -> int | None:
    """The account that this person of the vendor may open."""
    rows = VendorBinding.objects.filter(vendor=vendor.value, subject=subject, account__is_active=True)
    return rows.values_list("account_id", flat=True).first()


@transaction.atomic
def bind_vendor(*, actor: Actor, vendor: Vendor, subject: str, now: datetime) -> None:
    """Bind the vendor's person to the actor's own account, instead of an older one; somebody else's is refused.

    The owner is told: whoever is bound comes in from now on.
    """
    assert actor.account_id is not None
    standing = VendorBinding.objects.filter(vendor=vendor.value, subject=subject).first()
    if standing is not None and standing.account_id != actor.account_id:
        raise Conflict(_("它已经绑定了另一个账号。"), remedy=_("请先用那个账号登录，解除绑定。"))
    VendorBinding.objects.update_or_create(
        account_id=actor.account_id, vendor=vendor.value, defaults={"subject": subject, "bound_at": now}
    )
    _record(actor, "identity.vendor_bound", vendor, now=now)
    tell_of_way_in(account=Account.objects.get(pk=actor.account_id), name=method_name(vendor.method), now=now)


@transaction.atomic
def unbind_vendor(*, actor: Actor, vendor: Vendor, now: datetime) -> None:
    """Forget the actor's binding with this vendor."""
    if not VendorBinding.objects.filter(account_id=actor.account_id or 0, vendor=vendor.value).delete()[0]:
        raise NotFound(_("没有绑定。"))
    _record(actor, "identity.vendor_unbound", vendor, now=now)


def _facts(vendor: Vendor) -> dict[str, str]:
    facts = messaging.gateway_settings(vendor.value)
    if facts is None:
        raise NotFound(_("这里没有这种登录方式。"))
    return facts


def _record(actor: Actor, action: str, vendor: Vendor, *, now: datetime) -> None:
    audit.record(actor=actor, action=action, target=f"account:{actor.account_id}", details={"vendor": vendor}, now=now)
