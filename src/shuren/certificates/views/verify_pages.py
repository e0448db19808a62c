"""Where anybody checks a certificate: by its number, by its QR code, or by the file itself."""

from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.certificates.data import Verdict, VerdictData
from shuren.certificates.forms.giving import VerifyForm
from shuren.certificates.rules.numbers import grouped, read_number
from shuren.certificates.selectors.checking import verdict_by_number, verdict_of_file
from shuren.certificates.views.throttle import may_ask
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.trust import api as trust

MAX_FILE_BYTES = 3 * 1024 * 1024
# Numbers hold 80 random bits: the limit only keeps the page from being a toy for machines.
TRIES_PER_MINUTE = 30
_WORDS = {
    Verdict.VALID: (_("证书有效"), _("内容与颁发时一致，没有撤销，也没有过期。"), "success", "circle-check"),
    Verdict.CLAIMED: (
        _("签名相符，颁发者未经核实"),
        _("文件没有被改动过，但签名用的密钥是文件自带的，本平台不认识它，不能证明是谁颁发的，也没有核对是否撤销。"),
        "warning",
        "alert-circle",
    ),
    Verdict.REVOKED: (_("证书已撤销"), _("颁发机构已经撤销它，不能再用。"), "error", "alert-circle"),
    Verdict.EXPIRED: (_("证书已过期"), _("内容是真的，但已经过了有效期。"), "warning", "clock"),
    Verdict.NOT_YET: (_("证书还没有生效"), _("内容是真的，但生效的日子还没有到。"), "warning", "clock"),
    Verdict.ALTERED: (
        _("内容被改动过"),
        _("它与颁发时不一致，请不要相信。请向出示的人要原件。"),
        "error",
        "alert-circle",
    ),
    Verdict.UNKNOWN: (
        _("没有查到"),
        _("编号不对，或者不是能在这里查验的证书。请核对后再试。"),
        "warning",
        "question-mark",
    ),
}
# Of another issuer's nothing is known to be true but the signature.
_FOREIGN_WORDS = {
    Verdict.EXPIRED: _("签名与文件自带的密钥相符，但已经过了文件里写的有效期。"),
    Verdict.NOT_YET: _("签名与文件自带的密钥相符，但文件里写的生效日子还没有到。"),
}


@open_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponseBase:
    form = VerifyForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file is None:
            number = read_number(form.cleaned_data["number"])
            if number:
                return redirect("certificates:verify_number", number=number)
            return _page(request, form, VerdictData(verdict=Verdict.UNKNOWN))
        if file.size > MAX_FILE_BYTES:
            form.add_error("file", _("文件超过 3 MB，不是证书。"))
            return _page(request, form, None, status=400)
        if not _may_try(request):
            return _too_many(request, form)
        return _page(request, form, verdict_of_file(file.read(), now=clock.now()))
    return _page(request, form, None)


@open_door
@never_cache
@require_safe
def verify_number(request: HttpRequest, number: str) -> HttpResponse:
    form = VerifyForm(initial={"number": number[:40]})
    if not _may_try(request):
        return _too_many(request, form)
    return _page(request, form, verdict_by_number(number, now=clock.now()))


def _page(request: HttpRequest, form: VerifyForm, found: VerdictData | None, *, status: int = 200) -> HttpResponse:
    context: dict[str, object] = {"title": _("查验证书"), "form": form, "found": found}
    if found is not None:
        title, text, tone, icon = _WORDS[found.verdict]
        is_foreign = not found.is_ours and found.verdict not in (Verdict.UNKNOWN, Verdict.ALTERED)
        proof = trust.proof_of(found.entry_id) if found.entry_id else None
        context |= {
            "verdict_title": title,
            "verdict_text": _FOREIGN_WORDS.get(found.verdict, text) if is_foreign else text,
            "tone": tone,
            "icon_name": icon,
            "number": grouped(found.number) if found.is_ours and found.number else found.number,
            "given_at": found.given_at[:10],
            "valid_until": found.valid_until[:10],
            "is_foreign": is_foreign,
            "shows_facts": found.verdict not in (Verdict.UNKNOWN, Verdict.ALTERED),
            "proof": proof,
            "place": proof.leaf_index + 1 if proof else 0,
            "proof_url": reverse("certificates:open_proof", args=[found.number]) if proof else "",
            "original_url": reverse("certificates:open_original", args=[found.number]) if proof else "",
            "waits_for_proof": bool(found.entry_id) and proof is None,
            "credential_url": reverse("certificates:open_credential", args=[found.number])
            if found.is_ours and found.number
            else "",
        }
    response = render(request, "certificates/verify.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _too_many(request: HttpRequest, form: VerifyForm) -> HttpResponse:
    form.is_bound = True
    form.cleaned_data = {}
    form._errors = ErrorDict()  # type: ignore[attr-defined]  # an unbound form has no errors yet
    form.add_error(None, _("查得太快了。请一分钟后再试。"))
    response = _page(request, form, None, status=429)
    response.headers["Retry-After"] = "60"
    return response


def _may_try(request: HttpRequest) -> bool:
    return may_ask(request, "verify", per_minute=TRIES_PER_MINUTE)
