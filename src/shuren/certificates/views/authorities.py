"""The security administrator's pages of the region's authorities and of the roots that are believed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shuren.certificates.forms.digital import AcceptForm, FoundForm, TrustRootForm
from shuren.certificates.views.asked import form_page
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm


@require_GET
def authorities(request: HttpRequest) -> HttpResponse:
    _manager(request)
    roots = [
        (ids.encode("root", id), title, trust.subject_text(der), trust.fingerprint_of(der))
        for id, title, der in trust.trusted_roots()
    ]
    found = [(facts, trust.fingerprint_of(facts.chain[0])) for facts in trust.authorities()]
    return render(request, "certificates/authorities.html", {"authorities": found, "roots": roots})


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

    lead = _("“%(title)s”由上级地区签发证书以后，在这里上传。已签发的证书继续有效。") % {"title": facts.title}
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
    """Authorities belong to the whole installation: whoever manages keys of a branch only does not found any."""
    actor, root = actor_of(request), directory.root_org()
    scope = directory.scope_of(actor=actor, permission=Permission.MANAGE_KEYS, now=clock.now())
    if root is None or not scope.covers(root.path):
        raise Refused(_("您当前的身份不能管理证书机构。"), remedy=_("请联系安全管理员。"))
    return actor


def _home() -> str:
    return reverse("certificates:authorities")


def _trail(here: str) -> list[dict[str, str]]:
    return [{"label": _("证书机构"), "url": _home()}, {"label": here, "url": ""}]
