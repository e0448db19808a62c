"""Collections in reach, and what the reader is to fill in."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.data import CaseState, CollectionState, TargetState
from shuren.casework.models import Case, Collection, CollectionTarget
from shuren.casework.rules.collections import is_late, takes_new_case
from shuren.casework.selectors.collections.progress import Progress, progress_of_many
from shuren.casework.selectors.collections.reach import access_own_target, collections_in_reach, own_targets, scope_of_issuers
from shuren.casework.services.cases.file import FILLABLE
from shuren.casework.services.cases.trail import address_of
from shuren.casework.services.collections.fill import begin_target
from shuren.casework.views.case_parts import case_url
from shuren.casework.views.collection_pages.parts import collection_url, target_id_in, target_url
from shuren.casework.views.collection_words import COLLECTION_WORDS, collection_status, target_status
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.paging import Page, page_of
from shuren.pages.api import list_page, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec

Row = tuple[Collection, Progress]


@never_cache
@require_safe
def collections(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    paths = scope_of_issuers(actor=actor, now=now).paths

    def rows(query: ListQuery) -> Page[Row]:
        found = collections_in_reach(actor=actor, now=now, state=query.filters.get("state", ""), search=query.search)
        page = page_of(found, lambda row: row, number=query.number, size=query.size)
        progress = progress_of_many([row.pk for row in page.rows], paths, now=now)
        pairs = [(row, progress.get(row.pk, Progress())) for row in page.rows]
        return Page(pairs, page.total, page.is_exact, page.number, page.size)

    states = tuple(Choice(value=state.value, label=str(words[0])) for state, words in COLLECTION_WORDS.items())
    spec: ListSpec[Row] = ListSpec(
        name="collections",
        title=_("数据采集"),
        columns=_columns(),
        rows=rows,
        filters=(Filter(key="state", label=_("状态"), choices=(Choice(value="late", label=_("已过截止时间")), *states)),),
        search_label=_("采集名称"),
        actions=(
            Action(label=_("下发采集"), url=reverse("casework:new_collection"), icon="plus", is_primary=True),
            Action(label=_("我要填报的"), url=reverse("casework:own_collections"), icon="pencil"),
        ),
        empty=EmptyState(
            title=_("还没有采集"),
            text=_("选一张表，发给一个范围的单位，就能看到谁报了、谁没报。"),
            action=Action(label=_("下发采集"), url=reverse("casework:new_collection"), icon="plus", is_primary=True),
            icon="clipboard-list",
        ),
    )
    return render_list(request, spec)


def _columns() -> tuple[Column[Row], ...]:
    return (
        Column(key="title", title=_("名称"), value=lambda pair: pair[0].title, url=lambda pair: collection_url(pair[0])),
        Column(key="org", title=_("下发单位"), value=lambda pair: pair[0].org.name),
        Column(key="period", title=_("报告期"), value=lambda pair: pair[0].period, is_shown=False),
        Column(key="status", title=_("状态"), value=lambda pair: collection_status(pair[0].state), kind=CellKind.STATUS),
        Column(key="due", title=_("截止时间"), value=lambda pair: pair[0].due_at, kind=CellKind.DATETIME),
        Column(key="total", title=_("单位数"), value=lambda pair: pair[1].total, kind=CellKind.NUMBER),
        Column(key="accepted", title=_("已通过"), value=lambda pair: pair[1].share_accepted, kind=CellKind.PERCENT, decimals=1),
        Column(key="late", title=_("逾期未报"), value=lambda pair: pair[1].late, kind=CellKind.NUMBER),
    )


@never_cache
@require_safe
def own_collections(request: HttpRequest) -> HttpResponseBase:
    """What waits for the reader, and below it what they handed in."""
    actor, now = actor_of(request), clock.now()
    waiting = own_targets(actor=actor, now=now)
    late = sum(is_late(TargetState(row.state), row.due_at, now) for row in waiting)
    done: ListSpec[CollectionTarget] = ListSpec(
        name="own-collections",
        title=_("以前的填报"),
        columns=(
            Column(key="title", title=_("名称"), value=lambda row: row.collection.title, url=_case_url),
            Column(key="org", title=_("填报单位"), value=lambda row: row.org.name),
            Column(key="status", title=_("状态"), value=lambda row: target_status(row.state), kind=CellKind.STATUS),
            Column(key="submitted", title=_("提交时间"), value=lambda row: row.submitted_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: _cut(own_targets(actor=actor, now=now, is_open=False), query),
        empty=EmptyState(title=_("还没有提交过的填报"), text=_("提交以后会出现在这里。"), icon="history"),
    )
    told = ngettext("有 %(count)d 张表等您填报。", "有 %(count)d 张表等您填报。", len(waiting)) % {"count": len(waiting)}
    context = {
        "title": _("我要填报的"),
        "lead": told if waiting else _("没有等您填报的表。"),
        "late": late,
        "waiting": [_line(row, now_late=is_late(TargetState(row.state), row.due_at, now)) for row in waiting],
        "list": list_page(request, done),
    }
    return render(request, "casework/collection_mine.html", context)


def _cut(rows: list[CollectionTarget], query: ListQuery) -> Page[CollectionTarget]:
    start = (query.number - 1) * query.size
    return Page(rows[start : start + query.size], len(rows), True, query.number, query.size)


def _line(row: CollectionTarget, *, now_late: bool) -> dict[str, object]:
    words = {TargetState.MISSING: _("开始填报"), TargetState.RETURNED: _("更正")}
    return {
        "target": row,
        "status": target_status(row.state),
        "is_late": now_late,
        "url": target_url(row, "fill_target"),
        "words": words.get(TargetState(row.state), _("继续填报")),
    }


def _case_url(row: CollectionTarget) -> str:
    return address_of(row.case) if row.case else ""


@never_cache
@require_http_methods(["GET", "POST"])
def fill_target(request: HttpRequest, target_id: str) -> HttpResponseBase:
    """What is asked, for whom and until when; the button makes the case. Once there is one, it is opened at once."""
    actor, now = actor_of(request), clock.now()
    target = access_own_target(actor=actor, id=target_id_in(target_id), now=now)
    if request.method == "POST":
        return redirect(_page_of(begin_target(actor=actor, target_id=target.pk, now=now)))
    if target.case is not None and not takes_new_case(CaseState(target.case.state), target.case.result):
        return redirect(_page_of(target.case))
    row = target.collection
    context = {
        "title": row.title,
        "state": target_status(target.state),
        "lead": row.note,
        "breadcrumbs": [{"label": _("我要填报的"), "url": reverse("casework:own_collections")}, {"label": row.title, "url": ""}],
        "facts": [
            Fact(label=_("填报单位"), value=target.org.name),
            Fact(label=_("报告期"), value=row.period or None),
            Fact(label=_("截止时间"), value=target.due_at),
            Fact(label=_("退回的原因"), value=target.reason or None),
        ],
        "may_begin": row.state == CollectionState.OPEN and target.state != TargetState.EXEMPT,
        "is_begun": target.case is not None,
    }
    return render(request, "casework/collection_fill.html", context)


def _page_of(case: Case) -> str:
    """Where one goes on: straight to the form while it is to be filled in or corrected."""
    return case_url(case, "fill_case" if case.state in FILLABLE else "case")
