"""Audit entries that left for the archive, for the audit administrator: the files, and what stands in them."""

from datetime import time
from functools import partial

from django.contrib import messages
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.front.views.audit import day_filters, entry_columns, entry_filters, moment_of, record_export, refuse_others, search_of
from shuren.identity.api import actor_of
from shuren.kernel import audit as trail
from shuren.kernel import clock
from shuren.kernel.doors import sensitive_files
from shuren.kernel.models import AuditEntry
from shuren.kernel.paging import Page
from shuren.pages import api as pages
from shuren.pages.data import Action, CellKind, Column, EmptyState, ListQuery, ListSpec, Status
from shuren.trust import api as trust
from shuren.trust.data import ArchiveFile

_GZIP = "application/gzip"


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def audit_archive(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    refuse_others(actor)
    spec = ListSpec(
        name="audit-archive",
        title=_("已归档的审计记录"),
        columns=_file_columns(),
        rows=_files,
        filters=day_filters(),
        actions=(Action(label=_("在归档中查找"), url=reverse("front:audit_archived"), icon="search"),),
        row_actions=_file_actions,
        on_export=lambda query, form: record_export(actor, query, form),
        empty=EmptyState(title=_("还没有归档"), text=_("超过保存天数的记录会移到归档文件里。"), icon="archive"),
    )
    return pages.render_list(request, spec, context={"lead": _("每份文件都带着证明，可以用 shuren verify archive 核对。")})


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def audit_archived(request: HttpRequest) -> HttpResponseBase:
    """Entries in the files, searched as those of the trail are."""
    actor = actor_of(request)
    refuse_others(actor)
    spec = ListSpec(
        name="audit-archived",
        title=_("在归档中查找"),
        columns=entry_columns(),
        rows=partial(_entries, request),
        stream=lambda query: trust.archived_stream(search_of(query)),
        filters=entry_filters(),
        search_label=_("操作人（姓名开头）"),
        is_endless=True,
        sizes=(50, 100, 200),
        actions=(Action(label=_("归档文件"), url=reverse("front:audit_archive"), icon="archive"),),
        on_export=lambda query, form: record_export(actor, query, form),
        empty=EmptyState(title=_("没有符合条件的记录"), text=_("请放宽筛选条件。"), icon="history"),
    )
    return pages.render_list(request, spec, context={"lead": _("逐份读归档文件，日期选得越窄越快。")})


@sensitive_files()
@never_cache
@require_GET
def audit_archive_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """One file as it lies in the archive."""
    actor = actor_of(request)
    refuse_others(actor)
    path = trust.archive_file(name)
    details = {"form": "archive", "file": name}
    trail.record(actor=actor, action="front.audit_exported", target="audit:all", details=details, now=clock.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=_GZIP)


def _file_columns() -> tuple[Column[ArchiveFile], ...]:
    return (
        Column(key="begin", title=_("从"), value=lambda row: row.begin_at, kind=CellKind.DATETIME),
        Column(key="end", title=_("到"), value=lambda row: row.end_at, kind=CellKind.DATETIME),
        Column(key="entries", title=_("记录数"), value=lambda row: row.entries, kind=CellKind.NUMBER),
        Column(key="archived", title=_("归档时间"), value=lambda row: row.archived_at, kind=CellKind.DATETIME),
        Column(key="size", title=_("大小（KB）"), value=_kilobytes, kind=CellKind.NUMBER),
        Column(key="state", title=_("状态"), value=_state, kind=CellKind.STATUS),
        Column(key="file", title=_("文件"), value=lambda row: row.name),
    )


def _kilobytes(row: ArchiveFile) -> int | None:
    return None if row.size is None else -(-row.size // 1024)


def _state(row: ArchiveFile) -> Status:
    return Status(text=_("文件不见了"), tone="bad") if row.size is None else Status(text=_("在"), tone="good")


def _file_actions(row: ArchiveFile) -> tuple[Action, ...]:
    if row.size is None:
        return ()
    return (Action(label=_("下载"), url=reverse("front:audit_archive_file", args=[row.name]), icon="download"),)


def _files(query: ListQuery) -> Page[ArchiveFile]:
    since, until = (moment_of(query.filters.get("since"), time.min), moment_of(query.filters.get("until"), time.max))
    found = trust.archive_files(since=since, until=until)
    begin = (query.number - 1) * query.size
    return Page(rows=found[begin : begin + query.size], total=len(found), is_exact=True, number=query.number, size=query.size)


def _entries(request: HttpRequest, query: ListQuery) -> Page[AuditEntry]:
    found = trust.archived_page(search_of(query), before=query.cursor, size=query.size)
    if found.has_too_many_names:
        messages.warning(request, _("归档文件太多，只读了一部分。请缩小日期范围，或翻到下一页接着找。"))
    if found.broken:
        messages.error(request, _("有归档文件读不出来：%(files)s") % {"files": ", ".join(found.broken)})
    total = len(found.rows) if not query.cursor and not found.next_cursor else query.size + 1
    return Page(rows=found.rows, total=total, is_exact=False, number=1, size=query.size, next_cursor=found.next_cursor)
