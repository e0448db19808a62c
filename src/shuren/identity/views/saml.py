"""The addresses of the SAML 2.0 identity provider."""

import zlib
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import logout as end_browser_session
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from shuren.identity.api import step_due
from shuren.identity.data import Assurance
from shuren.identity.models import SamlService, SignIn
from shuren.identity.presence import best_proof, is_weak, last_verified
from shuren.identity.rules.factors import assurance_of
from shuren.identity.rules.saml import messages
from shuren.identity.rules.saml.contexts import AskedContext, can_show, class_for, least_assurance
from shuren.identity.rules.saml.messages import BadMessage, Query
from shuren.identity.selectors.factors import held_factors
from shuren.identity.selectors.saml import saml_service_by_id
from shuren.identity.selectors.sign_ins import current_sign_in
from shuren.identity.services.saml.answer import (
    answer_logout,
    answer_request,
    check_authn_request,
    check_logout_request,
    fit_relay_state,
    refuse_context,
    refuse_passive,
)
from shuren.identity.services.saml.idp import Address, own_metadata
from shuren.identity.services.saml.sign_out import end_named_sessions
from shuren.identity.views.again import ask_again, is_fresh
from shuren.identity.views.leaving import Onward, post_page
from shuren.identity.views.oauth.answers import issuer_of
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import NotFound, Refused

_RAISED = "raised"
_SALT = "identity.saml_request"
_LASTS = 1800


@open_door
@never_cache
@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """Our metadata, for services to read."""
    return HttpResponse(own_metadata(_address(request)), content_type="application/samlmetadata+xml")


@csrf_exempt
@open_door
@never_cache
@require_http_methods(["GET", "POST"])
def sso(request: HttpRequest) -> HttpResponse:
    """Check a request and go on to the page that answers it.

    A form that comes from elsewhere brings no session cookie; the page after it does, and remembers what was checked.
    """
    now = clock.now()
    try:
        message, relay_state = _message(request)
        service, asked, endpoint = check_authn_request(message, address=_address(request), now=now)
    except BadMessage as fault:
        raise _refused(fault) from fault
    kept = {
        "service": service.pk,
        "id": asked.id,
        "acs": endpoint.url,
        "relay": relay_state,
        "passive": asked.is_passive,
        "forced": asked.is_forced,
        "context": asked.context and [asked.context.comparison, asked.context.classes],
    }
    return redirect(f"{reverse('identity:saml_answer')}?request={signing.dumps(kept, salt=_SALT, compress=True)}")


@open_door
@never_cache
@require_GET
def answer(request: HttpRequest) -> HttpResponse:
    """Tell the service who is there and how surely, or let the person sign in or show more first."""
    kept = _kept(request.GET.get("request", ""))
    service = saml_service_by_id(kept["service"])
    if service is None:
        raise NotFound(_("没有找到这个服务。"))
    sign_in = _sign_in(request)
    step = step_due(request, answer) if sign_in is not None else None
    is_missing = sign_in is None or (kept["forced"] and not is_fresh(request))
    way = {"service": service, "request_id": kept["id"], "acs_url": kept["acs"], "address": _address(request)}
    if kept["passive"] and (is_missing or step is not None):
        return _post(request, kept, refuse_passive(**way), name=service.name)
    if sign_in is None or is_missing:
        return ask_again(request, _here(request))
    if step is not None:
        return redirect(f"{step}?{urlencode({'next': request.get_full_path()})}")
    verified_at, shown = _shown(request, kept, sign_in)
    asked = AskedContext(kept["context"][0], tuple(kept["context"][1])) if kept.get("context") else None
    class_ref = class_for(asked, shown)
    if asked is not None and class_ref is None:
        return _fall_short(request, kept, asked, sign_in, way)
    assert class_ref is not None
    body = answer_request(**way, sign_in=sign_in, class_ref=class_ref, verified_at=verified_at, now=clock.now())
    return _post(request, kept, body, name=service.name)


@csrf_exempt
@open_door
@never_cache
@require_http_methods(["GET", "POST"])
def slo(request: HttpRequest) -> HttpResponse:
    """End the sessions that a service names, and say so to it."""
    now, address = clock.now(), _address(request)
    if "SAMLResponse" in request.GET or "SAMLResponse" in request.POST:
        return redirect("identity:sign_in")
    try:
        message, relay_state = _message(request)
        service, asked, endpoint = check_logout_request(message, address=address, now=now)
    except BadMessage as fault:
        raise _refused(fault) from fault
    sign_in = _sign_in(request)
    end_named_sessions(service=service, request=asked, now=now)
    if sign_in is not None and not SignIn.objects.filter(pk=sign_in.pk).exists():
        end_browser_session(request)
    url = answer_logout(request_id=asked.id, endpoint=endpoint, relay_state=relay_state, address=address, now=now)
    return Onward(url)


def _shown(request: HttpRequest, kept: dict[str, Any], sign_in: SignIn) -> tuple[datetime, Assurance]:
    """When somebody last showed who they are, and the best that they showed: since we asked, where the service forces it."""
    verified_at, last = last_verified(request)
    return verified_at or sign_in.begun_at, last if kept["forced"] else assurance_of(best_proof(request))


def _fall_short(
    request: HttpRequest, kept: dict[str, Any], asked: AskedContext, sign_in: SignIn, way: dict[str, Any]
) -> HttpResponse:
    """Ask once for more where the person can show it; a service that insists on what cannot be shown is told so."""
    account, wanted = sign_in.account, least_assurance(asked)
    held, has_password = held_factors(account.pk), account.has_usable_password()
    can = wanted is not None and can_show(wanted, held=held, has_password=has_password)
    service: SamlService = way["service"]
    if can and kept["passive"]:
        return _post(request, kept, refuse_passive(**way), name=service.name)
    if can and not (_RAISED in request.GET and is_fresh(request)):
        # Pictures end here: what comes after them is a sign-in of its own, which may fall short in turn.
        return ask_again(request, _here(request) + ("" if is_weak(request) else f"&{_RAISED}=1"))
    return _post(request, kept, refuse_context(**way), name=service.name)


def _here(request: HttpRequest) -> str:
    return f"{reverse('identity:saml_answer')}?{urlencode({'request': request.GET['request']})}"


def _address(request: HttpRequest) -> Address:
    return Address(issuer_of(request))


def _message(request: HttpRequest) -> tuple[Query | bytes, str]:
    if request.method == "GET":
        query = messages.read_query(request.META.get("QUERY_STRING", ""))
        return query, fit_relay_state(query.relay_state)
    return messages.read_posted(request.POST.get("SAMLRequest", "")), fit_relay_state(request.POST.get("RelayState", ""))


def _kept(text: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = signing.loads(text, salt=_SALT, max_age=_LASTS)
    except (signing.BadSignature, zlib.error, ValueError) as fault:
        raise Refused(_("这次登录等得太久，或者网址不完整。"), remedy=_("请回到原来的服务再点一次登录。")) from fault
    return kept


def _post(request: HttpRequest, kept: dict[str, Any], body: str, *, name: str) -> HttpResponse:
    fields = {"SAMLResponse": body} | ({"RelayState": kept["relay"]} if kept["relay"] else {})
    return post_page(request, kept["acs"], fields, name=name)


def _sign_in(request: HttpRequest) -> SignIn | None:
    return current_sign_in(request.session.session_key) if request.user.is_authenticated else None


def _refused(fault: BadMessage) -> Refused:
    return Refused(_("这个服务发来的登录请求不能用：%(why)s。") % {"why": fault}, remedy=_("请把这句话告诉服务的管理员。"))
