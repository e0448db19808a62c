"""The security administrator's pages of the region's authorities and of the roots that are believed."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shuren.certificates.forms.digital import (
    AcceptForm,
    CertifyRegionForm,
    ConfirmRegionForm,
    FoundForm,
    RevokeAuthorityForm,
    TrustRootForm,
)
from shuren.certificates.rules.requests import key_fingerprint, key_in
from shuren.certificates.selectors.regions import AuthorityBelow, access_authority_below, authorities_below, check_keeper
from shuren.certificates.services.certify_region import certify_region, revoke_authority, subject_of_region
from shuren.certificates.views.asked import form_page
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm, RevocationReason


@require_GET
def authorities(request: HttpRequest) -> HttpResponse:
    _manager(request)
    roots = [
        (ids.encode("root", id), title, trust.subject_text(der), trust.fingerprint_of(der))
        for id, title, der in trust.trusted_roots()
    ]
    found = [(facts, trust.fingerprint_of(facts.chain[0])) for facts in trust.authorities()]
    below = [(ids.encode("issued", entry.certificate.id), entry, _state_of(entry)) for entry in authorities_below()]
    return render(request, "certificates/authorities.html", {"authorities": found, "roots": roots, "below": below})


def found(request: HttpRequest) -> HttpResponseBase:
    actor = _manager(request)
    form = FoundForm(request.POST or None, parents=[(facts.code, facts.title) for facts in trust.authorities()])

    def save() -> str:
        given = form.cleaned_data
        trust.found_authority(
            code=given["code"],
            title=given["title"],
            algorithm=KeyAlgorithm(given["algorithm"]),
            parent=given["parent"],
            years=given["years"],
            actor=actor,
            now=clock.now(),
        )
        messages.success(request, _("证书机构已建立。"))
        return _home()

    lead = _("先建根，再在根下面建签发机构。平时只用签发机构，根的密钥越少用越安全。")
    return form_page(
        request, form, save, title=_("建立证书机构"), submit=_("建立"), back=_home(), lead=lead, crumbs=_trail(_("建立"))
    )


@require_GET
def authority_request(request: HttpRequest, code: str) -> HttpResponse:
    _manager(request)
    response = HttpResponse(trust.authority_request(code), content_type="application/pkcs10")
    response["Content-Disposition"] = f'attachment; filename="{code}.csr"'
    return response


def accept(request: HttpRequest, code: str) -> HttpResponseBase:
    actor, facts = _manager(request), trust.authority(code)
    form = AcceptForm(request.POST or None, request.FILES or None)

    def save() -> str:
        trust.accept_authority(code=code, chain=form.cleaned_data["chain"], actor=actor, now=clock.now())
        messages.success(request, _("已换上上级签发的证书。"))
        return _home()

    words = {"title": facts.title, "fingerprint": key_fingerprint(key_in(facts.chain[0]))}
    lead = _("“%(title)s”由上级地区签发证书以后，在这里上传。已签发的证书继续有效。") % words
    lead += _("上级会核对公钥指纹（SHA-256）：%(fingerprint)s。") % words
    return form_page(
        request,
        form,
        save,
        title=_("上传上级签发的证书"),
        submit=_("上传"),
        back=_home(),
        lead=lead,
        crumbs=_trail(facts.title),
    )


@require_step_up(Purpose.GRANT)
def certify(request: HttpRequest, code: str) -> HttpResponseBase:
    """The request of a region below: shown first, certified when the fingerprint has been compared."""
    actor, facts = _manager(request), trust.authority(code)
    page: dict[str, Any] = {"back": _home(), "crumbs": _trail(facts.title), "title": _("给下级地区签发")}
    if "request_text" in request.POST:
        return _confirmed(request, ConfirmRegionForm(request.POST), actor, facts.code, page)
    form = CertifyRegionForm(request.POST or None, request.FILES or None)

    def show() -> HttpResponseBase:
        given = form.cleaned_data
        said = {"title": given["title"], "days": given["days"], "request_text": b64encode(given["request"]).decode()}
        return _shown(request, ConfirmRegionForm(initial=said), given["request"], page)

    lead = _("“%(title)s”给下级地区的证书机构签发证书，对方下面还可以有一级。") % {"title": facts.title}
    return form_page(request, form, show, submit=_("读取申请文件"), lead=lead, **page)


def _confirmed(request: HttpRequest, form: ConfirmRegionForm, actor: Actor, code: str, page: Any) -> HttpResponseBase:
    try:
        content = b64decode(request.POST["request_text"], validate=True)
    except binascii.Error:
        content = b""

    def save() -> str:
        given = form.cleaned_data
        certify_region(actor=actor, authority=code, title=given["title"], request=content, days=given["days"], now=clock.now())
        messages.success(request, _("已签发，请下载证书链发给对方。"))
        return _home()

    return _shown(request, form, content, page, save)


def _shown(
    request: HttpRequest, form: ConfirmRegionForm, content: bytes, page: Any, save: Callable[[], str] | None = None
) -> HttpResponseBase:
    """What stands in the request, to be compared; certified with `save`."""
    subject = subject_of_region(content)
    beside = {"subject": subject, "fingerprint": key_fingerprint(trust.spki_of_request(content))}
    template = "certificates/certify_region.html"
    if save is None:
        context = {**page, "form": form, "submit_label": _("签发"), "cancel_url": page["back"], "breadcrumbs": page["crumbs"]}
        return render(request, template, {**context, **beside})
    return form_page(request, form, save, submit=_("签发"), template=template, beside=beside, **page)


@require_GET
def region_chain(request: HttpRequest, issued_id: str) -> HttpResponse:
    """The certificate of an authority below with those above it, PEM: what it uploads."""
    found = access_authority_below(actor=actor_of(request), id=ids.decode("issued", issued_id), now=clock.now()).certificate
    chain = (found.der, *trust.authority(found.authority).chain)
    response = HttpResponse(trust.pem_chain(chain), content_type="application/x-pem-file")
    response["Content-Disposition"] = f'attachment; filename="authority-{found.serial[:8]}.pem"'
    return response


@require_step_up(Purpose.GRANT)
def revoke_below(request: HttpRequest, issued_id: str) -> HttpResponseBase:
    actor, certificate_id = actor_of(request), ids.decode("issued", issued_id)
    found = access_authority_below(actor=actor, id=certificate_id, now=clock.now())
    form = RevokeAuthorityForm(request.POST or None)

    def save() -> str:
        reason = RevocationReason(form.cleaned_data["reason"])
        revoke_authority(actor=actor, certificate_id=certificate_id, reason=reason, now=clock.now())
        messages.success(request, _("已吊销。"))
        return _home()

    lead = _("吊销“%(title)s”后，它签发的所有证书都不再有效，不能恢复。") % {"title": found.title}
    return form_page(
        request,
        form,
        save,
        title=_("吊销证书机构"),
        submit=_("吊销"),
        back=_home(),
        lead=lead,
        is_danger=True,
        crumbs=_trail(found.title),
    )


def _state_of(entry: AuthorityBelow) -> str:
    issued = entry.certificate
    if issued.revoked_at is not None:
        return "revoked"
    return "ended" if issued.ends_at <= clock.now() else "good"


def trust_root(request: HttpRequest) -> HttpResponseBase:
    actor = _manager(request)
    form = TrustRootForm(request.POST or None, request.FILES or None)

    def save() -> str:
        trust.trust_root(**form.cleaned_data, actor=actor, now=clock.now())
        messages.success(request, _("已列为信任。"))
        return _home()

    lead = _("列为信任后，对方地区签发的证书在这里有效。")
    return form_page(
        request,
        form,
        save,
        title=_("信任外部根证书"),
        submit=_("列为信任"),
        back=_home(),
        lead=lead,
        crumbs=_trail(_("信任")),
    )


@require_POST
def distrust_root(request: HttpRequest, root_id: str) -> HttpResponseBase:
    actor = _manager(request)
    trust.distrust_root(id=ids.decode("root", root_id), actor=actor, now=clock.now())
    messages.success(request, _("已取消信任。"))
    return redirect("certificates:authorities")


def _manager(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    check_keeper(actor, now=clock.now())
    return actor


def _home() -> str:
    return reverse("certificates:authorities")


def _trail(here: str) -> list[dict[str, str]]:
    return [{"label": _("证书机构"), "url": _home()}, {"label": here, "url": ""}]
