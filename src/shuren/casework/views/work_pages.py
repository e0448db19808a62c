"""Work: what waits for one, answering it, and who answers while one is away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import FieldFault, WorkKind, WorkState
from shuren.casework.models import WorkItem
from shuren.casework.rules.specs.flow import TO_FILER, Decide, FlowSpec, StageSpec
from shuren.casework.rules.specs.form import FormSpec, SectionSpec
from shuren.casework.rules.specs.words import Words
from shuren.casework.rules.stages import stages_before
from shuren.casework.selectors.cases import form_of_case, is_party, opinions_of, stage_runs_of
from shuren.casework.selectors.collections.reach import open_targets_of
from shuren.casework.selectors.definitions import flow_of
from shuren.casework.selectors.entries import registers_open_to
from shuren.casework.selectors.work import Hat, access_work, done_work_page, hat_for, hats_of, open_work_page, people_named
from shuren.casework.services.cases.decide import Edited, decide_batch, decide_work
from shuren.casework.services.cases.trail import note_sensitive_read
from shuren.casework.services.cases.turn_back import return_case
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.views.case_forms import ReturnForm
from shuren.casework.views.case_pages import flow_choices
from shuren.casework.views.case_parts import case_trail, case_url, opinions_shown, work_url
from shuren.casework.views.case_words import asked_text, due_status, outcome_title, stage_title, state_status
from shuren.casework.views.form_parts import form_context, values_context, worked_post
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound, ShurenError
from shuren.pages.api import form_page, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListSpec

_MOST_AT_ONCE = 200
_COMMENT = 5000


def work_in(request: HttpRequest, work_id: str) -> WorkItem:
    return access_work(actor=actor_of(request), id=ids.decode("work", work_id), now=clock.now())


def flow_at(item: WorkItem) -> tuple[FlowSpec, StageSpec]:
    flow = flow_of(item.case.flow_version_id or 0)
    stage = flow.stage(item.stage_run.stage)
    if stage is None:
        raise NotFound(_("没有找到这件待办。"))
    return flow, stage


def _for_whom(item: WorkItem, hats: list[Hat], names: Mapping[int, str]) -> str:
    """Whose it is: one's own, one's office's, or that of somebody one stands in for."""
    hat = hat_for(item, hats, item.case.definition.key)
    mine = _("我") if item.assignee_id is not None else asked_text(item)
    if hat is None or hat.is_own:
        return mine
    return _("代 %(name)s") % {"name": names.get(hat.person_id, "")}


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def work(request: HttpRequest) -> HttpResponseBase:
    """What waits for one, what is due first on top."""
    actor, now = actor_of(request), clock.now()
    hats = hats_of(actor, now)
    names = people_named([hat.person_id for hat in hats if not hat.is_own])
    spec = ListSpec(
        name="work",
        title=_("待办"),
        columns=(
            Column(key="title", title=_("办件"), value=lambda row: row.case.title, url=work_url),
            Column(key="stage", title=_("要办的事"), value=_what),
            Column(key="org", title=_("单位"), value=lambda row: row.case.org.name),
            Column(key="mine", title=_("办理人"), value=lambda row: _for_whom(row, hats, names)),
            Column(key="due", title=_("期限"), value=lambda row: due_status(row.due_at, now), kind=CellKind.STATUS),
            Column(key="opened", title=_("到达时间"), value=lambda row: row.opened_at, kind=CellKind.DATETIME),
            Column(key="urges", title=_("催办次数"), value=lambda row: row.urges, kind=CellKind.NUMBER, is_shown=False),
        ),
        rows=lambda query: open_work_page(
            actor=actor,
            flow=query.filters.get("flow", ""),
            which=query.filters.get("which", ""),
            search=query.search,
            number=query.number,
            size=query.size,
            now=now,
        ),
        filters=(
            Filter(
                key="which",
                label=_("哪些"),
                choices=(
                    Choice(value="mine", label=_("指定给我的")),
                    Choice(value="office", label=_("本岗位的")),
                    Choice(value="overdue", label=_("已逾期的")),
                ),
            ),
            Filter(key="flow", label=_("事项"), choices=flow_choices()),
        ),
        search_label=_("编号或标题"),
        row_id=lambda row: ids.encode("work", row.pk),
        bulk=(
            Action(
                label=_("批量同意"),
                url=reverse("casework:approve_work"),
                is_primary=True,
                confirm=_("同意选中的待办？每件的结果会列出来。"),
            ),
        ),
        actions=(
            *_to_fill_in(actor, now),
            *_to_registers(actor, now),
            Action(label=_("办过的"), url=reverse("casework:work_done"), icon="checks"),
            Action(label=_("请假委托"), url=reverse("casework:leave"), icon="calendar-event"),
        ),
        empty=EmptyState(title=_("没有待办"), text=_("有事要您办时会出现在这里，也会发通知。"), icon="circle-check"),
    )
    return render_list(request, spec)


def _to_fill_in(actor: Actor, now: datetime) -> tuple[Action, ...]:
    """The way to the forms of collections that wait for one."""
    count = open_targets_of(actor=actor, now=now)
    if not count:
        return ()
    label = ngettext("%(count)d 张表等您填报", "%(count)d 张表等您填报", count) % {"count": count}
    return (Action(label=label, url=reverse("casework:own_collections"), icon="clipboard-list", is_primary=True),)


def _to_registers(actor: Actor, now: datetime) -> tuple[Action, ...]:
    """The way to registers for teachers and staff whom some let in, and who have no menu of cases and registers."""
    has_menu = not directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now).is_empty
    if has_menu or not registers_open_to(actor=actor, now=now):
        return ()
    return (Action(label=_("台账"), url=reverse("casework:registers"), icon="list-details"),)


def _what(row: WorkItem) -> str:
    title = stage_title(flow_of(row.case.flow_version_id or 0), row.stage_run.stage)
    if row.kind == WorkKind.ADDED.value:
        return _("%(stage)s（加签）") % {"stage": title}
    return _("%(stage)s（仲裁）") % {"stage": title} if row.kind == WorkKind.ARBITRATE.value else title


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def work_done(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)

    def outcome(row: WorkItem) -> str:
        return outcome_title(flow_of(row.case.flow_version_id or 0), row.stage_run.stage, row.outcome)

    spec = ListSpec(
        name="work-done",
        title=_("办过的"),
        columns=(
            Column(key="title", title=_("办件"), value=lambda row: row.case.title, url=lambda row: case_url(row.case)),
            Column(key="stage", title=_("办的事"), value=_what),
            Column(key="outcome", title=_("我的决定"), value=outcome),
            Column(key="org", title=_("单位"), value=lambda row: row.case.org.name),
            Column(key="state", title=_("现在到哪一步"), value=lambda row: state_status(row.case), kind=CellKind.STATUS),
            Column(key="at", title=_("办理时间"), value=lambda row: row.done_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: done_work_page(actor=actor, number=query.number, size=query.size),
        actions=(Action(label=_("待办"), url=reverse("casework:work"), icon="inbox"),),
        empty=EmptyState(title=_("您还没有办过"), text=_("办完的事会留在这里，方便回头查。"), icon="checks"),
    )
    return render_list(request, spec)


@require_POST
def approve_work(request: HttpRequest) -> HttpResponseBase:
    """Agree to many at once; what was refused is told one by one."""
    actor, now = actor_of(request), clock.now()
    asked: dict[int, str] = {}
    for public_id in request.POST.getlist("ids")[:_MOST_AT_ONCE]:
        try:
            asked[ids.decode("work", public_id)] = public_id
        except NotFound:
            continue
    if not asked:
        messages.warning(request, _("没有选中任何待办。"))
        return redirect("casework:work")
    batch = decide_batch(actor=actor, work_ids=list(asked), outcome="", now=now)
    if not batch.refused:
        count = len(batch.done)
        messages.success(request, ngettext("已同意 %(count)d 件。", "已同意 %(count)d 件。", count) % {"count": count})
        return redirect("casework:work")
    reasons = dict(batch.refused)
    shown = WorkItem.objects.select_related("case").filter(pk__in=[*batch.done, *_reachable(actor, reasons)])
    rows = [{"title": item.case.title, "url": work_url(item), "reason": reasons.get(item.pk, "")} for item in shown]
    context = {
        "title": _("批量同意的结果"),
        "done": len(batch.done),
        "refused": len(batch.refused),
        "rows": sorted(rows, key=lambda row: not row["reason"]),
        "breadcrumbs": [{"label": _("待办"), "url": reverse("casework:work")}, {"label": _("批量同意的结果"), "url": ""}],
    }
    return render(request, "casework/work_batch.html", context)


def _reachable(actor: Actor, refused: Mapping[int, str]) -> list[int]:
    """Those whose title the actor may read."""
    found = []
    for work_id in refused:
        try:
            found.append(access_work(actor=actor, id=work_id, now=clock.now()).pk)
        except NotFound:
            continue
    return found


@never_cache
@require_http_methods(["GET", "POST"])
def decide_page(request: HttpRequest, work_id: str) -> HttpResponseBase:
    """Everything one needs to decide, and the buttons."""
    item = work_in(request, work_id)
    if item.state != WorkState.OPEN.value:
        if request.method == "POST":
            messages.warning(request, _("这件待办已经有人处理，或不再需要处理。"))
        return redirect("casework:case", case_id=ids.encode("case", item.case_id))
    if request.method != "POST":
        return _decide_shown(request, item)
    actor, now = actor_of(request), clock.now()
    _flow, stage = flow_at(item)
    form = sheet_of(item, stage)
    comment = request.POST.get("comment", "")[:_COMMENT]
    data: dict[str, Any] = {}
    revision = None
    if form is not None:
        worked = worked_post(form, request, kept=_edited(item, stage), actor=actor, now=now)
        data, revision = worked.data, worked.revision
    own = {field.key for field in stage.fields}
    written = {key: value for key, value in data.items() if key in own}
    edits = {key: value for key, value in data.items() if key not in own and item.case.data.get(key) != value}
    try:
        decide_work(
            actor=actor,
            work_id=item.pk,
            outcome=request.POST.get("outcome", ""),
            comment=comment,
            written=written,
            edits=edits,
            base_revision=revision,
            now=now,
        )
    except Edited as refused:
        # What was typed beside the form stays; of the form it is what the other one made of it.
        fresh = work_in(request, work_id)
        data = {**written, **_edited(fresh, stage)}
        return _decide_shown(request, fresh, data=data, comment=comment, error=str(refused), status=refused.status)
    except FormRefused as refused:
        return _decide_shown(request, item, data=data, faults=refused.faults, comment=comment, status=400)
    except NotFound:
        raise
    except ShurenError as error:
        return _decide_shown(request, item, data=data, comment=comment, error=str(error), status=error.status)
    messages.success(request, _("已办理：%(title)s") % {"title": item.case.title})
    return redirect("casework:work")


def sheet_of(item: WorkItem, stage: StageSpec) -> FormSpec | None:
    """What is written down at the stage, and the fields of the form that may be changed here, as one form."""
    if item.kind == WorkKind.ADDED.value:
        return None
    own = {field.key for field in stage.fields}
    open_fields = tuple(
        field.model_copy(update={"shown_if": ""})
        for field in form_of_case(item.case).fields
        if field.key in stage.edits and field.key not in own
    )
    sections = [SectionSpec(key="written", title=stage.title, fields=stage.fields)] if stage.fields else []
    if open_fields:
        title = Words(zh="可以修改的内容", en="What you may change")
        sections.append(SectionSpec(key="edits", title=title, fields=open_fields))
    return FormSpec(key="stage.written", title=stage.title, sections=tuple(sections)) if sections else None


def _edited(item: WorkItem, stage: StageSpec) -> dict[str, Any]:
    return {key: item.case.data.get(key) for key in stage.edits if key in item.case.data}


def _decide_shown(
    request: HttpRequest,
    item: WorkItem,
    *,
    data: Mapping[str, Any] | None = None,
    faults: tuple[FieldFault, ...] = (),
    comment: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    case = item.case
    if not is_party(case, actor, now):
        note_sensitive_read(actor=actor, case=case, now=now)
    flow, stage = flow_at(item)
    form = sheet_of(item, stage)
    asking = item.kind == WorkKind.ADDED.value and item.asker_id
    question = case.events.filter(act="signer_added", stage=stage.key).order_by("-id").first() if asking else None
    context = {
        "title": case.title,
        "lead": f"{_what(item)} · {case.number} · {case.org.name}",
        "item": item,
        "stage": stage,
        "outcomes": [] if asking else stage.outcomes,
        "is_heard": bool(asking),
        "question": question.comment if question else "",
        "comment": comment,
        "error": error,
        "due": due_status(item.due_at, now),
        "actions": _moves(item, flow, stage),
        "opinions": opinions_shown(flow, opinions_of(case.pk)),
        "breadcrumbs": [{"label": _("待办"), "url": reverse("casework:work")}, {"label": case.title, "url": ""}],
        "values": values_context(form_of_case(case), case.data, now=now)["sheet"],
        "case_url": case_url(case),
        "sheet": form_context(form, data or _edited(item, stage), now=now, faults=faults)["sheet"] if form else None,
    }
    return render(request, "casework/work_decide.html", context, status=status)


def _moves(item: WorkItem, flow: FlowSpec, stage: StageSpec) -> list[Action]:
    if item.kind == WorkKind.ADDED.value:
        return []
    moves = []
    # Where an outcome gives it back to the filer, and there is nobody else to give it back to, that says all.
    is_said = any(outcome.to == TO_FILER for outcome in stage.outcomes)
    if "return" in stage.may and not (is_said and not _places_before(item, flow, stage)):
        moves.append(Action(label=_("退回"), url=work_url(item, "return_work"), icon="arrow-back-up"))
    if "add_signer" in stage.may and stage.decide is not Decide.BLIND:
        moves.append(Action(label=_("加签"), url=work_url(item, "add_signer"), icon="user-plus"))
    if "hand_over" in stage.may:
        moves.append(Action(label=_("转办"), url=work_url(item, "hand_over_work"), icon="switch-horizontal"))
    return moves


def _places_before(item: WorkItem, flow: FlowSpec, stage: StageSpec) -> list[StageSpec]:
    return stages_before(flow, stage.key, [run.stage for run in stage_runs_of(item.case_id)])


@never_cache
@require_http_methods(["GET", "POST"])
def return_work(request: HttpRequest, work_id: str) -> HttpResponseBase:
    item = work_in(request, work_id)
    flow, stage = flow_at(item)
    places = [(TO_FILER, _("申请人，请他补正"))]
    places += [(one.key, str(one.title)) for one in _places_before(item, flow, stage)]
    form = ReturnForm(request.POST if request.method == "POST" else None, places=places)

    def save() -> str:
        told = form.cleaned_data
        return_case(actor=actor_of(request), work_id=item.pk, to=told["to"], reason=told["reason"], now=clock.now())
        messages.success(request, _("已退回，对方会收到通知。"))
        return reverse("casework:work")

    title = _("退回“%(title)s”") % {"title": item.case.title}
    crumbs = case_trail(item.case, _("退回"))
    return form_page(request, form, save, title=title, submit=_("退回"), back=work_url(item), breadcrumbs=crumbs)
