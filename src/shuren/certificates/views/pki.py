"""What relying parties fetch from the region's authorities: anybody, and any program."""

import base64
import binascii

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from shuren.certificates.forms.digital import CheckForm
from shuren.certificates.rules.answers import may_be_kept, too_many
from shuren.certificates.selectors.regions import revoked_codes
from shuren.certificates.views.throttle import may_ask
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.trust import api as trust

_MAX_BYTES = 16 * 1024
# Every answer that no cache has costs a signature. Servers that ask for many stay below this by keeping answers.
_SIGNED_PER_MINUTE = 300
_CHECKS_PER_MINUTE = 30
# Of each name in a file every certificate is tried: more than a chain has only costs signatures.
_MOST_CERTIFICATES = 10
_OCSP = "application/ocsp-response"
_STAMP = "application/timestamp-reply"
_FAULTS: dict[str, str | Promise] = {
    "expired": gettext_lazy("证书链上有证书已经到期。"),
    "not_yet": gettext_lazy("证书链上有证书还没有生效。"),
    "revoked": gettext_lazy("证书或它上面的证书机构已被吊销。"),
    "no_issuer": gettext_lazy("找不到可信的签发机构：它不是本地区签发的，也不是信任的外部机构签发的，或者内容被改动过。"),
    "too_long": gettext_lazy("证书链太长。"),
    "not_an_authority": gettext_lazy("证书链上有一张证书无权签发别的证书。"),
    "path_length": gettext_lazy("证书机构的层数超过了上级允许的层数。"),
    "unknown_extension": gettext_lazy("证书里有本平台不能判断的限制。"),
}


@open_door
@require_GET
def pki(request: HttpRequest) -> HttpResponse:
    found = [(facts, trust.fingerprint_of(facts.chain[0])) for facts in trust.authorities()]
    roots = [(title, trust.subject_text(der), trust.fingerprint_of(der)) for _id, title, der in trust.trusted_roots()]
    return render(request, "certificates/pki.html", {"authorities": found, "roots": roots, "revoked": revoked_codes()})


@open_door
@never_cache
def check(request: HttpRequest) -> HttpResponse:
    """Whether a certificate that somebody has leads to a root that is believed here, and what is wrong with it."""
    form = CheckForm(request.POST or None, request.FILES or None)
    context: dict[str, object] = {"form": form, "title": _("核对数字证书")}
    status = 200
    if request.method == "POST" and form.is_valid():
        if not may_ask(request, "check", per_minute=_CHECKS_PER_MINUTE):
            form.add_error(None, _("查得太快了。请一分钟后再试。"))
            status = 429
        else:
            context |= _checked(form)
    return render(request, "certificates/check_certificate.html", context, status=status)


def _checked(form: CheckForm) -> dict[str, object]:
    content = form.cleaned_data["certificate"]
    try:
        leaf, *others = trust.certificates_in(content)
        if len(others) >= _MOST_CERTIFICATES:
            form.add_error("certificate", _("一个文件里最多 %(most)s 张证书。") % {"most": _MOST_CERTIFICATES})
            return {}
        verdict = trust.validate_certificate(content, now=clock.now())
    except trust.NotACertificate:
        form.add_error("certificate", _("这不是证书文件。"))
        return {}
    outside = {trust.subject_text(der): title for _id, title, der in trust.trusted_roots()}
    root = outside.get(verdict.subjects[-1], "") if verdict.is_valid else ""
    return {
        "verdict": verdict,
        "faults": [_FAULTS[fault] for fault in verdict.faults],
        "fingerprint": trust.fingerprint_of(leaf),
        # Of what was issued elsewhere only the lists there tell whether it was revoked.
        "outside": "" if trust.subject_text(leaf) in outside else root,
    }


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
    return _answered(_ocsp_answer(request, code, _body(request)), _OCSP)


@open_door
@require_GET
def ocsp_by_address(request: HttpRequest, code: str, question: str) -> HttpResponse:
    """The same with the request in the address, base64, as caches like it."""
    try:
        body = base64.b64decode(question, validate=True) if len(question) <= _MAX_BYTES else b""
    except binascii.Error:
        body = b""
    response = _answered(answer := _ocsp_answer(request, code, body), _OCSP)
    if may_be_kept(answer):
        # RFC 5019 §6.2; what was revoked is known to all caches within these minutes.
        response["Cache-Control"] = "max-age=300, public, no-transform, must-revalidate"
    return response


def _ocsp_answer(request: HttpRequest, code: str, question: bytes) -> bytes:
    if not may_ask(request, "ocsp", per_minute=_SIGNED_PER_MINUTE):
        return too_many()
    return trust.answer_ocsp(code, question, now=clock.now())


@csrf_exempt
@open_door
@require_POST
def timestamp(request: HttpRequest) -> HttpResponse:
    """RFC 3161 §3.4."""
    if not may_ask(request, "timestamp", per_minute=_SIGNED_PER_MINUTE):
        return HttpResponse(status=429, headers={"Retry-After": "60", "Cache-Control": "no-store"})
    return _answered(trust.answer_timestamp(_body(request), now=clock.now()), _STAMP)


def _body(request: HttpRequest) -> bytes:
    return request.body if int(request.headers.get("Content-Length") or 0) <= _MAX_BYTES else b""


def _answered(content: bytes, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = "no-store"
    return response
