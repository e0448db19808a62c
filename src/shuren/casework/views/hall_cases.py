"""Applying: whom for, where, and one's own cases with their materials, clock and result."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.data import Act, CaseState, Satisfaction
from shuren.casework.models import Case
from shuren.casework.rules.ratings import GRADES
from shuren.casework.selectors.cases import case_history, own_cases_page
from shuren.casework.selectors.definitions import form_of, spec_of
from shuren.casework.selectors.hall import (
    Matter,
    Offered,
    access_own_case,
    item_named,
    materials_shown,
    matters_of,
    offices_to_choose,
    place_of,
    progress_of,
    query_code,
    schools_of_office,
)
from shuren.casework.selectors.ratings import rating_of
from shuren.casework.services.cases.trail import address_of
from shuren.casework.services.cases.turn_back import withdraw_case
from shuren.casework.services.hall.apply import begin_application
from shuren.casework.services.hall.rate import is_ratable
from shuren.casework.services.hall.receipt import receipt_html
from shuren.casework.views.hall_forms import WithdrawForm
from shuren.casework.views.hall_parts import (
    case_url,
    light_status,
    rectified_status,
    state_status,
    trail,
)
from shuren.casework.views.register_parts import base_url
from shuren.directory.data import OrgData
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.pages.api import form_page, pdf_response, posted, render_list
from shuren.pages.data import CellKind, Column, EmptyState, Fact, ListSpec

_OPEN = (CaseState.DRAFT, CaseState.RETURNED)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, item_key: str) -> HttpResponseBase:
    """Choose for whom and, where it is not known, the office and school; then the draft is made."""
    actor, now = actor_of(request), clock.now()
    offered = item_named(item_key)
    matters = matters_of(actor=actor, spec=offered.spec, now=now)
    choice = _Choice(offered, matters, request)
    faults = choice.faults() if request.method == "POST" else []
    if request.method == "POST" and choice.matter is not None and not faults and choice.is_settled:
        case = begin_application(
            actor=actor,
            item=offered.spec.key,
            matter=choice.matter.value,
            org_id=choice.org.id if choice.org else None,
            origin=_origin(request),
            data=_first_data(request),
            now=now,
        )
        return redirect(case_url(case))
    context = {
        "title": str(offered.spec.title),
        "spec": offered.spec,
        "matters": matters,
        "choice": choice,
        "faults": faults,
        "breadcrumbs": trail((str(offered.spec.title), reverse("casework:hall_item", args=[item_key])), (_("在线办理"), "")),
    }
    return render(request, "casework/hall_apply.html", context, status=400 if faults else 200)


def _origin(request: HttpRequest) -> str:
    """A comment on a consultation says on which one."""
    told = request.GET.get("on", "")
    try:
        return f"entry:{ids.decode('entry', told)}" if told else ""
    except NotFound:
        return ""


def _first_data(request: HttpRequest) -> dict[str, Any]:
    subject = request.GET.get("subject", "")[:100]
    return {"subject": subject} if subject else {}


class _Choice:
    """What has been chosen so far, and what is still to be chosen; the page asks for one after the other."""

    def __init__(self, offered: Offered, matters: list[Matter], request: HttpRequest) -> None:
        told = request.POST if request.method == "POST" else request.GET
        self.spec = offered.spec
        self.matter = next((one for one in matters if one.value == told.get("matter")), None)
        if self.matter is None and len(matters) == 1:
            self.matter = matters[0]
        self.needs_place = any(place_of(self.spec, one, None) is None for one in ([self.matter] if self.matter else matters))
        self.offices = offices_to_choose(self.spec) if self.needs_place and matters else []
        self.office = _chosen(self.offices, told.get("office", ""))
        if self.office is None and len(self.offices) == 1:
            self.office = self.offices[0]
        self.needs_school = self.needs_place and self.spec.filed_at == "school"
        self.schools = schools_of_office(self.office) if self.needs_school and self.office else []
        self.school = _chosen(self.schools, told.get("school", ""))

    @property
    def org(self) -> OrgData | None:
        return self.school if self.needs_school else self.office

    @property
    def is_settled(self) -> bool:
        return not self.needs_place or self.org is not None

    def faults(self) -> list[str]:
        if self.matter is None:
            return [_("请选择为谁办理。")]
        if self.needs_place and self.office is None:
            return [_("请选择所在的地区。")]
        return []


def _chosen(orgs: list[OrgData], public_id: str) -> OrgData | None:
    return next((org for org in orgs if org.public_id == public_id), None)


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def my_cases(request: HttpRequest) -> HttpResponseBase:
    """What one applied for, and what was applied for one's wards."""
    actor, now = actor_of(request), clock.now()
    spec: ListSpec[Case] = ListSpec(
        name="hall-cases",
        title=_("我的办件"),
        columns=(
            Column(key="title", title=_("事项"), value=lambda row: row.title, url=case_url),
            Column(key="number", title=_("编号"), value=lambda row: row.number),
            Column(key="state", title=_("状态"), value=lambda row: state_status(CaseState(row.state)), kind=CellKind.STATUS),
            Column(key="due", title=_("承诺办结"), value=lambda row: row.due_at, kind=CellKind.DATE),
        ),
        rows=lambda query: own_cases_page(actor=actor, number=query.number, size=query.size, now=now),
        empty=EmptyState(title=_("还没有办件"), text=_("在办事大厅选一个事项，点“在线办理”。"), icon="inbox"),
    )
    return render_list(request, spec)


@never_cache
@require_safe
def hall_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """One's own case: what is to be done next, materials, steps, result."""
    actor, now = actor_of(request), clock.now()
    case = access_own_case(actor=actor, id=ids.decode("case", case_id), now=now)
    found = progress_of(case, now=now)
    state = CaseState(case.state)
    facts = [
        Fact(label=_("办理单位"), value=case.org.name),
        Fact(label=_("提交时间"), value=case.submitted_at),
        Fact(label=_("承诺办结"), value=case.due_at),
        Fact(label=_("办结时间"), value=case.closed_at),
    ]
    rating = rating_of(case.pk)
    if rating is not None:
        facts.append(Fact(label=_("我的评价"), value=str(GRADES[Satisfaction(rating.satisfaction)])))
    if rating is not None and rating.rectify_by is not None:
        measure = rating.rectification.written.get("verify", {}).get("measure", "") if rating.rectification else ""
        is_told = rating.called_back_at is not None
        facts.append(Fact(label=_("整改"), value=rectified_status(rating).text, help=str(measure)[:500] if is_told else ""))
    if state is not CaseState.DRAFT:
        facts.insert(0, Fact(label=_("办件编号"), value=case.number, help=_("凭编号和查询码，任何人都能查进度，请不要外传。")))
        facts.insert(1, Fact(label=_("查询码"), value=query_code(case.number)))
    context = {
        "title": case.title,
        "case": case,
        "public_id": case_id,
        "found": found,
        "state": state_status(state),
        "light": light_status(found.light) if state is not CaseState.DRAFT else None,
        "facts": [fact for fact in facts if fact.value],
        "materials": _materials(case, now) if state in _OPEN else [],
        "is_draft": state is CaseState.DRAFT,
        "is_returned": state is CaseState.RETURNED,
        "return_reason": _return_reason(case) if state is CaseState.RETURNED else "",
        "fill_url": address_of(case),
        "can_withdraw": state in (CaseState.RUNNING, CaseState.RETURNED) and case.filer_id == actor.person_id,
        "is_ratable": is_ratable(case, now=now),
        "breadcrumbs": trail((_("我的办件"), reverse("casework:hall_mine")), (case.title, "")),
    }
    return render(request, "casework/hall_case.html", context)


def _materials(case: Case, now: Any) -> list[Any]:
    if case.item is None:
        return []
    person_id = case.subject_id or case.filer_id
    return materials_shown(spec_of(case.item), form_of(case.form_version_id), person_id=person_id, org_id=case.org_id, now=now)


def _return_reason(case: Case) -> str:
    returned = (event for event in case_history(case.pk) if event.act == Act.RETURNED.value)
    event = next(returned, None)
    return event.comment if event else ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, case_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    case = access_own_case(actor=actor, id=ids.decode("case", case_id), now=now)
    if case.filer_id != actor.person_id:
        raise NotFound(_("没有找到这个办件。"))
    form = WithdrawForm(posted(request))

    def save() -> str:
        withdraw_case(actor=actor, case_id=case.pk, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("已撤回。"))
        return reverse("casework:hall_mine")

    return form_page(
        request,
        form,
        save,
        shows_missing=True,
        title=_("撤回“%(title)s”") % {"title": case.title},
        submit=_("撤回申请"),
        back=case_url(case),
        lead=_("撤回后这件不再办理；要办请重新申请。"),
        breadcrumbs=trail((_("我的办件"), reverse("casework:hall_mine")), (_("撤回"), "")),
        is_danger=True,
    )


@never_cache
@require_safe
def receipt(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """The receipt on paper, with a QR code that leads to the progress page."""
    actor, now = actor_of(request), clock.now()
    case = access_own_case(actor=actor, id=ids.decode("case", case_id), now=now)
    if case.submitted_at is None:
        raise NotFound(_("提交以后才有回执。"))
    return pdf_response(receipt_html(case, site=base_url(request), now=now), case.number)
