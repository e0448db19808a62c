"""Applying for a dataset, deciding about it, and saying how far it is shared."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shuren.datahub.data import SharingAttribute, SharingWay
from shuren.datahub.models import SharingApplication
from shuren.datahub.selectors.shared_datasets import SharedDataset, columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import access_application, access_sharing, decides, decides_for
from shuren.datahub.selectors.sources import orgs_like
from shuren.datahub.services.sharing.apply import apply_for_sharing as apply
from shuren.datahub.services.sharing.apply import withdraw_application
from shuren.datahub.services.sharing.decide import approve_application, refuse_application
from shuren.datahub.services.sharing.terms import set_terms
from shuren.datahub.views.sharing_forms import ApplicationForm, ApprovalForm, ReasonForm, TermsForm, year_from
from shuren.datahub.views.sharing_pages import application_address, crumbs, org_names
from shuren.datahub.views.words import ATTRIBUTES
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import NotFound, Refused
from shuren.pages.api import form_page, posted


@never_cache
@require_http_methods(["GET", "POST"])
def sharing_terms(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """The owner says how far a dataset is shared."""
    actor, now = actor_of(request), clock.now()
    found = shared_dataset(dataset)
    if not decides_for(found.owner.id, actor=actor, now=now):
        raise NotFound(_("没有找到这个数据集。"))
    form = TermsForm(posted(request), initial={"attribute": found.terms.attribute.value, "ground": found.terms.ground})

    def save() -> str:
        attribute = SharingAttribute(form.cleaned_data["attribute"])
        set_terms(actor=actor, dataset=dataset, attribute=attribute, ground=form.cleaned_data["ground"], now=now)
        return reverse("datahub:sharing")

    title = _("“%(name)s”的共享属性") % {"name": found.title}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("保存"),
        back=reverse("datahub:sharing"),
        lead=_("以共享为原则，不共享为例外。改为不予共享后，已有的授权立即停用。"),
        done=_("已保存。"),
        breadcrumbs=crumbs(title),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def apply_for_sharing(request: HttpRequest, dataset: str) -> HttpResponseBase:
    """A unit applies for columns and rows of a dataset."""
    actor, now = actor_of(request), clock.now()
    units = access_sharing(actor=actor, now=now)
    found = shared_dataset(dataset)
    if found.terms.attribute is SharingAttribute.NONE:
        raise Refused(_("这个数据集不予共享：%(ground)s") % {"ground": found.terms.ground})
    held = columns_of_shared(found.spec)
    asked = request.GET.get("q", "").strip()[:60] if found.is_cut_by_org else ""
    branches, hits = _branches(found, units), orgs_like(asked)
    orgs = {org.public_id: org.name for org in (*branches, *hits)}
    form = ApplicationForm(
        posted(request),
        units=[(unit.public_id, unit.name) for unit in units],
        held=held,
        orgs=list(orgs.items()),
        ways=list(SharingWay),
        initial={"orgs": [branches[0].public_id], "ways": [SharingWay.FILE.value], "ends_on": year_from(day_of(now))},
    )

    def save() -> str:
        data = form.cleaned_data
        unit_id = ids.decode("org", data["unit"])
        row = apply(actor=actor, dataset=dataset, org_id=unit_id, purpose=data["purpose"], asked=form.asked(), now=now)
        return application_address(row.pk)

    title = _("申请“%(name)s”") % {"name": found.title}
    said = {"owner": found.owner.name, "attribute": str(ATTRIBUTES[found.terms.attribute])}
    lead = _("由%(owner)s提供 · %(attribute)s") % said
    if found.terms.ground:
        lead += f" · {found.terms.ground}"
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("提交申请"),
        back=reverse("datahub:sharing"),
        lead=lead,
        done=_("已提交。"),
        breadcrumbs=crumbs(title),
        template="datahub/apply_for_sharing.html",
        more={"asked": asked, "has_found": bool(hits), "may_search": found.is_cut_by_org},
    )


def _branches(found: SharedDataset, units: list[OrgData]) -> list[OrgData]:
    """What is offered without a search: one's own branches and the whole region, or that alone where rows belong to nobody."""
    root = directory.root_org()
    region = [root] if root is not None else []
    return [*(unit for unit in units if unit not in region), *region] if found.is_cut_by_org else region


@never_cache
@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, application_id: str) -> HttpResponseBase:
    """Grant what was asked for, column by column, or less."""
    actor, now = actor_of(request), clock.now()
    row = _to_decide(request, application_id)
    held = columns_of_shared(shared_dataset(row.dataset).spec)
    orgs = directory.orgs_by_ids(row.org_ids)
    form = ApprovalForm(
        posted(request),
        asked={name: held[name] for name in row.columns if name in held},
        orgs=[(org.public_id, org.name) for org in orgs.values()],
        ways=[SharingWay(way) for way in row.ways],
        initial={"orgs": [org.public_id for org in orgs.values()], "ways": row.ways, "ends_on": row.ends_on},
    )

    def save() -> str:
        reason = form.cleaned_data["reason"]
        approve_application(actor=actor, application_id=row.pk, given=form.given(), reason=reason, now=now)
        return application_address(row.pk)

    return _decision_page(
        request, row, form, save, title=_("同意申请"), submit=_("同意"), lead=_("逐列决定提供什么；可以少给，不能多给。")
    )


@never_cache
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, application_id: str) -> HttpResponseBase:
    """Refuse an application, with the reason."""
    actor, now = actor_of(request), clock.now()
    row = _to_decide(request, application_id)
    form = ReasonForm(posted(request))

    def save() -> str:
        refuse_application(actor=actor, application_id=row.pk, reason=form.cleaned_data["reason"], now=now)
        return application_address(row.pk)

    return _decision_page(
        request, row, form, save, title=_("不同意申请"), submit=_("不同意"), lead=_("理由会告诉申请单位。"), is_danger=True
    )


@require_POST
def withdraw(request: HttpRequest, application_id: str) -> HttpResponseBase:
    """Take one's own application back."""
    pk = ids.decode("sharing_application", application_id)
    withdraw_application(actor=actor_of(request), application_id=pk, now=clock.now())
    return redirect(application_address(pk))


def _to_decide(request: HttpRequest, application_id: str) -> SharingApplication:
    actor, now = actor_of(request), clock.now()
    row = access_application(actor=actor, id=ids.decode("sharing_application", application_id), now=now)
    if not decides(row, actor=actor, now=now):
        raise NotFound(_("没有找到这份申请。"))
    return row


def _decision_page(
    request: HttpRequest,
    row: SharingApplication,
    form: ApprovalForm | ReasonForm,
    save: Callable[[], str],
    *,
    title: str,
    submit: str,
    lead: str,
    is_danger: bool = False,
) -> HttpResponseBase:
    back = application_address(row.pk)
    applicant = org_names([row.applicant_org_id]).get(row.applicant_org_id, "")
    said = _("%(unit)s申请，用途：%(purpose)s。") % {"unit": applicant, "purpose": row.purpose.rstrip("。.")}
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=submit,
        back=back,
        lead=f"{said} {lead}",
        done=_("已作出决定。"),
        is_danger=is_danger,
        breadcrumbs=[*crumbs(title)[:1], {"label": _("共享申请"), "url": back}, {"label": title, "url": ""}],
    )
