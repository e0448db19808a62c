"""What the machine endpoints have in common: forms read strictly, answers never stored, errors in the words of RFC 6749."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shuren.identity.rules.oauth.asking import single_values
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.services.oauth.prove import Proof
from shuren.kernel.doors import open_door

Answer = Callable[[HttpRequest], HttpResponse]


def issuer_of(request: HttpRequest) -> str:
    """Who we are to apps: `SHUREN_PUBLIC_URL`, else the address this request came to."""
    return settings.SHUREN_PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def address_of_view(request: HttpRequest, name: str) -> str:
    return issuer_of(request) + reverse(name)


def endpoint(answer: Answer) -> Answer:
    """A door for programs: they prove themselves, so it needs no session and no forgery token; POST only."""

    @wraps(answer)
    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return open_to_origins(HttpResponse(status=204))
        try:
            return open_to_origins(unstored(answer(request)))
        except OAuthFault as fault:
            return open_to_origins(fault_answer(request, fault))

    return open_door(csrf_exempt(require_http_methods(["POST", "OPTIONS"])(guarded)))


def open_to_origins(response: HttpResponse) -> HttpResponse:
    """Apps that live in the browser call from their own origin; no cookie counts here, so any may."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    return response


def proof_of(request: HttpRequest) -> Proof:
    """What the caller brought; an assertion may be made out to the issuer or to the endpoint it is sent to."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise OAuthFault("invalid_request", "application/x-www-form-urlencoded is expected")
    audiences = {issuer_of(request), address_of_view(request, "identity:token"), issuer_of(request) + request.path}
    return Proof(
        header=request.headers.get("Authorization", ""),
        form=single_values({key: request.POST.getlist(key) for key in request.POST}),
        audiences=frozenset(audiences),
    )


def json_answer(content: Any, status: int = 200) -> JsonResponse:
    return JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False})


def unstored(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def fault_answer(request: HttpRequest, fault: OAuthFault) -> HttpResponse:
    content = {"error": fault.error} | ({"error_description": fault.description} if fault.description else {})
    response = unstored(json_answer(content, status=fault.status))
    if fault.retry_after:
        response.headers["Retry-After"] = str(fault.retry_after)
    if fault.status == 401 and "Authorization" in request.headers:
        response.headers["WWW-Authenticate"] = 'Basic realm="shuren"'
    return response
