"""What offices do in the hall: file at the window, look after what a government platform is told."""

from datetime import datetime
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import CaseState, FieldFault
from shuren.casework.models import Outward, WindowApplicant
from shuren.casework.rules.hall import place_in
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.selectors.hall import (
    OFFICERS,
    Offered,
    chain_of_org,
    form_of_item,
    item_named,
    items_offered,
)
from shuren.casework.selectors.outward import access_outward, check_keeper, outward_page
from shuren.casework.selectors.window import access_window_applicant, is_clerk, window_page
from shuren.casework.services.cases.trail import address_of
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.hall.apply import file_at_window, reveal_window_contact
from shuren.casework.services.hall.outward import retry_outward
from shuren.casework.services.hall.receipt import receipt_html
from shuren.casework.views.form_parts import form_context, worked_post
from shuren.casework.views.hall_forms import WindowForm
from shuren.casework.views.hall_parts import TOPICS, state_status, trail
from shuren.casework.views.register_parts import base_url
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive, sensitive_files
from shuren.kernel.errors import Invalid, NotFound, ShurenError
from shuren.pages.api import pdf_response, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec, Status

# The window asks for these once, above the item's own fields.
_ASKED_ABOVE = ("name", "contact_name", "phone")
_SCHOOLS = (OrgType.SCHOOL, OrgType.CAMPUS, OrgType.TEACHING_POINT)


def _window_orgs(actor: Actor, offered: Offered, now: datetime) -> list[OrgData]:
    """Where a clerk may file an item: the offices of their branch, or its schools."""
    types = _SCHOOLS if offered.spec.filed_at == "school" else offered.spec.level
    found: list[OrgData] = []
    for path in directory.role_paths_of(actor=actor, roles=OFFICERS, now=now):
        found += directory.subtree(path, types=types)
    if not found and offered.spec.filed_at == "office":
        chains = [
            chain_of_org(int(path.strip("/").rpartition("/")[2]))
            for path in directory.role_paths_of(actor=actor, roles=OFFICERS, now=now)
        ]
        found = [org for chain in chains if (org := place_in(offered.spec, chain)) is not None]
    return found


def _check_clerk(actor: Actor, now: datetime) -> None:
    if not is_clerk(actor, now=now):
        raise NotFound(_("没有找到这个页面。"))


@never_cache
@require_safe
def window(request: HttpRequest) -> HttpResponseBase:
    """The items that a clerk may file for somebody who stands at the window."""
    _check_clerk(actor_of(request), clock.now())
    found = [one for one in items_offered() if not one.spec.applies.roles]
    groups = [
        {
            "title": title,
            "items": [
                {"title": str(one.spec.title), "url": reverse("casework:hall_window_item", args=[one.spec.key])}
                for one in found
                if one.spec.topic == topic
            ],
        }
        for topic, title in TOPICS.items()
    ]
    context = {
        "title": _("窗口代办"),
        "groups": [group for group in groups if group["items"]],
        "breadcrumbs": trail((_("窗口代办"), "")),
    }
    return render(request, "casework/hall_window.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def window_item(request: HttpRequest, item_key: str) -> HttpResponseBase:
    """The form of an item, filled in by a clerk for somebody without an account."""
    actor, now = actor_of(request), clock.now()
    _check_clerk(actor, now)
    offered = item_named(item_key)
    if offered.spec.applies.roles:
        raise NotFound(_("没有找到这个事项。"))
    form = _without(form_of_item(offered.spec), _ASKED_ABOVE)
    who, orgs = WindowForm(posted(request)), _window_orgs(actor, offered, now)
    faults: tuple[FieldFault, ...] = ()
    data: dict[str, object] = {}
    status = 200
    if request.method == "POST":
        worked = worked_post(form, request, kept={}, actor=actor, now=now)
        data, faults = worked.data, worked.faults
        org = next((one for one in orgs if one.public_id == request.POST.get("org", "")), None)
        if who.is_valid() and worked.is_submit:
            try:
                if org is None:
                    raise Invalid(_("请选择办理单位。"))
                case = file_at_window(actor=actor, item=offered.spec.key, org_id=org.id, data=data, now=now, **who.cleaned_data)
            except FormRefused as refused:
                faults, status = refused.faults, refused.status
            except ShurenError as error:
                who.add_error(None, str(error))
                status = error.status
            else:
                messages.success(request, _("已受理，请打印回执交给申请人。"))
                return redirect("casework:hall_window_case", case_id=ids.encode("case", case.pk))
    context = {
        "title": _("窗口代办：%(item)s") % {"item": offered.spec.title},
        "form": who,
        "orgs": orgs,
        "chosen": request.POST.get("org", orgs[0].public_id if len(orgs) == 1 else ""),
        "breadcrumbs": trail((_("窗口代办"), reverse("casework:hall_window")), (str(offered.spec.title), "")),
        "submit_label": _("受理并打印回执"),
        **form_context(form, data, now=now, faults=faults),
    }
    return render(request, "casework/hall_window_item.html", context, status=status)


def _without(form: FormSpec, keys: tuple[str, ...]) -> FormSpec:
    """The form without these fields, and without sections that would be empty."""
    sections = [
        section.model_copy(update={"fields": tuple(field for field in section.fields if field.key not in keys)})
        for section in form.sections
    ]
    return form.model_copy(update={"sections": tuple(section for section in sections if section.fields)})


def _window_case(request: HttpRequest, case_id: str) -> WindowApplicant:
    return access_window_applicant(actor=actor_of(request), case_id=ids.decode("case", case_id), now=clock.now())


def _window_url(row: WindowApplicant) -> str:
    return reverse("casework:hall_window_case", args=[ids.encode("case", row.case_id)])


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def window_cases(request: HttpRequest) -> HttpResponseBase:
    """What was filed at the windows of one's branches."""
    actor, now = actor_of(request), clock.now()
    _check_clerk(actor, now)
    spec: ListSpec[WindowApplicant] = ListSpec(
        name="window-cases",
        title=_("窗口办件"),
        columns=(
            Column(key="number", title=_("编号"), value=lambda row: row.case.number, url=_window_url),
            Column(key="item", title=_("事项"), value=lambda row: (row.case.item or row.case.definition).title),
            Column(key="applicant", title=_("申请人"), value=lambda row: row.name_masked),
            Column(key="org", title=_("办理单位"), value=lambda row: row.case.org.name),
            Column(key="filed", title=_("受理时间"), value=lambda row: row.filed_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=lambda row: state_status(CaseState(row.case.state)), kind=CellKind.STATUS),
        ),
        rows=lambda query: window_page(actor=actor, search=query.search, number=query.number, size=query.size, now=now),
        search_label=_("办件编号"),
        empty=EmptyState(title=_("窗口还没有受理过"), text=_("在“窗口代办”里选一个事项，为来访人填写。"), icon="inbox"),
    )
    crumbs = trail((_("窗口代办"), reverse("casework:hall_window")), (_("窗口办件"), ""))
    return render_list(request, spec, context={"breadcrumbs": crumbs})


@never_cache
@require_safe
def window_case(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """What was filed at the window: whose it is, masked, with the receipt to be printed."""
    row = _window_case(request, case_id)
    return _drawn(request, row, Visitor(row.name_masked, row.phone_masked))


class Visitor(NamedTuple):
    """Who stood at the window, as the page may tell it."""

    name: str
    phone: str


def _drawn(request: HttpRequest, row: WindowApplicant, visitor: Visitor, *, told: str = "") -> HttpResponseBase:
    case_id = ids.encode("case", row.case_id)
    context = {
        "title": row.case.title,
        "state": state_status(CaseState(row.case.state)),
        "lead": row.case.number,
        "facts": [
            Fact(label=_("申请人"), value=visitor.name),
            Fact(label=_("联系电话"), value=visitor.phone, help=told or _("加密保存；完整查看会写入审计记录。")),
            Fact(label=_("办理单位"), value=row.case.org.name),
            Fact(label=_("受理时间"), value=row.filed_at),
            Fact(label=_("承诺办结"), value=row.case.due_at or None),
        ],
        "actions": (
            Action(
                label=_("打印回执"),
                url=reverse("casework:hall_window_receipt", args=[case_id]),
                icon="printer",
                is_primary=True,
            ),
            Action(
                label=_("查看联系方式"),
                url=reverse("casework:hall_window_contact", args=[case_id]),
                icon="eye",
                is_post=True,
                confirm=_("查看来访人的姓名和电话会写入审计记录。要继续吗？"),
            ),
            Action(label=_("看办件"), url=address_of(row.case), icon="folder"),
            Action(label=_("办下一件"), url=reverse("casework:hall_window"), icon="plus"),
        ),
        "breadcrumbs": trail(
            (_("窗口代办"), reverse("casework:hall_window")),
            (_("窗口办件"), reverse("casework:hall_window_cases")),
            (row.case.number, ""),
        ),
    }
    return render(request, "front/detail.html", context)


@sensitive("reveal")
@never_cache
@require_POST
def window_contact(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """Answer with the visitor's name and phone, this once and kept nowhere; the page says that it was written down."""
    name, phone = reveal_window_contact(actor=actor_of(request), case_id=ids.decode("case", case_id), now=clock.now())
    return _drawn(request, _window_case(request, case_id), Visitor(name, phone), told=_("这次查看已写入审计记录。"))


@never_cache
@require_safe
def window_receipt(request: HttpRequest, case_id: str) -> HttpResponseBase:
    case = _window_case(request, case_id).case
    return pdf_response(receipt_html(case, site=base_url(request), now=clock.now()), case.number)


@never_cache
@require_safe
def outward(request: HttpRequest) -> HttpResponseBase:
    """What a government platform was told, or would be."""
    actor, now = actor_of(request), clock.now()
    check_keeper(actor, now=now)
    spec: ListSpec[Outward] = ListSpec(
        name="outward",
        title=_("政务平台对接"),
        columns=(
            Column(key="id", title=_("序号"), value=lambda row: row.pk, kind=CellKind.NUMBER),
            Column(key="kind", title=_("内容"), value=lambda row: _kinds()[row.kind]),
            Column(key="subject", title=_("对象"), value=lambda row: row.subject.partition(":")[2]),
            Column(key="state", title=_("状态"), value=_outward_status, kind=CellKind.STATUS),
            Column(key="attempts", title=_("次数"), value=lambda row: row.attempts, kind=CellKind.NUMBER),
            Column(key="error", title=_("错误"), value=lambda row: row.error),
            Column(key="at", title=_("时间"), value=lambda row: row.made_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: outward_page(
            actor=actor,
            state=query.filters.get("state", ""),
            kind=query.filters.get("kind", ""),
            number=query.number,
            size=query.size,
            now=now,
        ),
        filters=(
            Filter(key="state", label=_("状态"), choices=tuple(Choice(value=key, label=text) for key, text in _states().items())),
            Filter(key="kind", label=_("内容"), choices=tuple(Choice(value=key, label=text) for key, text in _kinds().items())),
        ),
        row_actions=lambda row: (
            (
                Action(
                    label=_("重发"),
                    url=reverse("casework:hall_retry_outward", args=[ids.encode("outward", row.pk)]),
                    is_post=True,
                ),
            )
            if row.state in ("failed", "recorded")
            else ()
        ),
        empty=EmptyState(
            title=_("还没有消息"), text=_("受理、审批、办结、证照和评价会推送到政务平台；没有配置网关时只记录。"), icon="send"
        ),
    )
    return render_list(request, spec, context={"breadcrumbs": trail((_("政务平台对接"), ""))})


def _kinds() -> dict[str, str]:
    return {
        "identity": _("身份核验"),
        "item": _("服务事项"),
        "case": _("办件"),
        "certificate": _("电子证照"),
        "rating": _("好差评"),
    }


def _states() -> dict[str, str]:
    return {"waiting": _("等待发送"), "sent": _("已发送"), "recorded": _("只记录"), "failed": _("发送失败")}


def _outward_status(row: Outward) -> Status:
    tones = {"waiting": "busy", "sent": "good", "recorded": "plain", "failed": "bad"}
    return Status(text=_states()[row.state], tone=tones[row.state])


@never_cache
@require_POST
def retry(request: HttpRequest, message_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_outward(actor=actor, id=ids.decode("outward", message_id), now=now)
    retry_outward(actor=actor, id=row.pk, now=now)
    messages.success(request, _("已重新排队；没有配置网关时仍只记录。"))
    return redirect("casework:hall_outward")
