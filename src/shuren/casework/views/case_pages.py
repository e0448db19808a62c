"""Cases: what one filed, what lies in one's branch, one of them with everything that may be done about it."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import FINAL_STATES, CaseState, DefinitionKind
from shuren.casework.models import Case, Definition, WorkItem
from shuren.casework.rules.specs.flow import Move
from shuren.casework.rules.stages import may
from shuren.casework.selectors.cases import (
    CaseQuery,
    access_case,
    case_history,
    cases_page,
    flow_of_case,
    form_of_case,
    is_party,
    may_fill,
    opinions_of,
    own_cases_page,
    stage_of_case,
    stage_runs_of,
)
from shuren.casework.selectors.window import WINDOW, may_clerk
from shuren.casework.selectors.work import open_work_of
from shuren.casework.services.cases.cancel import cancel_case, may_cancel
from shuren.casework.services.cases.file import FILLABLE
from shuren.casework.services.cases.share import may_urge, urge_case
from shuren.casework.services.cases.trail import note_sensitive_read
from shuren.casework.services.cases.turn_back import withdraw_case
from shuren.casework.views.case_forms import ReasonForm, WithdrawForm
from shuren.casework.views.case_parts import case_trail, case_url, opinions_shown, steps_of, work_url
from shuren.casework.views.case_words import STATES, asked_text, due_status, history_of, state_status
from shuren.casework.views.form_parts import values_context
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound, ShurenError
from shuren.kernel.paging import Page
from shuren.pages.api import form_page, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec

_MOST_ORGS = 200
_SHOWN_ASKED = 6


def case_in(request: HttpRequest, case_id: str) -> Case:
    return access_case(actor=actor_of(request), id=ids.decode("case", case_id), now=clock.now())


def _state_choices() -> tuple[Choice, ...]:
    return tuple(Choice(value=state.value, label=str(text)) for state, (text, _tone) in STATES.items())


def flow_choices() -> tuple[Choice, ...]:
    rows = Definition.objects.filter(kind=DefinitionKind.FLOW.value, current__isnull=False).order_by("key")
    return tuple(Choice(value=row.key, label=row.title) for row in rows.only("key", "title_zh", "title_en"))


def _org_choices(actor: Actor) -> tuple[Choice, ...]:
    """Orgs one step below where the actor looks from."""
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=clock.now())
    roots = [int(path.rstrip("/").rpartition("/")[2]) for path in scope.paths]
    below = [org for root in roots[:5] for org in directory.children_of(root)]
    return tuple(Choice(value=org.public_id, label=org.name) for org in below[:_MOST_ORGS])


def _columns() -> tuple[Column[Case], ...]:
    now = clock.now()
    return (
        Column(key="title", title=_("办件"), value=lambda row: row.title, url=case_url),
        Column(key="number", title=_("编号"), value=lambda row: row.number),
        Column(key="flow", title=_("事项"), value=lambda row: row.definition.title),
        Column(key="org", title=_("单位"), value=lambda row: row.org.name),
        Column(key="state", title=_("到哪一步"), value=state_status, kind=CellKind.STATUS),
        Column(
            key="due",
            title=_("承诺时限"),
            value=lambda row: None if CaseState(row.state) in FINAL_STATES else due_status(row.due_at, now),
            kind=CellKind.STATUS,
        ),
        Column(key="filed", title=_("发起时间"), value=lambda row: row.filed_at, kind=CellKind.DATETIME),
    )


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def cases(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)

    def rows(query: ListQuery) -> Page[Case]:
        org = query.filters.get("org", "")
        asked = CaseQuery(
            flow=query.filters.get("flow", ""),
            state=query.filters.get("state", "") if query.filters.get("state", "") in set(CaseState) else "",
            org_path=_path_of(org) if org else "",
            search=query.search,
        )
        return cases_page(actor=actor, query=asked, number=query.number, size=query.size, now=clock.now())

    spec = ListSpec(
        name="cases",
        title=_("办件"),
        columns=_columns(),
        rows=rows,
        filters=(
            Filter(key="flow", label=_("事项"), choices=flow_choices()),
            Filter(key="state", label=_("状态"), choices=_state_choices()[1:]),
            Filter(key="org", label=_("单位"), choices=_org_choices(actor)),
        ),
        search_label=_("编号或标题"),
        actions=(
            Action(label=_("流程"), url=reverse("casework:flows"), icon="hierarchy"),
            Action(label=_("发起"), url=reverse("casework:new_case"), icon="plus", is_primary=True),
        ),
        empty=EmptyState(title=_("这里还没有办件"), text=_("下级单位和同事提交后会出现在这里。"), icon="inbox"),
    )
    return render_list(request, spec)


def _path_of(public_id: str) -> str:
    try:
        org_id = ids.decode("org", public_id)
    except NotFound:
        return "0/"
    org = directory.orgs_by_ids([org_id]).get(org_id)
    return org.path if org else "0/"


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def own_cases(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()

    def state(query: ListQuery) -> str:
        told = query.filters.get("state", "")
        return told if told in set(CaseState) else ""

    spec = ListSpec(
        name="own-cases",
        title=_("我发起的"),
        columns=_columns(),
        rows=lambda query: own_cases_page(actor=actor, state=state(query), number=query.number, size=query.size, now=now),
        filters=(Filter(key="state", label=_("状态"), choices=_state_choices()),),
        actions=(Action(label=_("发起"), url=reverse("casework:new_case"), icon="plus", is_primary=True),),
        empty=EmptyState(
            title=_("您还没有发起过办件"),
            text=_("请假、报修、申请这样的事情都从这里开始。"),
            action=Action(label=_("看看能办什么"), url=reverse("casework:new_case"), is_primary=True),
        ),
    )
    return render_list(request, spec)


@never_cache
@require_safe
def case(request: HttpRequest, case_id: str) -> HttpResponseBase:
    """One case: where it is, who has it, what was filled in, what was said, and what one may do now."""
    actor, now = actor_of(request), clock.now()
    row = case_in(request, case_id)
    if row.state == CaseState.DRAFT.value:
        return redirect("casework:fill_case", case_id=case_id)
    is_own = is_party(row, actor, now)
    if not is_own:
        note_sensitive_read(actor=actor, case=row, now=now)
    flow, runs = flow_of_case(row), stage_runs_of(row.pk)
    own = open_work_of(row.pk, actor=actor, now=now)
    asked = open_work_of(row.pk)
    context = {
        "title": row.title,
        "state": state_status(row),
        "lead": f"{row.number} · {row.org.name}",
        "breadcrumbs": case_trail(row),
        "facts": _facts(row),
        "actions": _actions(row, own, actor),
        "steps": steps_of(flow, row, [run.stage for run in runs]),
        "asked": [asked_text(item) for item in asked[:_SHOWN_ASKED]] if not _is_hidden(row, is_own) else [],
        "asked_more": max(0, len(asked) - _SHOWN_ASKED),
        "due": due_status(asked[0].due_at, now) if asked else None,
        "own_work": [{"item": item, "url": work_url(item), "title": _own_title(item)} for item in own],
        "opinions": opinions_shown(flow, opinions_of(row.pk)),
        "history": history_of(row, case_history(row.pk)),
        **values_context(form_of_case(row), row.data, now=now),
    }
    return render(request, "casework/case.html", context)


def _is_hidden(row: Case, is_own: bool) -> bool:
    """Filers do not learn who judges them apart."""
    stage = stage_of_case(row)
    return is_own and stage is not None and stage.decide == "blind"


def _own_title(item: WorkItem) -> str:
    if item.kind == "added":
        return _("请您写下加签意见")
    if item.kind == "arbitrate":
        return _("两位评审人意见不同，请您仲裁")
    return _("这件事等您办理")


def _facts(row: Case) -> list[Fact]:
    filer = row.filer.name if row.filer_id and row.filer else _("系统")
    facts = [
        Fact(label=_("事项"), value=row.definition.title),
        Fact(label=_("发起人"), value=filer),
        Fact(label=_("提交时间"), value=row.submitted_at),
        Fact(label=_("承诺办结"), value=row.due_at),
    ]
    if row.subject_id and row.subject:
        facts.insert(2, Fact(label=_("为谁办"), value=row.subject.name))
    if row.closed_at:
        facts.append(Fact(label=_("办结时间"), value=row.closed_at))
    if row.saved:
        told = ngettext("%(count)d 项", "%(count)d 项", row.saved) % {"count": row.saved}
        facts.append(Fact(label=_("免填"), value=told, help=_("平台已有的数据，不用再填。")))
    return [fact for fact in facts if fact.value is not None]


def _actions(row: Case, own: list[WorkItem], actor: Actor) -> list[Action]:
    now, state = clock.now(), CaseState(row.state)
    stage, actions = stage_of_case(row), list[Action]()
    if row.state in FILLABLE and may_fill(row, actor, now):
        actions.append(Action(label=_("补正后重新提交"), url=case_url(row, "fill_case"), icon="edit", is_primary=True))
    for item in own[:1]:
        actions.append(Action(label=_("办理"), url=work_url(item), icon="edit", is_primary=True))
        if item.kind != "added":
            if may(stage, Move.RETURN):
                actions.append(Action(label=_("退回"), url=work_url(item, "return_work"), icon="arrow-back-up"))
            if may(stage, Move.ADD_SIGNER) and stage is not None and stage.decide != "blind":
                actions.append(Action(label=_("加签"), url=work_url(item, "add_signer"), icon="user-plus"))
            if may(stage, Move.HAND_OVER):
                actions.append(Action(label=_("转办"), url=work_url(item, "hand_over_work"), icon="switch-horizontal"))
    if state is CaseState.RUNNING and not own and may_urge(row, actor, now):
        confirm = _("提醒现在的办理人尽快办理？一小时内只能催一次。")
        actions.append(Action(label=_("催办"), url=case_url(row, "urge_case"), icon="bell", is_post=True, confirm=confirm))
    is_filer = actor.person_id is not None and actor.person_id == row.filer_id
    if is_filer and (state is CaseState.RETURNED or (state is CaseState.RUNNING and may(stage, Move.WITHDRAW))):
        actions.append(Action(label=_("撤回"), url=case_url(row, "withdraw_case"), icon="arrow-left"))
    if row.origin == WINDOW and may_clerk(actor, row.org_path, now=now):
        actions.append(Action(label=_("窗口来访人"), url=case_url(row, "hall_window_case"), icon="user"))
    if state not in FINAL_STATES and may_cancel(row, actor, now):
        actions.append(Action(label=_("取消办件"), url=case_url(row, "cancel_case"), icon="x", is_danger=True))
    return actions


@require_POST
def urge(request: HttpRequest, case_id: str) -> HttpResponseBase:
    row = case_in(request, case_id)
    try:
        told = urge_case(actor=actor_of(request), case_id=row.pk, now=clock.now())
    except NotFound:
        raise
    except ShurenError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, ngettext("已提醒 %(count)d 人。", "已提醒 %(count)d 人。", told) % {"count": told})
    return redirect("casework:case", case_id=case_id)


@never_cache
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, case_id: str) -> HttpResponseBase:
    row, form = case_in(request, case_id), WithdrawForm(request.POST if request.method == "POST" else None)
    if actor_of(request).person_id != row.filer_id:
        raise NotFound(_("没有找到这个办件。"))

    def save() -> str:
        reason = form.cleaned_data["reason"]
        withdraw_case(actor=actor_of(request), case_id=row.pk, reason=reason, now=clock.now())
        messages.success(request, _("已撤回。"))
        return case_url(row) if row.submitted_at else reverse("casework:own_cases")

    lead = _("撤回后不再办理，已经给出的意见留在记录里。要再办需要重新发起。") if row.submitted_at else _("草稿会被丢弃。")
    title = _("撤回“%(title)s”") % {"title": row.title}
    crumbs = case_trail(row, _("撤回"))
    back = case_url(row)
    return form_page(request, form, save, title=title, submit=_("撤回"), back=back, lead=lead, is_danger=True, breadcrumbs=crumbs)


@never_cache
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, case_id: str) -> HttpResponseBase:
    row, form = case_in(request, case_id), ReasonForm(request.POST if request.method == "POST" else None)
    if not may_cancel(row, actor_of(request), clock.now()):
        raise NotFound(_("没有找到这个办件。"))

    def save() -> str:
        cancel_case(actor=actor_of(request), case_id=row.pk, reason=form.cleaned_data["reason"], now=clock.now())
        messages.success(request, _("已取消，发起人会收到通知。"))
        return case_url(row)

    title = _("取消“%(title)s”") % {"title": row.title}
    lead = _("马上停止办理，办理人的待办会消失，发起人会收到您写的理由。不能恢复。")
    crumbs = case_trail(row, _("取消办件"))
    back = case_url(row)
    return form_page(
        request, form, save, title=title, submit=_("取消办件"), back=back, lead=lead, is_danger=True, breadcrumbs=crumbs
    )
