"""The addresses of CAS 3.0."""

from datetime import timedelta
from urllib.parse import urlencode

from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from shuren.identity.api import step_due
from shuren.identity.models import CasService, SignIn
from shuren.identity.rules import addresses
from shuren.identity.rules.cas import answers
from shuren.identity.rules.cas.answers import Failure, Success
from shuren.identity.selectors.cas import cas_service_of
from shuren.identity.selectors.sign_ins import current_sign_in
from shuren.identity.services.cas.issue import issue_proxy_ticket, issue_ticket
from shuren.identity.services.cas.validate import validate_ticket
from shuren.identity.views.again import ASKED, ask_again, is_fresh, leave
from shuren.identity.views.leaving import Onward, onward_page, post_page
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Refused

_ASSERTION_LASTS = timedelta(minutes=5)
_LONGEST_BODY = 16 * 1024


@open_door
@never_cache
@require_GET
def login(request: HttpRequest) -> HttpResponse:
    """Give the person signed in a ticket for the service that sent them here, or let them sign in first."""
    asked = request.GET.get("service", "")
    if not asked:
        return redirect("front:home" if _sign_in(request) else "identity:sign_in")
    address = addresses.normal_address(asked)
    service = cas_service_of(address) if address else None
    if address is None or service is None:
        raise Refused(_("这个服务没有登记，不能用本平台的账号登录。"), remedy=_("请联系服务的管理员或本单位管理员登记它的地址。"))
    address = addresses.without_parameter(address, "ticket")
    sign_in = _sign_in(request)
    is_renewed, is_gateway = _flag(request, "renew"), _flag(request, "gateway")
    fresh = sign_in is not None and is_fresh(request)
    step = step_due(request, login) if sign_in is not None else None
    if is_gateway and not is_renewed and (sign_in is None or step is not None):
        return Onward(address)
    if sign_in is None or (is_renewed and not fresh):
        question = request.GET.copy()
        question.pop(ASKED, None)
        return ask_again(request, f"{reverse('identity:cas_login')}?{question.urlencode()}")
    if step is not None:
        # Marked, because what follows a form goes on by a page in between; an empty mark proves nothing.
        question = request.GET.copy()
        question.setdefault(ASKED, "")
        return redirect(f"{step}?{urlencode({'next': f'{request.path}?{question.urlencode()}'})}")
    ticket = issue_ticket(service=service, address=address, sign_in=sign_in, is_fresh=fresh, now=clock.now())
    return _send(request, service, address, ticket)


@open_door
@never_cache
@require_GET
def logout(request: HttpRequest) -> HttpResponse:
    """End the session; go on to `service` (or `url`, as CAS 2 said) where that is a registered one."""
    leave(request)
    address = addresses.normal_address(request.GET.get("service") or request.GET.get("url") or "")
    service = cas_service_of(address) if address else None
    if address and service:
        return Onward(address)
    return render(request, "identity/signed_out.html")


@open_door
@never_cache
@require_GET
def validate(request: HttpRequest) -> HttpResponse:
    """CAS 1: two lines of text; service tickets only."""
    return HttpResponse(answers.as_plain(_validated(request, allows_proxies=False)), content_type="text/plain; charset=utf-8")


@open_door
@never_cache
@require_GET
def service_validate(request: HttpRequest) -> HttpResponse:
    return _answer(request, _validated(request, allows_proxies=False), with_attributes=False)


@open_door
@never_cache
@require_GET
def proxy_validate(request: HttpRequest) -> HttpResponse:
    return _answer(request, _validated(request, allows_proxies=True), with_attributes=False)


@open_door
@never_cache
@require_GET
def p3_service_validate(request: HttpRequest) -> HttpResponse:
    return _answer(request, _validated(request, allows_proxies=False), with_attributes=True)


@open_door
@never_cache
@require_GET
def p3_proxy_validate(request: HttpRequest) -> HttpResponse:
    return _answer(request, _validated(request, allows_proxies=True), with_attributes=True)


@open_door
@never_cache
@require_GET
def proxy(request: HttpRequest) -> HttpResponse:
    """A proxy ticket for a service that comes in somebody's name."""
    pgt, target = request.GET.get("pgt", ""), request.GET.get("targetService", "")
    answer = issue_proxy_ticket(pgt=pgt, target=target, now=clock.now())
    if _wants_json(request):
        return JsonResponse(answers.proxy_as_json(answer))
    return HttpResponse(answers.proxy_as_xml(answer), content_type="application/xml; charset=utf-8")


@csrf_exempt
@open_door
@never_cache
@require_POST
def saml_validate(request: HttpRequest) -> HttpResponse:
    """SAML 1.1 in SOAP: the ticket is the artifact, `TARGET` the service."""
    ticket, request_id = _artifact(request.body)
    service, now = request.GET.get("TARGET", ""), clock.now()
    answer = validate_ticket(ticket=ticket, service=service, is_renewed=False, allows_proxies=False, now=now)
    body = answers.as_saml(
        answer,
        id=get_random_string(32),
        in_response_to=request_id,
        recipient=service,
        issuer=request.build_absolute_uri(reverse("identity:cas_login")),
        lifetime=_ASSERTION_LASTS,
        now=now,
    )
    return HttpResponse(body, content_type="text/xml; charset=utf-8")


def _sign_in(request: HttpRequest) -> SignIn | None:
    return current_sign_in(request.session.session_key) if request.user.is_authenticated else None


def _send(request: HttpRequest, service: CasService, address: str, ticket: str) -> HttpResponse:
    method = request.GET.get("method", "").upper()
    if method == "POST":
        return post_page(request, address, {"ticket": ticket}, name=service.name)
    if method == "HEADER":
        return HttpResponse(headers={"service": address, "ticket": ticket})
    url = addresses.with_parameter(address, "ticket", ticket)
    return onward_page(request, url, name=service.name) if ASKED in request.GET else Onward(url)


def _validated(request: HttpRequest, *, allows_proxies: bool) -> Success | Failure:
    asked = request.GET
    return validate_ticket(
        ticket=asked.get("ticket", ""),
        service=asked.get("service", ""),
        is_renewed=_flag(request, "renew"),
        allows_proxies=allows_proxies,
        pgt_url=asked.get("pgtUrl", ""),
        now=clock.now(),
    )


def _answer(request: HttpRequest, answer: Success | Failure, *, with_attributes: bool) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(answers.as_json(answer, with_attributes=with_attributes))
    body = answers.as_xml(answer, with_attributes=with_attributes)
    return HttpResponse(body, content_type="application/xml; charset=utf-8")


def _wants_json(request: HttpRequest) -> bool:
    return request.GET.get("format", "").upper() == "JSON"


def _flag(request: HttpRequest, name: str) -> bool:
    """A parameter is set by being there, whatever it says (2.1.1), but for a plain `false`."""
    return name in request.GET and request.GET[name].lower() not in {"false", "0"}


def _artifact(body: bytes) -> tuple[str, str]:
    """The ticket and the id of a SAML 1.1 request; empty for what is none."""
    if len(body) > _LONGEST_BODY:
        return "", ""
    try:
        root = SafeET.fromstring(body, forbid_dtd=True)
    except (SafeET.ParseError, DefusedXmlException, ValueError):
        return "", ""
    asked = root.find(f".//{{{answers.SAML1P}}}Request")
    artifact = root.findtext(f".//{{{answers.SAML1P}}}AssertionArtifact") or ""
    return artifact.strip(), (asked.get("RequestID", "") if asked is not None else "")[:200]
