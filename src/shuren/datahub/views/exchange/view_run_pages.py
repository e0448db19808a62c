"""One turn of reading a view: what came, what changed, what did not fit, and what an officer may do about it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.datahub.data import ViewRunKind, ViewRunState
from shuren.datahub.models import ViewRun
from shuren.datahub.selectors.view_sources import access_view_run, title_of_source
from shuren.datahub.services.front_views.runs import ask_view_run, confirm_view_run, drop_view_run
from shuren.datahub.views.exchange.view_source_pages import run_address, source_crumbs
from shuren.datahub.views.exchange.view_words import (
    KINDS,
    change_words,
    error_words,
    left_out_words,
    misfit_words,
    run_status,
    seconds_of,
)
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import page_of_rows
from shuren.pages.api import render_list
from shuren.pages.data import Action, Column, EmptyState, Fact, ListSpec


@never_cache
@require_safe
def run(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """One turn, with what changed in the view since it landed last."""
    row = access_view_run(actor=actor_of(request), id=ids.decode("view_run", run_id), now=clock.now())
    spec: ListSpec[Mapping[str, Any]] = ListSpec(
        name="view_changes",
        title=_("视图的变化"),
        columns=(
            Column(key="change", title=_("变化"), value=change_words),
            Column(key="column", title=_("哪一列"), value=lambda change: change["column"] or None),
            Column(key="was", title=_("原来"), value=lambda change: change["was"] or None),
            Column(key="now", title=_("现在"), value=lambda change: change["now"] or None),
        ),
        rows=lambda query: page_of_rows(row.changes, number=query.number, size=query.size),
        stream=lambda query: row.changes,
        empty=EmptyState(title=_("没有要确认的变化"), icon="circle-check"),
    )
    title = _("%(title)s：%(kind)s") % {"title": title_of_source(row.source), "kind": KINDS[ViewRunKind(row.kind)]}
    context = {
        "title": title,
        "state": run_status(row),
        "lead": error_words(row),
        "facts": _facts(row),
        "actions": _actions(row),
        "breadcrumbs": source_crumbs(title, row.source),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _facts(row: ViewRun) -> list[Fact]:
    asked = [one for one in (row.asked_by, row.confirmed_by) if one is not None]
    people = directory.people_by_ids(asked)
    facts = [
        Fact(label=_("开始"), value=row.begun_at),
        Fact(label=_("结束"), value=row.ended_at),
        Fact(label=_("用时（秒）"), value=seconds_of(row)),
        Fact(label=_("谁要的"), value=people[row.asked_by].name if row.asked_by in people else _("按时")),
        Fact(label=_("取到的行"), value=row.rows, help="" if row.is_whole else _("只取增量列比上一次大的行。")),
        Fact(label=_("视图的行数"), value=row.view_rows),
    ]
    if row.left_out:
        facts.append(Fact(label=_("没有取的行"), value=left_out_words(row)))
    if row.unknown_orgs:
        facts.append(
            Fact(label=_("不认识的机构代码"), value="、".join(row.unknown_orgs), help=_("请核对机构目录，最多列出 50 个。"))
        )
    if row.misfits:
        facts.append(Fact(label=_("不符的值"), value=misfit_words(row), help=_("与列的类型或代码集不符。")))
    if row.confirmed_at is not None:
        facts += [
            Fact(label=_("确认人"), value=people[row.confirmed_by].name if row.confirmed_by in people else None),
            Fact(label=_("确认时间"), value=row.confirmed_at),
        ]
    return facts


def _actions(row: ViewRun) -> list[Action]:
    number = ids.encode("view_run", row.pk)
    if row.state == ViewRunState.OPEN:
        url = reverse("datahub:drop_view_run", args=[number])
        sure = _("放弃以后，这次读到的什么也不落库。要放弃吗？")
        return [Action(label=_("放弃"), url=url, icon="x", is_post=True, is_danger=True, confirm=sure)]
    if row.state == ViewRunState.HELD and row.source.is_held:
        url = reverse("datahub:confirm_view_run", args=[number])
        sure = _("确认后从头读取，替换已落库的内容；少了的列不再取。要确认吗？")
        return [Action(label=_("确认变化并读取"), url=url, icon="check", is_post=True, is_primary=True, confirm=sure)]
    return []


@require_POST
def confirm(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Take what changed for what is to be, and read."""
    fresh = confirm_view_run(actor=actor_of(request), run_id=ids.decode("view_run", run_id), now=clock.now())
    messages.success(request, _("已确认，正在读取。"))
    return redirect(run_address(fresh))


@require_POST
def drop(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Give up a turn that is under way."""
    drop_view_run(actor=actor_of(request), run_id=ids.decode("view_run", run_id), now=clock.now())
    messages.success(request, _("已放弃。"))
    return redirect("datahub:view_run", run_id=run_id)


@require_POST
def ask(request: HttpRequest, source_id: str, kind: str) -> HttpResponseBase:
    """Read the view now, or only try it."""
    pk, wanted = ids.decode("view_source", source_id), ViewRunKind(kind)
    ask_view_run(actor=actor_of(request), source_id=pk, kind=wanted, now=clock.now())
    messages.success(request, _("已经开始，稍后刷新页面看结果。"))
    return redirect("datahub:view_source", source_id=source_id)
