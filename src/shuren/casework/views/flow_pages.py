"""Flows as pictures with live counts and times, so that steps can be cut (GOV-03), and as BPMN for other tools."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition
from shuren.casework.rules.bpmn import bpmn_xml
from shuren.casework.rules.picture import Note, Words, picture_svg
from shuren.casework.rules.specs.flow import FlowSpec, StageSpec, Who
from shuren.casework.rules.specs.words import Span
from shuren.casework.selectors.case_statistics import FlowFigures, StageFigures, flow_figures
from shuren.casework.selectors.cases import startable_flows
from shuren.casework.selectors.definitions import definition_named, flow_of
from shuren.casework.views.case_words import outcome_title, span_text
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of, role_name
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListSpec, Status


def _may_look(actor: Actor) -> bool:
    return Permission.VIEW_CASES in directory.permissions_of(actor=actor, now=clock.now())


def access_flow(actor: Actor, key: str) -> Definition:
    """A flow, for whoever looks into cases or may start one of it."""
    definition = definition_named(DefinitionKind.FLOW, key)
    if not _may_look(actor) and definition.pk not in {row.pk for row in startable_flows(actor=actor, now=clock.now())}:
        raise NotFound(_("没有找到这个流程。"))
    return definition


def _spec(row: Definition) -> FlowSpec:
    return flow_of(row.current_id or 0)


@never_cache
@require_safe
def flows(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    rows = Definition.objects.filter(kind=DefinitionKind.FLOW.value, current__isnull=False).order_by("key")
    if not _may_look(actor):
        rows = rows.filter(pk__in=[row.pk for row in startable_flows(actor=actor, now=clock.now())])
    spec = ListSpec(
        name="flows",
        title=_("流程"),
        columns=(
            Column(key="title", title=_("流程"), value=lambda row: str(_spec(row).title), url=_flow_url),
            Column(key="steps", title=_("步骤"), value=lambda row: " → ".join(str(stage.title) for stage in _spec(row).stages)),
            Column(key="count", title=_("几步"), value=lambda row: len(_spec(row).stages), kind=CellKind.NUMBER),
            Column(key="promise", title=_("承诺时限"), value=lambda row: due_text(_spec(row).promise)),
            Column(key="state", title=_("状态"), value=_status, kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(
            rows.filter(title_zh__icontains=query.search) if query.search else rows,
            lambda row: row,
            number=query.number,
            size=query.size,
        ),
        search_label=_("流程名称"),
        actions=(Action(label=_("办件"), url=reverse("casework:cases"), icon="inbox"),) if _may_look(actor) else (),
        empty=EmptyState(title=_("还没有流程"), text=_("安装功能包或自己搭建后会出现在这里。"), icon="hierarchy"),
    )
    return render_list(request, spec)


def _flow_url(row: Definition) -> str:
    return reverse("casework:flow", args=[row.key])


def _status(row: Definition) -> Status:
    words = {"in_force": (_("在用"), "good"), "retired": (_("已停用"), "plain")}
    text, tone = words.get(row.status, (_("草稿"), "plain"))
    return Status(text=text, tone=tone)


def due_text(span: Span | None) -> str:
    if span is None:
        return "—"
    if span.working_days is not None:
        return ngettext("%(count)d 个工作日", "%(count)d 个工作日", span.working_days) % {"count": span.working_days}
    if span.days is not None:
        return ngettext("%(count)d 天", "%(count)d 天", span.days) % {"count": span.days}
    return ngettext("%(count)d 小时", "%(count)d 小时", span.hours or 0) % {"count": span.hours or 0}


@never_cache
@require_safe
def flow(request: HttpRequest, key: str) -> HttpResponseBase:
    """The picture with its table twin: where cases stand, and where they stay longest."""
    actor = actor_of(request)
    definition = access_flow(actor, key)
    spec, may_look = _spec(definition), _may_look(actor)
    figures = flow_figures(actor=actor, definition=definition, now=clock.now()) if may_look else None
    by_stage = {one.stage: one for one in figures.stages} if figures else {}
    slowest = figures.slowest if figures else ""
    language = get_language() or "zh-hans"
    words = Words(
        title=str(spec.title),
        start=_("发起"),
        correct=_("申请人补正"),
        skipped=_("不需要时跳过"),
        notes={stage: _note(one, stage == slowest) for stage, one in by_stage.items()},
    )
    context = {
        "title": str(spec.title),
        "lead": _finding(spec, figures),
        "facts": _facts(spec, figures),
        # Every text in it is escaped where it is drawn.
        "picture": mark_safe(picture_svg(spec, words, language=language)),
        "stages": [_row(spec, stage, by_stage.get(stage.key), stage.key == slowest) for stage in spec.stages],
        "has_figures": may_look,
        "actions": [
            Action(label=_("下载 BPMN"), url=reverse("casework:flow_bpmn", args=[key]), icon="download"),
            *([Action(label=_("看办件"), url=f"{reverse('casework:cases')}?flow={key}", icon="inbox")] if may_look else []),
        ],
        "breadcrumbs": [{"label": _("流程"), "url": reverse("casework:flows")}, {"label": str(spec.title), "url": ""}],
    }
    return render(request, "casework/flow.html", context)


def _note(one: StageFigures, is_slow: bool) -> Note:
    count = _("在办 %(count)s") % {"count": f"{one.live:,}"} if one.live else ""
    time = _("中位 %(time)s") % {"time": span_text(one.median)} if one.median is not None else ""
    return Note(count, time, is_slow)


def _finding(spec: FlowSpec, figures: FlowFigures | None) -> str:
    if figures is None or not figures.slowest:
        return str(spec.note or "")
    slow = next(one for one in figures.stages if one.stage == figures.slowest)
    return _("最慢的一步是“%(stage)s”，一半的办件在这里停留超过 %(time)s。") % {
        "stage": slow.title,
        "time": span_text(slow.median),
    }


def _facts(spec: FlowSpec, figures: FlowFigures | None) -> list[Fact]:
    facts = [Fact(label=_("承诺时限"), value=due_text(spec.promise)), Fact(label=_("几步"), value=len(spec.stages))]
    if figures is not None:
        live = sum(count for state, count in figures.states.items() if state in ("running", "returned"))
        facts += [
            Fact(label=_("在办"), value=live),
            Fact(label=_("办结"), value=figures.states.get("closed", 0)),
            Fact(label=_("全程中位时间"), value=span_text(figures.whole), help=_("最近一千件从提交到办结。")),
        ]
    return facts


def _row(spec: FlowSpec, stage: StageSpec, one: StageFigures | None, is_slow: bool) -> dict[str, object]:
    outcomes = one.outcomes if one else {}
    told = "、".join(f"{outcome_title(spec, stage.key, key)} {count:,}" for key, count in sorted(outcomes.items()))
    return {
        "title": stage.title,
        "who": who_text(stage.who),
        "when": stage.when,
        "due": due_text(stage.due),
        "live": one.live if one else 0,
        "late": one.late if one else 0,
        "median": span_text(one.median if one else None),
        "tenth": span_text(one.slowest_tenth if one else None),
        "visits": one.visits if one else 0,
        "outcomes": told,
        "is_slow": is_slow,
    }


def who_text(who: Who) -> str:
    """Whom a stage asks, in words."""
    if who.filer:
        return _("申请人")
    if who.class_teacher:
        return _("班主任")
    if who.named_in:
        return _("表单里指定的人")
    if who.pool:
        return _("从人员库抽取 %(count)d 人") % {"count": who.count}
    if who.owner_of:
        return _("数据的负责单位")
    if who.function or who.role is None:
        return _("按规则确定的人")
    role = role_name(who.role)
    return _("每个下级单位的%(role)s") % {"role": role} if who.each else str(role)


@never_cache
@require_safe
def flow_bpmn(request: HttpRequest, key: str) -> HttpResponseBase:
    definition = access_flow(actor_of(request), key)
    document = bpmn_xml(_spec(definition), language=get_language() or "zh-hans")
    response = HttpResponse(document, content_type="application/xml")
    response.headers["Content-Disposition"] = f'attachment; filename="{key}.bpmn"'
    return response
