"""Digital certificates: one's own, those of one's unit and devices, and those one decides about."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.certificates.forms.digital import (
    ALGORITHMS,
    KINDS,
    REASONS,
    AllowForm,
    AskForm,
    FetchForm,
    RefuseForm,
    RenewForm,
    RevokeForm,
)
from shuren.certificates.models.digital import AskedKind, AskedStatus
from shuren.certificates.selectors.digital import DigitalRow, access_digital, page_of_digital, reach_of
from shuren.certificates.selectors.regions import revoked_codes
from shuren.certificates.services.digital import (
    RENEWED_BEFORE,
    allow_certificate,
    ask_certificate,
    fetch_key,
    refuse_certificate,
    revoke_digital,
    withdraw_asking,
)
from shuren.certificates.views.asked import digital_id_in, form_page
from shuren.directory import api as directory
from shuren.directory.data import OrgType
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound, Refused
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec, Status
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm, RevocationReason

_MOST_ORGS = 200


@sensitive_files(asked_by="export")
@require_GET
def digital(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    ask = Action(label=_("申请"), url=reverse("certificates:ask_digital"), icon="plus", is_primary=True)
    spec = ListSpec(
        name="digital",
        title=_("数字证书"),
        columns=(
            Column(key="holder", title=_("持有者"), value=lambda row: row.holder, url=lambda row: _url(row, "digital_one")),
            Column(key="kind", title=_("类别"), value=lambda row: str(KINDS[AskedKind(row.asked.kind)])),
            Column(key="org", title=_("单位"), value=lambda row: row.org_name),
            Column(key="state", title=_("状态"), value=_state, kind=CellKind.STATUS),
            Column(key="ends", title=_("到期"), value=_ends_at, kind=CellKind.DATE),
            Column(key="asked", title=_("申请时间"), value=lambda row: row.asked.asked_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of_digital(
            actor=actor,
            now=now,
            status=query.filters.get("status", ""),
            kind=query.filters.get("kind", ""),
            number=query.number,
            size=query.size,
        ),
        filters=(
            Filter(key="status", label=_("状态"), choices=tuple(Choice(value=key, label=word) for key, word in _words().items())),
            Filter(key="kind", label=_("类别"), choices=tuple(Choice(value=key, label=str(word)) for key, word in KINDS.items())),
        ),
        actions=(ask,),
        empty=EmptyState(
            title=_("还没有数字证书"), text=_("数字证书用来证明身份和签名，由安全管理员批准。"), action=ask, icon="shield-check"
        ),
    )
    return render_list(request, spec)


def ask(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    orgs = _managed_orgs(request)
    if actor.person_id is None and not orgs:
        raise Refused(_("这个账号不能申请数字证书。"))
    form = AskForm(request.POST or None, orgs=orgs, may_person=actor.person_id is not None)

    def save() -> str:
        given = form.cleaned_data
        org = given.get("org", "")
        id = ask_certificate(
            actor=actor,
            kind=AskedKind(given["kind"]),
            org_id=ids.decode("org", org) if org else None,
            device=given.get("device", ""),
            dns_name=given.get("dns_name", ""),
            algorithm=KeyAlgorithm(given["algorithm"]),
            request=given["request"],
            now=now,
        )
        messages.success(request, _("已提交给安全管理员。"))
        return reverse("certificates:digital_one", args=[ids.encode("digital", id)])

    lead = _("批准后，证书里写的姓名、单位以平台登记的为准。")
    back = reverse("certificates:digital")
    return form_page(
        request, form, save, title=_("申请数字证书"), submit=_("提交申请"), back=back, lead=lead, crumbs=_trail(_("申请"))
    )


@require_GET
def digital_one(request: HttpRequest, digital_id: str) -> HttpResponse:
    row = _access(request, digital_id)
    context = {
        "title": row.holder,
        "state": _state(row),
        "lead": row.asked.refusal,
        "facts": _facts(row),
        "actions": _actions(row),
        "row": row,
        "breadcrumbs": _trail(row.holder),
    }
    return render(request, "certificates/digital_one.html", context)


@require_GET
def digital_file(request: HttpRequest, digital_id: str) -> HttpResponse:
    """The certificate with those above it, PEM."""
    found = _access(request, digital_id).certificate
    if found is None:
        raise NotFound(_("还没有签发证书。"))
    chain = (found.der, *trust.authority(found.authority).chain)
    response = HttpResponse(trust.pem_chain(chain), content_type="application/x-pem-file")
    response["Content-Disposition"] = f'attachment; filename="certificate-{found.serial[:8]}.pem"'
    return response


def renew(request: HttpRequest, digital_id: str) -> HttpResponseBase:
    row, actor = _access(request, digital_id), actor_of(request)
    if not row.is_owner:
        raise NotFound(_("没有找到这张数字证书。"))
    form = RenewForm(request.POST or None)

    def save() -> str:
        ask_certificate(
            actor=actor,
            kind=AskedKind(row.asked.kind),
            org_id=row.asked.org_id,
            device="",
            dns_name="",
            algorithm=KeyAlgorithm(form.cleaned_data["algorithm"]),
            request=form.cleaned_data["request"],
            renews=row.asked.pk,
            now=clock.now(),
        )
        messages.success(request, _("续期申请已提交。原证书到期前仍可使用。"))
        return reverse("certificates:digital")

    back = _url(row, "digital_one")
    return form_page(request, form, save, title=_("续期"), submit=_("提交续期申请"), back=back, crumbs=_trail(row.holder))


def allow(request: HttpRequest, digital_id: str) -> HttpResponseBase:
    row = _deciding(request, digital_id)
    revoked = revoked_codes()
    authorities = [(facts.code, facts.title) for facts in reversed(trust.authorities()) if facts.code not in revoked]
    form = AllowForm(request.POST or None, authorities=authorities, dns_name=row.asked.dns_name)

    def save() -> str:
        given = form.cleaned_data
        allow_certificate(
            actor=actor_of(request),
            id=row.asked.pk,
            authority=given["authority"],
            days=given["days"],
            domain=given.get("domain", ""),
            now=clock.now(),
        )
        messages.success(request, _("已批准，申请人会收到通知。"))
        return _url(row, "digital_one")

    words = {"holder": row.holder, "org": row.org_name}
    lead = _("给“%(holder)s”签发证书。请先核对申请人身份。") % words
    if row.asked.dns_name:
        lead = _("给“%(org)s”的设备“%(holder)s”签发证书。") % words
    back = _url(row, "digital_one")
    return form_page(
        request,
        form,
        save,
        title=_("批准申请"),
        submit=_("批准"),
        back=back,
        lead=lead,
        crumbs=_trail(row.holder),
        template="certificates/allow_digital.html",
        beside={"row": row},
    )


def refuse(request: HttpRequest, digital_id: str) -> HttpResponseBase:
    row = _deciding(request, digital_id)
    form = RefuseForm(request.POST or None)

    def save() -> str:
        refuse_certificate(actor=actor_of(request), id=row.asked.pk, reason=form.cleaned_data["reason"], now=clock.now())
        messages.success(request, _("已拒绝，申请人会收到通知。"))
        return _url(row, "digital_one")

    back = _url(row, "digital_one")
    return form_page(
        request, form, save, title=_("拒绝申请"), submit=_("拒绝"), back=back, is_danger=True, crumbs=_trail(row.holder)
    )


@never_cache
def fetch(request: HttpRequest, digital_id: str) -> HttpResponseBase:
    row = _access(request, digital_id)
    if not row.is_owner:
        raise NotFound(_("没有找到这张数字证书。"))
    form = FetchForm(request.POST or None)

    def save() -> HttpResponse:
        passphrase = form.cleaned_data["passphrase"]
        file = fetch_key(actor=actor_of(request), id=row.asked.pk, passphrase=passphrase, now=clock.now())
        response = HttpResponse(file.content, content_type=file.media_type)
        response["Content-Disposition"] = f'attachment; filename="{file.name}"'
        response["Cache-Control"] = "no-store"
        return response

    lead = _("文件里有私钥，只能领取这一次。请保存好文件和口令，不要发给别人。")
    back = _url(row, "digital_one")
    return form_page(
        request,
        form,
        save,
        title=_("领取密钥和证书"),
        submit=_("生成并下载"),
        back=back,
        lead=lead,
        crumbs=_trail(row.holder),
    )


@require_POST
def withdraw(request: HttpRequest, digital_id: str) -> HttpResponseBase:
    withdraw_asking(actor=actor_of(request), id=digital_id_in(digital_id), now=clock.now())
    messages.success(request, _("已撤回申请。"))
    return redirect("certificates:digital")


def revoke(request: HttpRequest, digital_id: str) -> HttpResponseBase:
    row = _access(request, digital_id)
    form = RevokeForm(request.POST or None)

    def save() -> str:
        reason = RevocationReason(form.cleaned_data["reason"])
        revoke_digital(actor=actor_of(request), id=row.asked.pk, reason=reason, now=clock.now())
        messages.success(request, _("已吊销。"))
        return _url(row, "digital_one")

    lead = _("吊销后，用这张证书的签名和登录不再有效，不能恢复。")
    back = _url(row, "digital_one")
    return form_page(
        request,
        form,
        save,
        title=_("吊销证书"),
        submit=_("吊销"),
        back=back,
        lead=lead,
        is_danger=True,
        crumbs=_trail(row.holder),
    )


def _access(request: HttpRequest, digital_id: str) -> DigitalRow:
    return access_digital(actor=actor_of(request), id=digital_id_in(digital_id), now=clock.now())


def _deciding(request: HttpRequest, digital_id: str) -> DigitalRow:
    row = _access(request, digital_id)
    if not row.may_decide:
        raise NotFound(_("没有找到这张数字证书。"))
    return row


def _managed_orgs(request: HttpRequest) -> list[tuple[str, str]]:
    """Units that the reader runs, nearest first: the top of each branch and what lies right below."""
    found = []
    for path in reach_of(actor=actor_of(request), now=clock.now()).owned.paths:
        top = int(path.rstrip("/").rsplit("/", 1)[-1])
        org = directory.orgs_by_ids([top]).get(top)
        below = [child for child in directory.children_of(top) if child.type is not OrgType.CLASS]
        found += [entry for entry in (org, *below) if entry is not None]
    return [(org.public_id, org.name) for org in found[:_MOST_ORGS]]


def _facts(row: DigitalRow) -> list[Fact]:
    asked, found = row.asked, row.certificate
    names = [Fact(label=_("设备域名"), value=asked.dns_name)] if asked.dns_name else []
    facts = [
        *names,
        Fact(label=_("类别"), value=str(KINDS[AskedKind(asked.kind)])),
        Fact(label=_("单位"), value=row.org_name),
        Fact(label=_("算法"), value=str(ALGORITHMS.get(KeyAlgorithm(asked.algorithm), asked.algorithm))),
        Fact(label=_("密钥"), value=_("申请人自备") if asked.request else _("平台生成，领取一次")),
        Fact(label=_("申请时间"), value=asked.asked_at),
        Fact(label=_("审批时间"), value=asked.decided_at),
    ]
    if found is not None:
        facts += [
            Fact(label=_("证书主体"), value=found.subject),
            Fact(label=_("证书编号"), value=found.serial),
            Fact(label=_("签发机构"), value=trust.authority(found.authority).title),
            Fact(label=_("生效"), value=found.begins_at),
            Fact(label=_("到期"), value=found.ends_at),
        ]
        if found.revoked_at is not None and found.reason is not None:
            facts.append(Fact(label=_("吊销"), value=found.revoked_at, help=str(REASONS.get(found.reason, found.reason.value))))
    return facts


def _actions(row: DigitalRow) -> list[Action]:
    status, found = row.asked.status, row.certificate
    actions = []
    if status == AskedStatus.ASKED and row.may_decide:
        actions.append(Action(label=_("批准"), url=_url(row, "allow_digital"), icon="check", is_primary=True))
        actions.append(Action(label=_("拒绝"), url=_url(row, "refuse_digital"), icon="x", is_danger=True))
    if status == AskedStatus.ALLOWED and row.is_owner:
        actions.append(Action(label=_("领取"), url=_url(row, "fetch_digital"), icon="download", is_primary=True))
    if status in (AskedStatus.ASKED, AskedStatus.ALLOWED) and row.is_owner:
        confirm = _("撤回后要重新申请。要撤回吗？")
        actions.append(Action(label=_("撤回"), url=_url(row, "withdraw_digital"), icon="x", is_post=True, confirm=confirm))
    if found is not None:
        actions.append(Action(label=_("下载证书"), url=_url(row, "digital_file"), icon="download"))
        if found.revoked_at is None:
            if row.is_owner and found.ends_at - clock.now() <= RENEWED_BEFORE:
                actions.append(Action(label=_("续期"), url=_url(row, "renew_digital"), icon="refresh"))
            if row.is_owner or row.may_decide:
                actions.append(Action(label=_("吊销"), url=_url(row, "revoke_digital"), icon="x", is_danger=True))
    return actions


def _words() -> dict[str, str]:
    return {
        AskedStatus.ASKED.value: _("待审批"),
        AskedStatus.ALLOWED.value: _("待领取"),
        AskedStatus.ISSUED.value: _("已签发"),
        AskedStatus.REFUSED.value: _("未批准"),
        AskedStatus.WITHDRAWN.value: _("已撤回"),
    }


def _state(row: DigitalRow) -> Status:
    found = row.certificate
    if found is not None and found.revoked_at is not None:
        return Status(text=_("已吊销"), tone="bad")
    if found is not None and found.ends_at <= clock.now():
        return Status(text=_("已到期"), tone="plain")
    tones = {AskedStatus.ASKED: "warn", AskedStatus.ALLOWED: "busy", AskedStatus.ISSUED: "good", AskedStatus.REFUSED: "bad"}
    return Status(text=_words()[row.asked.status], tone=tones.get(AskedStatus(row.asked.status), "plain"))


def _ends_at(row: DigitalRow) -> datetime | None:
    return row.certificate.ends_at if row.certificate else None


def _url(row: DigitalRow, name: str) -> str:
    return reverse(f"certificates:{name}", args=[ids.encode("digital", row.asked.pk)])


def _trail(here: str) -> list[dict[str, str]]:
    return [{"label": _("数字证书"), "url": reverse("certificates:digital")}, {"label": here, "url": ""}]
