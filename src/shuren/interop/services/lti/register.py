"""A tool registers itself: its vendor begins, the tool describes itself, and a draft and a client stand (LTI-DR 1.0)."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity import api as identity
from shuren.interop.models import AppVersion
from shuren.interop.rules.entries import is_web_address
from shuren.interop.rules.lti.registrations import entry_in, registered
from shuren.interop.selectors.people import actor_of_person
from shuren.interop.services.clients import ensure_client
from shuren.interop.services.write_entry import graded, new_app, vendor_of, write_version
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, Refused

_TOKEN = "interop.lti_registration"  # noqa: S105  # the name of a kind of token
_TOKEN_FOR = 3600


def begin_registration(*, actor: Actor, url: str, configuration_url: str, now: datetime) -> str:
    """The address at which the vendor's tool begins to register itself, good once and for an hour."""
    vendor = vendor_of(actor, now)
    if not is_web_address(url, may_be_plain=bool(settings.SHUREN_PRIVATE_TARGETS)):
        raise Invalid(_("请填写完整的 https 网址。"))
    errand = {"vendor": vendor.pk, "person": actor.person_id, "nonce": secrets.token_urlsafe(12)}
    sent = {"openid_configuration": configuration_url, "registration_token": signing.dumps(errand, salt=_TOKEN)}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(sent)}"


@transaction.atomic
def take_registration(*, token: str, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Enter the tool as a draft of the vendor that began, and answer as RFC 7591 says; raises `Refused`, `Invalid`.

    The client stands at once, so that the tool knows its id, and reaches nobody: the app is still to be completed,
    tested, approved and chosen like any other.
    """
    try:
        errand = signing.loads(token, salt=_TOKEN, max_age=_TOKEN_FOR)
    except signing.BadSignature:
        raise Refused(_("这次登记已经过期，或者不是从本平台开始的。")) from None
    actor = actor_of_person(errand["person"])
    vendor = vendor_of(actor, now)
    if vendor.pk != errand["vendor"]:
        raise Refused(_("这次登记已经过期，或者不是从本平台开始的。"))
    entry = graded(entry_in(body, may_be_plain=bool(settings.SHUREN_PRIVATE_TARGETS)))
    try:
        identity.spend_once(f"lti registration\n{token}", until=now + timedelta(seconds=_TOKEN_FOR))
    except Invalid:
        raise Refused(_("这次登记已经完成，不能再用一次。")) from None
    app = new_app(vendor, entry.name, now=now)
    version = write_version(AppVersion(app=app, number=1), entry, now=now)
    ensure_client(app, entry, actor=actor, now=now)
    details = {"vendor_id": vendor.pk, "version_id": version.pk}
    audit.record(actor=actor, action="interop.tool_registered", target=f"app:{app.pk}", details=details, now=now)
    return registered(entry, client_id=app.client_id or "")
