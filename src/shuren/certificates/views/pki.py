"""What relying parties fetch from the region's authorities: anybody, and any program."""

import base64
import binascii

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.trust import api as trust

_MAX_BYTES = 16 * 1024
_OCSP = "application/ocsp-response"
_STAMP = "application/timestamp-reply"


@open_door
@require_GET
def pki(request: HttpRequest) -> HttpResponse:
    found = [(facts, trust.fingerprint_of(facts.chain[0])) for facts in trust.authorities()]
    roots = [(title, trust.subject_text(der), trust.fingerprint_of(der)) for _id, title, der in trust.trusted_roots()]
    return render(request, "certificates/pki.html", {"authorities": found, "roots": roots})


@open_door
@require_GET
def revocation_list(request: HttpRequest, code: str) -> HttpResponse:
    response = HttpResponse(trust.crl_of(code, now=clock.now()), content_type="application/pkix-crl")
    # RFC 5280 leaves it to us; an hour is what a revocation may stay unknown to whoever trusts caches.
    response["Cache-Control"] = "public, max-age=3600"
    return response


@open_door
@require_GET
def authority_certificate(request: HttpRequest, code: str) -> HttpResponse:
    return HttpResponse(trust.authority(code).chain[0], content_type="application/pkix-cert")


@open_door
@require_GET
def authority_chain(request: HttpRequest, code: str) -> HttpResponse:
    return HttpResponse(trust.pem_chain(trust.authority(code).chain), content_type="application/x-pem-file")


@csrf_exempt
@open_door
@require_POST
def ocsp(request: HttpRequest, code: str) -> HttpResponse:
    """RFC 6960, appendix A.1."""
    return _answered(trust.answer_ocsp(code, _body(request), now=clock.now()), _OCSP)


@open_door
@require_GET
def ocsp_by_address(request: HttpRequest, code: str, question: str) -> HttpResponse:
    """The same with the request in the address, base64, as caches like it."""
    try:
        body = base64.b64decode(question, validate=True) if len(question) <= _MAX_BYTES else b""
    except binascii.Error:
        body = b""
    return _answered(trust.answer_ocsp(code, body, now=clock.now()), _OCSP)


@csrf_exempt
@open_door
@require_POST
def timestamp(request: HttpRequest) -> HttpResponse:
    """RFC 3161 §3.4."""
    return _answered(trust.answer_timestamp(_body(request), now=clock.now()), _STAMP)


def _body(request: HttpRequest) -> bytes:
    return request.body if int(request.headers.get("Content-Length") or 0) <= _MAX_BYTES else b""


def _answered(content: bytes, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = "no-store"
    return response
