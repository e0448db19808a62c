"""Who did what and when, for the audit administrator."""

from collections.abc import Iterator
from datetime import date, datetime, time

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.directory.data import Permission
from shuren.front import selectors
from shuren.identity.api import actor_of, role_name
from shuren.kernel import audit as trail
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.kernel.models import AuditEntry
from shuren.kernel.paging import Page, page_of
from shuren.pages import api as pages
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec


@never_cache
@require_GET
def audit(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    if not selectors.holds_everywhere(actor, Permission.VIEW_AUDIT, now=clock.now()):
        raise Refused(_("只有审计管理员能查看审计记录。"))
    spec = ListSpec(
        name="audit",
        title=_("审计"),
        columns=_columns(),
        rows=_rows,
        stream=_stream,
        filters=(
            Filter(key="area", label=_("范围"), choices=_areas()),
            Filter(key="action", label=_("动作")),
            Filter(key="target", label=_("对象")),
            Filter(key="since", label=_("从"), is_date=True),
            Filter(key="until", label=_("到"), is_date=True),
        ),
        search_label=_("操作人"),
        sizes=(50, 100, 200),
        on_export=lambda query, form: _record_export(actor, query, form),
        empty=EmptyState(title=_("没有符合条件的记录"), text=_("请放宽筛选条件。"), icon="history"),
    )
    return pages.render_list(request, spec, context={"lead": _("记录只增不改。导出和查看敏感信息也会留下记录。")})


def _areas() -> tuple[Choice, ...]:
    return (
        Choice(value="identity.", label=_("账号与登录")),
        Choice(value="directory.", label=_("机构与人员")),
        Choice(value="intake.", label=_("导入")),
        Choice(value="assessment.", label=_("测评")),
        Choice(value="evaluation.", label=_("评价")),
        Choice(value="front.", label=_("门户")),
    )


def _columns() -> tuple[Column[AuditEntry], ...]:
    return (
        Column(key="at", title=_("时间"), value=lambda row: row.at, kind=CellKind.DATETIME),
        Column(key="who", title=_("操作人"), value=lambda row: row.actor_name),
        Column(key="role", title=_("身份"), value=lambda row: role_name(row.actor_role) if row.actor_role else None),
        Column(key="action", title=_("动作"), value=lambda row: row.action),
        Column(key="target", title=_("对象"), value=lambda row: row.target),
        Column(key="details", title=_("详情"), value=_details),
    )


def _details(entry: AuditEntry) -> str:
    return "; ".join(f"{key}: {value}" for key, value in entry.details.items())


def _found(query: ListQuery) -> QuerySet[AuditEntry]:
    rows = trail.entries(
        action=query.filters.get("action") or query.filters.get("area", ""),
        target=query.filters.get("target", ""),
        actor_name=query.search,
        since=_moment(query.filters.get("since"), time.min),
    )
    until = _moment(query.filters.get("until"), time.max)
    return rows.filter(at__lte=until) if until else rows


def _moment(text: str | None, of_day: time) -> datetime | None:
    try:
        day: date | None = parse_date(text or "")
    except ValueError:
        day = None
    return timezone.make_aware(datetime.combine(day, of_day)) if day else None


def _rows(query: ListQuery) -> Page[AuditEntry]:
    return page_of(_found(query), lambda entry: entry, number=query.number, size=query.size)


def _stream(query: ListQuery) -> Iterator[AuditEntry]:
    return _found(query).iterator(chunk_size=2_000)


def _record_export(actor: Actor, query: ListQuery, form: str) -> None:
    details = {"form": form, "search": query.search, **query.filters}
    trail.record(actor=actor, action="front.audit_exported", target="audit:all", details=details, now=clock.now())
