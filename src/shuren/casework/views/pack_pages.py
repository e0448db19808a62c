"""What runs here: requirement rows and what fulfils them, packs and what they hold; what forms ask and what they save."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.data import DefinitionKind
from shuren.casework.selectors.burden import Burden, access_burden, burden_by_form, burden_by_org
from shuren.casework.selectors.what_runs import (
    RowFulfilled,
    RunningDefinition,
    definitions_of_pack,
    installed_pack,
    installed_packs,
    rows_fulfilled,
)
from shuren.casework.views.certificate_pages import missing_facts
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import EXACT_COUNT_LIMIT, Page
from shuren.pages.api import list_page, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status


def kind_words(kind: DefinitionKind) -> str:
    return {
        DefinitionKind.FORM: _("表单"),
        DefinitionKind.FLOW: _("流程"),
        DefinitionKind.REGISTER: _("台账"),
        DefinitionKind.COLLECTION: _("采集"),
        DefinitionKind.ITEM: _("事项"),
        DefinitionKind.DRAW: _("抽查"),
        DefinitionKind.INDICATOR: _("指标"),
    }[kind]


@never_cache
@require_safe
def packs(request: HttpRequest) -> HttpResponseBase:
    """Every requirement row with the definitions, packs and apps that fulfil it."""
    spec: ListSpec[RowFulfilled] = ListSpec(
        name="what-runs",
        title=_("平台运行什么"),
        columns=(
            Column(key="row", title=_("编号"), value=lambda row: row.row),
            Column(key="title", title=_("要求"), value=lambda row: row.title),
            Column(key="definitions", title=_("由什么实现"), value=_fulfilled_by),
            Column(key="packs", title=_("功能包"), value=lambda row: "、".join(row.packs)),
            Column(key="apps", title=_("模块"), value=lambda row: "、".join(row.apps)),
            Column(key="override", title=_("本地改动"), value=_override, kind=CellKind.STATUS),
        ),
        rows=_rows,
        filters=(Filter(key="pack", label=_("功能包"), choices=_pack_choices()),),
        search_label=_("编号、要求或名称"),
        actions=_pack_actions(request),
        note=_("编号是平台建设要求的条目；功能包和模块自己说明做到了哪些。"),
        empty=EmptyState(title=_("还没有安装功能包"), text=_("运行 shuren packs install --all。"), icon="layout-grid"),
    )
    return render_list(request, spec)


def _rows(query: ListQuery) -> Page[RowFulfilled]:
    found = rows_fulfilled(search=query.search, pack=query.filters.get("pack", ""))
    start = (query.number - 1) * query.size
    return Page(rows=found[start : start + query.size], total=len(found), is_exact=True, number=query.number, size=query.size)


def _pack_choices() -> tuple[Choice, ...]:
    return tuple(Choice(value=one.key, label=one.title) for one in installed_packs())


def _fulfilled_by(row: RowFulfilled) -> str:
    shown = "、".join(row.definitions[:6])
    more = len(row.definitions) - 6
    return _("%(shown)s 等 %(count)d 项") % {"shown": shown, "count": len(row.definitions)} if more > 0 else shown


def _override(row: RowFulfilled) -> Status | None:
    return Status(text=_("有"), tone="warn") if row.is_overridden else None


def _pack_actions(request: HttpRequest) -> tuple[Action, ...]:
    found = [Action(label=one.title, url=reverse("casework:pack", args=[one.key]), icon="folder") for one in installed_packs()]
    if not directory.scope_of(actor=actor_of(request), permission=Permission.VIEW_CASES, now=clock.now()).is_empty:
        found.insert(0, Action(label=_("填报负担"), url=reverse("casework:burden"), icon="chart-bar"))
    return tuple(found)


@never_cache
@require_safe
def pack(request: HttpRequest, pack_key: str) -> HttpResponseBase:
    """One pack: its version, the region's changes, and every definition with how much there is of it."""
    row = installed_pack(pack_key)
    if row is None:
        raise NotFound(_("没有安装这个功能包。"))

    def rows(query: ListQuery) -> Page[RunningDefinition]:
        found, total = definitions_of_pack(pack_key, number=query.number, size=query.size)
        return Page(rows=found, total=total, is_exact=True, number=query.number, size=query.size)

    spec: ListSpec[RunningDefinition] = ListSpec(
        name=f"pack-{pack_key}",
        title=row.title,
        columns=(
            Column(key="kind", title=_("类别"), value=lambda one: kind_words(one.kind)),
            Column(key="title", title=_("名称"), value=lambda one: one.title),
            Column(key="key", title=_("代码"), value=lambda one: one.key),
            Column(key="version", title=_("第几版"), value=lambda one: one.version, kind=CellKind.NUMBER),
            Column(key="count", title=_("记录或办件"), value=_count),
            Column(key="rows", title=_("要求编号"), value=lambda one: "、".join(one.rows)),
            Column(key="override", title=_("本地改动"), value=_changed, kind=CellKind.STATUS),
        ),
        rows=rows,
    )
    context = {
        "title": row.title,
        "breadcrumbs": [
            {"label": _("平台运行什么"), "url": reverse("casework:packs")},
            {"label": row.title, "url": ""},
        ],
        "facts": [
            Fact(label=_("版本"), value=row.version),
            Fact(label=_("安装时间"), value=row.installed_at),
            Fact(label=_("本地改动的文件"), value="、".join(row.overridden) or _("没有")),
            *missing_facts(request, pack_key),
        ],
        "list": list_page(request, spec),
    }
    return render(request, "front/detail.html", context)


def _count(one: RunningDefinition) -> str | int | None:
    return f"{EXACT_COUNT_LIMIT}+" if one.count is not None and one.count > EXACT_COUNT_LIMIT else one.count


def _changed(one: RunningDefinition) -> Status | None:
    return Status(text=_("有"), tone="warn") if one.is_overridden else None


def _burden_columns(first: Column[Burden]) -> tuple[Column[Burden], ...]:
    return (
        first,
        Column(key="cases", title=_("填报份数"), value=lambda row: row.cases, kind=CellKind.NUMBER),
        Column(key="asked", title=_("应填项数"), value=lambda row: row.asked, kind=CellKind.NUMBER),
        Column(key="saved", title=_("自动填入"), value=lambda row: row.saved, kind=CellKind.NUMBER),
        Column(key="percent", title=_("免填比例"), value=lambda row: row.saved_percent, kind=CellKind.PERCENT, decimals=1),
    )


@never_cache
@require_safe
def burden(request: HttpRequest) -> HttpResponseBase:
    """How many fields each form asked, and how many it filled in by itself."""
    actor, now = actor_of(request), clock.now()
    if directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now).is_empty:
        raise NotFound(_("没有找到这个页面。"))
    form: Column[Burden] = Column(
        key="form",
        title=_("表单"),
        value=lambda row: row.name,
        url=lambda row: reverse("casework:burden_of_form", args=[row.public_id]),
    )
    spec = ListSpec(
        name="burden",
        title=_("填报负担"),
        columns=_burden_columns(form),
        rows=lambda query: burden_by_form(actor=actor, search=query.search, number=query.number, size=query.size, now=now),
        search_label=_("表单名称"),
        note=_("自动填入的项来自名录、台账和数据湖，填报人只需核对。数字每分钟更新。"),
        empty=EmptyState(title=_("还没有表单"), text=_("安装功能包后会出现在这里。"), icon="clipboard-list"),
    )
    return render_list(request, spec)


@never_cache
@require_safe
def burden_of_form(request: HttpRequest, definition_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_burden(actor=actor, id=ids.decode("definition", definition_id), now=now)
    org: Column[Burden] = Column(key="org", title=_("单位"), value=lambda row: row.name)
    spec = ListSpec(
        name="burden-of-form",
        title=_("“%(title)s”的填报负担") % {"title": row.title},
        columns=_burden_columns(org),
        rows=lambda query: burden_by_org(actor=actor, definition=row, number=query.number, size=query.size, now=now),
        empty=EmptyState(title=_("还没有单位填过这张表"), text=_("有人填报后会出现在这里。"), icon="clipboard-list"),
    )
    return render_list(request, spec)
