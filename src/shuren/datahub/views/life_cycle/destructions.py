"""Destruction as two people decide it, and the certificate that comes of it: page, PDF, and JSON for programs."""

from collections.abc import Callable

from django.conf import settings
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.datahub.data import DestructionState
from shuren.datahub.models import Destruction
from shuren.datahub.selectors.catalogue import dataset_title, titles_of_datasets
from shuren.datahub.selectors.destruction_certificates import (
    certificate_file,
    verdict_of_certificate,
    verdict_of_destruction,
)
from shuren.datahub.selectors.life_cycle import access_destruction, destructions_seen, may_approve
from shuren.datahub.selectors.sharing import access_sharing
from shuren.datahub.services.life_cycle.decide import approve_destruction, propose_destruction, refuse_destruction
from shuren.datahub.services.life_cycle.plan import destruction_address
from shuren.datahub.views.life_cycle.datasets import life_url
from shuren.datahub.views.life_cycle.forms import ApprovalForm, CertificateForm, ProposalForm, RefusalForm
from shuren.datahub.views.life_cycle.words import DESTRUCTIONS, FAULTS, crumbs, destruction_state, tabs
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of, page_of_rows, stream_of
from shuren.pages.api import form_page, pdf_response, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status

_SHOWN_FILES = 2_000


def _url(row: Destruction, page: str) -> str:
    return reverse(f"datahub:{page}", args=[ids.encode("destruction", row.pk)])


def _row(request: HttpRequest, destruction_id: str) -> Destruction:
    return access_destruction(actor=actor_of(request), id=ids.decode("destruction", destruction_id), now=clock.now())


def _done(request: HttpRequest, destruction_id: str) -> Destruction:
    row = _row(request, destruction_id)
    if row.state != DestructionState.DONE:
        raise NotFound(_("销毁完成以后才有证明。"))
    return row


@never_cache
@require_safe
def destructions(request: HttpRequest) -> HttpResponseBase:
    """What is to be destroyed, and what was, newest first."""
    actor, now = actor_of(request), clock.now()
    access_sharing(actor=actor, now=now)

    def asked(query: ListQuery) -> QuerySet[Destruction]:
        return destructions_seen(actor=actor, now=now, state=query.filters.get("state", ""))

    titles = titles_of_datasets()
    spec: ListSpec[Destruction] = ListSpec(
        name="destructions",
        title=_("销毁"),
        columns=(
            Column(
                key="dataset",
                title=_("数据集"),
                value=lambda row: titles.get(row.dataset, row.dataset),
                url=lambda row: destruction_address(row.pk),
            ),
            Column(key="state", title=_("状态"), value=destruction_state, kind=CellKind.STATUS),
            Column(key="partitions", title=_("分区数"), value=lambda row: len(row.partitions), kind=CellKind.NUMBER),
            Column(key="rows", title=_("行数"), value=lambda row: row.rows, kind=CellKind.NUMBER),
            Column(key="planned", title=_("起草时间"), value=lambda row: row.planned_at, kind=CellKind.DATETIME),
            Column(key="done", title=_("销毁时间"), value=lambda row: row.done_at, kind=CellKind.DATETIME),
            Column(key="number", title=_("证明编号"), value=lambda row: row.number),
        ),
        rows=lambda query: page_of(asked(query), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(asked(query), list),
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=tuple(Choice(value=one.value, label=str(word)) for one, word in DESTRUCTIONS.items()),
            ),
        ),
        empty=EmptyState(title=_("没有要销毁的数据"), text=_("到了销毁期限的分区每天列成清单，等两个人先后同意。"), icon="trash"),
    )
    context = {"tabs": tabs("destructions"), "title": _("销毁"), "breadcrumbs": crumbs((_("销毁"), ""))}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def destruction(request: HttpRequest, destruction_id: str) -> HttpResponseBase:
    """One destruction: what, who, by which rule; once it is done, whether its certificate holds."""
    row = _row(request, destruction_id)
    spec: ListSpec[list[object]] = ListSpec(
        name="destruction_partitions",
        title=_("分区"),
        columns=(
            Column(key="partition", title=_("分区"), value=lambda line: str(line[0])),
            Column(key="rows", title=_("行数"), value=lambda line: int(str(line[1])), kind=CellKind.NUMBER),
            Column(key="files", title=_("文件数"), value=lambda line: int(str(line[3])), kind=CellKind.NUMBER),
            Column(
                key="kept",
                title=_("为复算保留"),
                value=lambda line: int(str(line[4])),
                kind=CellKind.NUMBER,
                help=_("为了复算以前的结果而保留的快照，也会销毁。"),
            ),
            Column(key="due", title=_("销毁日"), value=lambda line: str(line[5]) or None),
        ),
        rows=lambda query: page_of_rows(row.partitions, number=query.number, size=query.size),
    )
    context = {
        "title": _("销毁“%(name)s”") % {"name": dataset_title(row.dataset)},
        "state": destruction_state(row),
        "lead": row.number or "",
        "facts": _facts(row),
        "actions": _actions(row, request),
        "breadcrumbs": crumbs((_("销毁"), reverse("datahub:destructions")), (row.dataset, "")),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _people(row: Destruction) -> tuple[str, str]:
    people = directory.people_by_ids([one for one in (row.proposed_by, row.decided_by) if one is not None])
    names = {pk: person.name for pk, person in people.items()}
    return names.get(row.proposed_by or 0, ""), names.get(row.decided_by or 0, "")


def _facts(row: Destruction) -> list[Fact]:
    proposer, decider = _people(row)
    owner = directory.orgs_by_ids([row.owner_org_id]).get(row.owner_org_id)
    told = [
        Fact(label=_("数据集"), value=dataset_title(row.dataset), url=life_url(row.dataset), help=row.dataset),
        Fact(label=_("负责单位"), value=owner.name if owner else None),
        Fact(label=_("行数"), value=row.rows),
        Fact(label=_("规则依据"), value=str(row.policy.get("life_cycle", {}).get("law", "")) or None),
        Fact(label=_("起草时间"), value=row.planned_at),
    ]
    if row.ground:
        told.append(Fact(label=_("销毁的依据"), value=row.ground))
    if row.proposed_at:
        told += [Fact(label=_("提请人"), value=proposer), Fact(label=_("提请时间"), value=row.proposed_at)]
    if row.decided_at:
        word = _("退回时间") if row.state == DestructionState.REFUSED else _("批准时间")
        who = _("退回人") if row.state == DestructionState.REFUSED else _("批准人")
        told += [Fact(label=who, value=decider or None), Fact(label=word, value=row.decided_at)]
    if row.reason:
        told.append(Fact(label=_("退回的理由"), value=row.reason))
    return [*told, *_certificate_facts(row)]


def _certificate_facts(row: Destruction) -> list[Fact]:
    if row.state != DestructionState.DONE:
        return []
    verdict = verdict_of_destruction(row)
    word = str(FAULTS[verdict.fault]) if verdict.fault else _("签名有效，文件确已不在")
    log = _("已在存证日志") if verdict.is_logged else _("一分钟内进入存证日志")
    return [
        Fact(label=_("证明编号"), value=row.number),
        Fact(label=_("销毁并核验的时间"), value=row.done_at),
        Fact(label=_("证明"), value=Status(text=word, tone="good" if verdict.is_good else "bad"), help=log),
        Fact(label=_("备份里何时也没有"), value=_backup_words(row)),
    ]


def _backup_words(row: Destruction) -> str:
    until = str(row.certificate["copies"]["backups_until"])
    if not until:
        return _("本平台没有设置备份")
    return _("%(day)s 以后（专门留存的备份除外）") % {"day": until}


def _actions(row: Destruction, request: HttpRequest) -> list[Action]:
    if row.state == DestructionState.DONE:
        return [
            Action(label=_("销毁证明 PDF"), url=_url(row, "destruction_pdf"), icon="file-text", is_primary=True),
            Action(label=_("证明文件 JSON"), url=_url(row, "destruction_certificate"), icon="download"),
        ]
    refuse = Action(label=_("退回"), url=_url(row, "refuse_destruction"), icon="x", is_danger=True)
    if row.state == DestructionState.PLANNED:
        return [Action(label=_("提请销毁"), url=_url(row, "propose_destruction"), icon="send", is_primary=True), refuse]
    if row.state != DestructionState.PROPOSED:
        return []
    if not may_approve(row, actor=actor_of(request)):
        return [refuse]
    return [Action(label=_("批准销毁"), url=_url(row, "approve_destruction"), icon="check", is_primary=True), refuse]


@never_cache
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, destruction_id: str) -> HttpResponseBase:
    """The first of two people."""
    row, form = _row(request, destruction_id), ProposalForm(posted(request))

    def save() -> None:
        ground = form.cleaned_data["ground"]
        propose_destruction(actor=actor_of(request), destruction_id=row.pk, ground=ground, now=clock.now())

    lead = _("看过清单再提请；批准要由另一个人办。")
    return _step(request, row, form, save, title=_("提请销毁"), submit=_("提请销毁"), lead=lead)


@never_cache
@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, destruction_id: str) -> HttpResponseBase:
    """The second of two people; what follows cannot be undone."""
    row = _row(request, destruction_id)
    form = ApprovalForm(posted(request), dataset=row.dataset)

    def save() -> None:
        approve_destruction(actor=actor_of(request), destruction_id=row.pk, now=clock.now())

    told = {"partitions": len(row.partitions), "rows": f"{row.rows:,}"}
    lead = _("将销毁 %(partitions)s 个分区、%(rows)s 行，包括旧快照和归档，不能恢复。") % told
    return _step(request, row, form, save, title=_("批准销毁"), submit=_("批准并销毁"), lead=lead, is_danger=True)


@never_cache
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, destruction_id: str) -> HttpResponseBase:
    """Nothing is destroyed."""
    row, form = _row(request, destruction_id), RefusalForm(posted(request))

    def save() -> None:
        reason = form.cleaned_data["reason"]
        refuse_destruction(actor=actor_of(request), destruction_id=row.pk, reason=reason, now=clock.now())

    return _step(request, row, form, save, title=_("退回清单"), submit=_("退回"), lead=_("退回后 30 天内不再起草同样的清单。"))


def _step(
    request: HttpRequest,
    row: Destruction,
    form: Form,
    save: Callable[[], None],
    *,
    title: str,
    submit: str,
    lead: str,
    is_danger: bool = False,
) -> HttpResponseBase:
    def saved() -> str:
        save()
        return destruction_address(row.pk)

    return form_page(
        request,
        form,
        saved,
        title=title,
        submit=submit,
        back=destruction_address(row.pk),
        lead=lead,
        done=_("已办。"),
        is_danger=is_danger,
        breadcrumbs=crumbs(
            (_("销毁"), reverse("datahub:destructions")), (dataset_title(row.dataset), destruction_address(row.pk)), (title, "")
        ),
    )


@never_cache
@require_safe
def certificate(request: HttpRequest, destruction_id: str) -> HttpResponseBase:
    """The certificate with signature, key and proof, for programs and for people outside."""
    row = _done(request, destruction_id)
    _record(request, row, "json")
    told = {"ensure_ascii": False, "indent": 2}
    headers = {"Content-Disposition": content_disposition_header(True, f"{row.number}.json")}
    return JsonResponse(certificate_file(row), json_dumps_params=told, headers=headers)


@never_cache
@require_safe
def certificate_pdf(request: HttpRequest, destruction_id: str) -> HttpResponseBase:
    """The certificate on paper."""
    row = _done(request, destruction_id)
    _record(request, row, "pdf")
    told, files = row.certificate, row.certificate["files"]
    context = {
        "row": row,
        "told": told,
        "files": files[:_SHOWN_FILES],
        "left_out": max(0, len(files) - _SHOWN_FILES),
        "sha256": certificate_file(row)["sha256"],
        "backups": _backup_words(row),
        "site": settings.SHUREN_PUBLIC_URL,
    }
    return pdf_response(render_to_string("datahub/life_cycle/certificate_print.html", context, request), str(row.number))


def _record(request: HttpRequest, row: Destruction, form: str) -> None:
    details = {"number": row.number, "form": form}
    target = f"destruction:{row.pk}"
    audit.record(
        actor=actor_of(request), action="datahub.certificate_handed_out", target=target, details=details, now=clock.now()
    )


@never_cache
@require_http_methods(["GET", "POST"])
def check_certificate(request: HttpRequest) -> HttpResponseBase:
    """Whether a certificate that somebody brings is one of ours and unchanged."""
    access_sharing(actor=actor_of(request), now=clock.now())
    sent = posted(request)
    form = CertificateForm(sent, request.FILES if sent is not None else None)
    verdict = verdict_of_certificate(form.cleaned_data["certificate"]) if form.is_valid() else None
    context = {
        "form": form,
        "title": _("检验销毁证明"),
        "tabs": tabs("check_certificate"),
        "verdict": verdict,
        "fault": FAULTS.get(verdict.fault, "") if verdict else "",
        "breadcrumbs": crumbs((_("检验证明"), "")),
    }
    return render(request, "datahub/life_cycle/check.html", context)
