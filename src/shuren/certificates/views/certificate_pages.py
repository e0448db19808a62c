"""One certificate: for its holder, and for those who gave it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.certificates.data import CertificateKind, CertificateStatus
from shuren.certificates.forms.giving import KINDS, CorrectForm, ReasonForm, RenewForm
from shuren.certificates.models import Certificate
from shuren.certificates.rules.credentials import as_json
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.selectors.certificates import access_certificate, credential_of, status_of
from shuren.certificates.services.print import printed
from shuren.certificates.services.revoke import reissue_certificate, revoke_certificate
from shuren.certificates.views.form_pages import download, form_page, posted, status_word
from shuren.certificates.views.giving_pages import certificate_url
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.pages.data import Action, Fact
from shuren.trust import api as trust


def _row(request: HttpRequest, certificate_id: str, *, for_giving: bool = False) -> Certificate:
    row_id = ids.decode("certificate", certificate_id)
    return access_certificate(actor=actor_of(request), id=row_id, now=clock.now(), for_giving=for_giving)


@never_cache
@require_safe
def certificate(request: HttpRequest, certificate_id: str) -> HttpResponseBase:
    now = clock.now()
    row = _row(request, certificate_id)
    status = status_of(row, now=now)
    facts = [
        Fact(label=_("得证人"), value=row.holder_name),
        Fact(label=_("颁发机构"), value=row.issuer_name),
        Fact(label=_("证书编号"), value=grouped(row.number), url=reverse("certificates:verify_number", args=[row.number])),
        Fact(label=_("类别"), value=str(KINDS[CertificateKind(row.kind)])),
        Fact(label=_("颁发时间"), value=row.given_at),
        Fact(label=_("有效期至"), value=row.valid_until or _("长期有效")),
        Fact(label=_("存证"), value=_("已存入存证记录") if trust.proof_of(row.entry_id) else _("正在存入，一分钟内完成")),
    ]
    if status is CertificateStatus.REVOKED:
        facts.append(Fact(label=_("撤销原因"), value=row.revoked_reason))
    if row.replaces_id:
        former = Certificate.objects.only("pk", "number").get(pk=row.replaces_id)
        facts.append(Fact(label=_("接替"), value=grouped(former.number), url=certificate_url(former)))
    context = {
        "title": row.version.name,
        "state": status_word(status),
        "facts": facts,
        "narrative": row.narrative,
        "actions": _actions(request, row, status),
        "breadcrumbs": [{"label": _("我的证书"), "url": reverse("certificates:wallet")}, {"label": row.version.name, "url": ""}],
    }
    return render(request, "certificates/certificate.html", context)


def _actions(request: HttpRequest, row: Certificate, status: CertificateStatus) -> list[Action]:
    actions = [
        Action(label=_("下载证书"), url=certificate_url(row, "print_certificate"), icon="download", is_primary=True),
        Action(label=_("下载数据文件"), url=certificate_url(row, "credential"), icon="file-text"),
    ]
    scope = directory.scope_of(actor=actor_of(request), permission=Permission.ISSUE_CERTIFICATES, now=clock.now())
    if scope.covers(row.org_path) and status is not CertificateStatus.REVOKED:
        if row.valid_until is not None:
            actions.append(Action(label=_("续期"), url=certificate_url(row, "renew"), icon="refresh"))
        actions.append(Action(label=_("更正重发"), url=certificate_url(row, "correct"), icon="pencil"))
        actions.append(Action(label=_("撤销"), url=certificate_url(row, "revoke"), icon="x", is_danger=True))
    return actions


@never_cache
@require_safe
def print_certificate(request: HttpRequest, certificate_id: str) -> HttpResponse:
    row, now = _row(request, certificate_id), clock.now()
    _record_download(request, row, "pdf")
    return download(printed(row, now=now), name=f"{row.version.name}-{row.holder_name}.pdf", kind="application/pdf")


@never_cache
@require_safe
def credential(request: HttpRequest, certificate_id: str) -> HttpResponse:
    row = _row(request, certificate_id)
    _record_download(request, row, "json")
    return download(as_json(credential_of(row)), name=f"{row.number}.json", kind="application/vc")


def _record_download(request: HttpRequest, row: Certificate, form: str) -> None:
    audit.record(
        actor=actor_of(request),
        action="certificates.downloaded",
        target=f"person:{row.holder_id}",
        details={"form": form, "number": row.number},
        now=clock.now(),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, certificate_id: str) -> HttpResponseBase:
    row = _row(request, certificate_id, for_giving=True)
    form = ReasonForm(posted(request))

    def save() -> str:
        revoke_certificate(actor=actor_of(request), certificate_id=row.pk, reason=form.cleaned_data["reason"], now=clock.now())
        messages.success(request, _("证书已撤销，查验时马上能看到。"))
        return certificate_url(row)

    title = _("撤销%(holder)s的“%(name)s”") % {"holder": row.holder_name, "name": row.version.name}
    lead = _("撤销后不能恢复。本人和家长会收到通知，查验的人会看到原因。")
    return form_page(
        request, form, save, title=title, submit=_("撤销这份证书"), back=certificate_url(row), lead=lead, is_danger=True
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, certificate_id: str) -> HttpResponseBase:
    return _again(request, _row(request, certificate_id, for_giving=True), is_correction=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, certificate_id: str) -> HttpResponseBase:
    return _again(request, _row(request, certificate_id, for_giving=True), is_correction=False)


def _again(request: HttpRequest, row: Certificate, *, is_correction: bool) -> HttpResponseBase:
    current = row.version.template.current
    names = current.fields if current is not None else []
    form = (CorrectForm if is_correction else RenewForm)(posted(request), names=names)

    def save() -> str:
        reason = form.cleaned_data.get("reason", "")
        made = reissue_certificate(
            actor=actor_of(request), certificate_id=row.pk, values=form.values, reason=reason, now=clock.now()
        )
        messages.success(request, _("新证书已发出。"))
        return reverse("certificates:certificate", args=[ids.encode("certificate", made)])

    words = {"holder": row.holder_name, "name": row.version.name}
    title = (_("更正%(holder)s的“%(name)s”") if is_correction else _("给%(holder)s的“%(name)s”续期")) % words
    lead = _("旧证书撤销，用现在的姓名和模板重发一份。") if is_correction else _("发一份新期限的证书；旧的到期前仍然有效。")
    submit = _("撤销旧的并重发") if is_correction else _("发出新证书")
    return form_page(request, form, save, title=title, submit=submit, back=certificate_url(row), lead=lead)
