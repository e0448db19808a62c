"""The evidence log for everybody: its heads, its files, and a page that checks a proof in the reader's own browser."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from shuren.certificates.rules.canonical_form import canonical_certificate
from shuren.certificates.selectors.certificates import certificate_by_number, credential_of
from shuren.certificates.views.form_pages import download
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import NotFound
from shuren.trust import api as trust
from shuren.trust.data import Business

_TEXT = "text/plain; charset=utf-8"
_REQUEST_BYTES = 64 * 1024
_HEADS_SHOWN = 20
_ENTRIES_SHOWN = 20


def business_words() -> dict[Business, str]:
    return {
        Business.ENROLMENT: _("入学报名"),
        Business.EXAM: _("招生考试"),
        Business.GROWTH: _("成长档案"),
        Business.SCORE: _("成绩查询"),
        Business.DIPLOMA: _("学历学位证书"),
        Business.HONOUR: _("荣誉证书"),
        Business.AUDIT: _("操作记录"),
        Business.EXCHANGE: _("数据交换"),
    }


@open_door
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    words = business_words()
    heads = trust.tree_heads(_HEADS_SHOWN)
    witness = trust.witness_key()
    context = {
        "heads": heads,
        "head": heads[0] if heads else None,
        "keys": trust.log_keys(),
        "witness_key": witness.text if witness else "",
        "entries": [(words[leaf.business], leaf) for leaf in trust.latest_leaves(_ENTRIES_SHOWN)],
        "places": trust.delivery_states(),
    }
    return render(request, "certificates/evidence.html", context)


@open_door
@require_GET
def checkpoint(request: HttpRequest) -> HttpResponse:
    head = trust.tree_head()
    if head is None:
        raise Http404
    return _static(head.note.encode(), _TEXT, "no-store")


@open_door
@require_GET
def tile(request: HttpRequest, tile_path: str) -> HttpResponse:
    """A file of the log. Full tiles never change; a partial one gives way to wider ones, so it is kept for a while only."""
    data = trust.tile_bytes(tile_path)
    if data is None:
        raise Http404
    age = 600 if ".p/" in tile_path else 31_536_000
    return _static(data, "application/octet-stream", f"public, max-age={age}" + ("" if age == 600 else ", immutable"))


@csrf_exempt
@open_door
@require_POST
def add_checkpoint(request: HttpRequest) -> HttpResponse:
    """C2SP tlog-witness: whoever asks proves itself by the signature on its checkpoint."""
    if int(request.headers.get("Content-Length") or 0) > _REQUEST_BYTES:
        return HttpResponse("too long\n", status=413, content_type=_TEXT)
    try:
        text = request.body.decode("utf-8")
        lines = trust.add_checkpoint(text, now=clock.now())
    except UnicodeDecodeError:
        return HttpResponse("not UTF-8\n", status=400, content_type=_TEXT)
    except trust.WitnessRefused as refusal:
        kind = "text/x.tlog.size" if refusal.status == 409 else _TEXT
        return HttpResponse(f"{refusal.text}\n", status=refusal.status, content_type=kind)
    return HttpResponse(lines, content_type=_TEXT)


@open_door
@require_GET
def verify(request: HttpRequest) -> HttpResponse:
    words = {business.value: word for business, word in business_words().items()}
    return render(request, "certificates/verify_evidence.html", {"keys": trust.log_keys(), "businesses": words})


@open_door
@never_cache
@require_GET
def certificate_proof(request: HttpRequest, number: str) -> HttpResponse:
    """The proof that a certificate is on record, for whoever has its number; it lies in the log a minute after giving."""
    row = certificate_by_number(number)
    proof = trust.proof_of(row.entry_id) if row else None
    if row is None or proof is None:
        raise NotFound(_("还没有这份证明。"), remedy=_("请核对编号；刚颁发的证书，请过一分钟再来。"))
    return download(trust.proof_as_json(proof), name=f"{row.number}-proof.json", kind="application/json")


@open_door
@never_cache
@require_GET
def certificate_original(request: HttpRequest, number: str) -> HttpResponse:
    """The very bytes whose SHA-256 is on record: the certificate as canonical N-Quads."""
    row = certificate_by_number(number)
    if row is None:
        raise NotFound(_("没有找到这份证书。"))
    document = {name: value for name, value in credential_of(row).items() if name != "proof"}
    return download(canonical_certificate(document), name=f"{row.number}.nq", kind="application/n-quads; charset=utf-8")


def _static(data: bytes, kind: str, cache: str) -> HttpResponse:
    # Anybody may read the log from any page: it holds nothing that is not public.
    return HttpResponse(data, content_type=kind, headers={"Cache-Control": cache, "Access-Control-Allow-Origin": "*"})
