"""Turns of reading a view: asked for, due, confirmed, given up, ended, and told of where they keep failing."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import ViewRunKind, ViewRunState
from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.rules.front_views.columns import columns_as_json, columns_in, merged
from shuren.datahub.selectors.view_sources import access_view_run, access_view_source
from shuren.datahub.services.front_views.keep import offer_view
from shuren.datahub.services.sharing.tell import tell_unit
from shuren.directory import api as directory
from shuren.kernel import audit, ids
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict
from shuren.work.api import enqueue

JOB = "shuren.datahub.jobs.read_view"
_TOLD_AFTER = 3


@transaction.atomic
def ask_view_run(*, actor: Actor, source_id: int, kind: ViewRunKind, now: datetime) -> ViewRun:
    """Read a view now, or only try it."""
    source = access_view_source(actor=actor, id=source_id, now=now, locked=True)
    if kind is ViewRunKind.READ and (source.is_stopped or source.is_held):
        raise Conflict(_("这个来源已停用，或有变化等待确认。"), remedy=_("请先恢复它，或先确认变化。"))
    if kind is ViewRunKind.READ and not source.key_columns:
        raise Conflict(_("还没有选出要取的列。"), remedy=_("请先试连，再选择怎样读取。"))
    return begin_run(source, kind, actor=actor, now=now)


def begin_run(source: ViewSource, kind: ViewRunKind, *, actor: Actor, now: datetime) -> ViewRun:
    """Open a turn that a job carries out. Callers have locked the source; raises `Conflict` while another is open."""
    if source.runs.filter(ended_at__isnull=True).exists():
        raise Conflict(_("正在读取这个视图。"), remedy=_("请等这一次结束，或先放弃它。"))
    run = ViewRun.objects.create(
        source=source, kind=kind.value, state=ViewRunState.OPEN.value, asked_by=actor.person_id, begun_at=now
    )
    _record(run, "datahub.view_run_begun", actor, now, kind=kind.value)
    _enqueue(run)
    return run


def queue_views(*, now: datetime) -> int:
    """Open a turn of every source whose time has come, and take up again those that no job carries any more."""
    for run in ViewRun.objects.filter(ended_at__isnull=True).select_related("source"):
        _enqueue(run)
    begun = 0
    due = ViewSource.objects.filter(is_stopped=False, is_held=False, next_at__lte=now).order_by("next_at")
    for source_id in list(due.values_list("pk", flat=True)[:50]):
        with transaction.atomic():
            source = ViewSource.objects.select_for_update().get(pk=source_id)
            if source.is_stopped or source.is_held or source.runs.filter(ended_at__isnull=True).exists():
                continue
            source.next_at = now + timedelta(minutes=source.every_minutes) if source.every_minutes else None
            source.save(update_fields=["next_at"])
            begin_run(source, ViewRunKind.READ, actor=SYSTEM, now=now)
            begun += 1
    return begun


@transaction.atomic
def confirm_view_run(*, actor: Actor, run_id: int, now: datetime) -> ViewRun:
    """Take what changed for what is to be: the view is read from its beginning and replaces what landed. Returns the new turn."""
    run = access_view_run(actor=actor, id=run_id, now=now)
    source = access_view_source(actor=actor, id=run.source_id, now=now, locked=True)
    newest = source.runs.filter(state=ViewRunState.HELD.value).order_by("-pk").first()
    if not source.is_held or newest is None or newest.pk != run.pk:
        raise Conflict(_("这次读取不需要确认。"), remedy=_("请刷新页面，看看它的最新状态。"))
    columns = merged(columns_in(source.columns), columns_in(run.columns))
    known = {one.name for one in columns if one.kind}
    needed = {*source.key_columns, source.cursor_column, source.org_column} - {""}
    if needed - known:
        raise Conflict(
            _("主键、增量或机构代码列没有了：%(names)s。") % {"names": "、".join(sorted(needed - known))},
            remedy=_("请先在“怎样读取”里改选，再来确认。"),
        )
    source.columns = columns_as_json(columns)
    source.cursor, source.digest, source.is_held = "", "", False
    source.known_rows = run.view_rows if run.view_rows is not None else source.known_rows
    source.save()
    offer_view(source)
    ViewRun.objects.filter(pk=run.pk).update(state=ViewRunState.CONFIRMED.value, confirmed_by=actor.person_id, confirmed_at=now)
    _record(run, "datahub.view_change_confirmed", actor, now, changes=[one["change"] for one in run.changes])
    return begin_run(source, ViewRunKind.READ, actor=actor, now=now)


@transaction.atomic
def drop_view_run(*, actor: Actor, run_id: int, now: datetime) -> None:
    """Give up a turn that is under way; nothing of it lands."""
    access_view_run(actor=actor, id=run_id, now=now)
    run = ViewRun.objects.select_for_update().get(pk=run_id)
    if run.state != ViewRunState.OPEN:
        raise Conflict(_("这次读取已经结束。"), remedy=_("请刷新页面，看看它的最新状态。"))
    end_run(run, ViewRunState.DROPPED, actor=actor, now=now)


def end_run(run: ViewRun, state: ViewRunState, *, actor: Actor = SYSTEM, error: str = "", now: datetime) -> str:
    """Close a turn with what is noted on it, in the caller's transaction; who answers for the view hears when it will not do."""
    run.state, run.error, run.ended_at = state.value, error, now
    run.save()
    source = run.source
    is_read = run.kind == ViewRunKind.READ
    if is_read and state in (ViewRunState.LANDED, ViewRunState.UNCHANGED, ViewRunState.FAILED):
        source.failures = source.failures + 1 if state is ViewRunState.FAILED else 0
        ViewSource.objects.filter(pk=source.pk).update(failures=source.failures)
    told = {"state": state.value, "error": error, "rows": run.rows, "misfits": run.misfits}
    _record(run, "datahub.view_run_ended", actor, now, **told)
    if is_read and state is ViewRunState.FAILED and source.failures == _TOLD_AFTER:
        _tell(run, _("视图“%(title)s”连续三次没有读成") % {"title": source.title_zh}, now)
    if is_read and state is ViewRunState.HELD:
        _tell(run, _("视图“%(title)s”有变化，等待确认") % {"title": source.title_zh}, now)
    return state.value


def _tell(run: ViewRun, title: str, now: datetime) -> None:
    """The owner's keepers, and those who keep the exchange and can open the page."""
    source, root = run.source, directory.root_org()
    url = reverse("datahub:view_run", args=[ids.encode("view_run", run.pk)])
    body = _("数据集 %(dataset)s 仍是上一次读到的内容。") % {"dataset": f"front.{source.key}"}
    if root is not None and root.id != source.org_id:
        tell_unit(root.id, title=title, body=body, url=url, key=f"view-run:{run.pk}", now=now)
        url = ""
    tell_unit(source.org_id, title=title, body=body, url=url, key=f"view-run:{run.pk}", now=now)


def _enqueue(run: ViewRun) -> None:
    enqueue(
        JOB,
        {"run_id": run.pk},
        key=f"view-run:{run.pk}",
        title=gettext_lazy("读取视图“%(title)s”"),
        title_words={"title": run.source.title_zh},
    )


def _record(run: ViewRun, action: str, actor: Actor, now: datetime, **details: object) -> None:
    told: Mapping[str, object] = {"key": run.source.key, "run": run.pk, **details}
    audit.record(actor=actor, action=action, target=f"view_source:{run.source_id}", details=told, now=now)
