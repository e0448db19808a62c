"""Who did what and when, for the audit administrator."""

from collections.abc import Iterator
from datetime import date, datetime, time
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.directory.data import Permission
from shuren.front import selectors
from shuren.identity.api import actor_of, role_name
from shuren.kernel import audit as trail
from shuren.kernel import clock
from shuren.kernel.announced import action_words, actions_said, target_said, target_words
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Refused
from shuren.kernel.models import AuditEntry
from shuren.kernel.paging import Page
from shuren.pages import api as pages
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec
from shuren.trust import api as trust
from shuren.trust.data import AuditSearch


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def audit(request: HttpRequest) -> HttpResponseBase:
    actor = actor_of(request)
    refuse_others(actor)
    spec = ListSpec(
        name="audit",
        title=_("审计"),
        columns=entry_columns(),
        rows=partial(_rows, request),
        stream=_stream,
        filters=entry_filters(),
        search_label=_("操作人（姓名开头）"),
        is_endless=True,
        actions=(
            Action(label=_("下载带证明的记录"), url=f"{reverse('front:audit_evidence')}{_window(request)}", icon="shield-check"),
            Action(label=_("已归档的记录"), url=reverse("front:audit_archive"), icon="archive"),
        ),
        sizes=(50, 100, 200),
        on_export=lambda query, form: record_export(actor, query, form),
        empty=EmptyState(title=_("没有符合条件的记录"), text=_("请放宽筛选条件。"), icon="history"),
    )
    return pages.render_list(request, spec, context={"lead": _("记录只增不改。导出和查看敏感信息也会留下记录。")})


@sensitive_files()
@never_cache
@require_GET
def evidence(request: HttpRequest) -> HttpResponseBase:
    """The audit trail with its proofs, for somebody who will check it elsewhere."""
    actor = actor_of(request)
    refuse_others(actor)
    since, until = moment_of(request.GET.get("since"), time.min), moment_of(request.GET.get("until"), time.max)
    details = {"form": "evidence", "since": request.GET.get("since", ""), "until": request.GET.get("until", "")}
    trail.record(actor=actor, action="front.audit_exported", target="audit:all", details=details, now=clock.now())
    name = f"audit-{clock.day_of(clock.now())}.jsonl"
    lines = trust.hand_out_trail(name=name, now=clock.now(), since=since, until=until)
    return StreamingHttpResponse(
        lines, content_type="application/jsonl", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _window(request: HttpRequest) -> str:
    chosen = {key: request.GET[key] for key in ("since", "until") if request.GET.get(key)}
    return f"?{urlencode(chosen)}" if chosen else ""


def refuse_others(actor: Actor) -> None:
    if not selectors.holds_everywhere(actor, Permission.VIEW_AUDIT, now=clock.now()):
        raise Refused(_("只有审计管理员能查看审计记录。"))


def entry_filters() -> tuple[Filter, ...]:
    """What entries are narrowed to, in the table and in the archive."""
    return (
        Filter(key="area", label=_("范围"), choices=areas()),
        Filter(key="action", label=_("动作")),
        Filter(key="target", label=pgettext("audit", "对象")),
        *day_filters(),
    )


def day_filters() -> tuple[Filter, ...]:
    return (Filter(key="since", label=_("从"), is_date=True), Filter(key="until", label=_("到"), is_date=True))


def areas() -> tuple[Choice, ...]:
    return (
        Choice(value="identity.", label=_("账号与登录")),
        Choice(value="directory.", label=_("机构与人员")),
        Choice(value="intake.", label=_("导入")),
        Choice(value="assessment.", label=_("测评")),
        Choice(value="evaluation.", label=_("评价")),
        Choice(value="front.", label=_("门户")),
        Choice(value="trust.", label=_("密钥与存证")),
        Choice(value="records.", label=_("学习记录")),
        Choice(value="certificates.", label=_("证书")),
        Choice(value="backups.", label=_("备份与恢复")),
        Choice(value="interop.", label=_("应用与交换")),
        Choice(value="casework.", label=_("办件与台账")),
        Choice(value="messaging.", label=_("通知")),
        Choice(value="datahub.", label=_("数据湖")),
        Choice(value="standards.", label=_("数据标准")),
        Choice(value="work.", label=_("任务")),
        Choice(value="pages.", label=_("导出的列表")),
    )


def entry_columns() -> tuple[Column[AuditEntry], ...]:
    return (
        Column(key="at", title=_("时间"), value=lambda row: row.at, kind=CellKind.DATETIME),
        Column(key="who", title=_("操作人"), value=lambda row: row.actor_name),
        Column(key="role", title=_("身份"), value=lambda row: role_name(row.actor_role) if row.actor_role else None),
        Column(key="action", title=_("动作"), value=lambda row: action_words(row.action)),
        Column(key="target", title=pgettext("audit", "对象"), value=lambda row: target_words(row.target)),
        Column(key="action_code", title=_("动作代码"), value=lambda row: row.action, is_shown=False),
        Column(key="target_code", title=_("对象代码"), value=lambda row: row.target, is_shown=False),
        Column(key="details", title=_("详情"), value=_details),
    )


def _details(entry: AuditEntry) -> str:
    return "; ".join(f"{key}: {value}" for key, value in entry.details.items())


def search_of(query: ListQuery) -> AuditSearch:
    area, said = query.filters.get("area", ""), query.filters.get("action", "").strip()
    return AuditSearch(
        # An action of an app that is gone has no name left; it is found by the beginning of its code.
        action=said or area,
        actions=actions_said(said, area=area) if said else (),
        target=target_said(query.filters.get("target", "")),
        actor_name=query.search,
        since=moment_of(query.filters.get("since"), time.min),
        until=moment_of(query.filters.get("until"), time.max),
    )


def moment_of(text: str | None, of_day: time) -> datetime | None:
    try:
        day: date | None = parse_date(text or "")
    except ValueError:
        day = None
    return timezone.make_aware(datetime.combine(day, of_day)) if day else None


def _rows(request: HttpRequest, query: ListQuery) -> Page[AuditEntry]:
    found = trust.audit_page(search_of(query), before=query.cursor, size=query.size)
    if found.has_too_many_names:
        messages.warning(request, _("这样开头的姓名或动作太多，只查了一部分。请多写几个字。"))
    is_first = not query.cursor
    total = len(found.rows) if is_first and not found.next_cursor else query.size + 1
    return Page(rows=found.rows, total=total, is_exact=False, number=1, size=query.size, next_cursor=found.next_cursor)


def _stream(query: ListQuery) -> Iterator[AuditEntry]:
    return trust.audit_stream(search_of(query))


def record_export(actor: Actor, query: ListQuery, form: str) -> None:
    details = {"form": form, "search": query.search, **query.filters}
    trail.record(actor=actor, action="front.audit_exported", target="audit:all", details=details, now=clock.now())
