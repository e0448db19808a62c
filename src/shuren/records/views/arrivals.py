"""What arrives of learning records, from which clients, and what is refused: in the reader's own branches."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.identity.api import actor_of, client_by_client_id
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive_files
from shuren.kernel.paging import Page, page_of, page_of_rows
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status
from shuren.records.data import StatementCount, StatementFilter, StatementLine
from shuren.records.models import RefusedRequest
from shuren.records.rules.lake import org_at
from shuren.records.selectors.cmi5.clients import course_client_name
from shuren.records.selectors.lake import clients_and_verbs, counts_by_day, page_of_lines, stream_of_lines
from shuren.records.selectors.refused import refused_requests
from shuren.records.views.days import day_asked, day_filters

_SHOWN = timedelta(days=31)
_NAMED_AT_ONCE = 500


class _Names:
    """What clients, people and organisations are called, each looked up once; people only where the reader may name them."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self.actor, self.now = actor, now
        self.clients: dict[str, str] = {}

    def client(self, client_id: str) -> str:
        if client_id not in self.clients:
            found = client_by_client_id(client_id)
            self.clients[client_id] = found.name if found else course_client_name(client_id) or client_id
        return self.clients[client_id]

    def people(self, lines: Iterable[StatementLine]) -> dict[int, str]:
        told = {line.person_id for line in lines if line.person_id is not None}
        seen = directory.people_within(actor=self.actor, person_ids=told, permission=Permission.VIEW_PUPIL_REPORTS, now=self.now)
        return {id: person.name or person.number for id, person in directory.people_by_ids(seen).items()}

    def orgs(self, lines: Iterable[StatementLine]) -> dict[int, OrgData]:
        return directory.orgs_by_ids({org_at(line.org_path) for line in lines if line.org_path})


@never_cache
@require_safe
def arrivals(request: HttpRequest) -> HttpResponseBase:
    """How many statements came, by day and client; the running day is an hour old at most."""
    actor, now = actor_of(request), clock.now()
    paths, names = _paths(actor, now), _Names(actor, now)

    def every(query: ListQuery) -> list[StatementCount]:
        return counts_by_day(_asked(query, paths, now))

    spec: ListSpec[StatementCount] = ListSpec(
        name="statement_arrivals",
        title=_("学习记录"),
        columns=(
            Column(key="day", title=_("日期"), value=lambda row: row.day, kind=CellKind.DATE),
            Column(
                key="client",
                title=_("来源"),
                value=lambda row: names.client(row.client_id),
                url=lambda row: f"{reverse('records:statement_lines')}?client={row.client_id}&since={row.day}&until={row.day}",
            ),
            Column(key="statements", title=_("记录"), value=lambda row: row.statements, kind=CellKind.NUMBER),
            Column(key="people", title=_("人数"), value=lambda row: row.people, kind=CellKind.NUMBER),
            Column(key="activities", title=_("学习活动"), value=lambda row: row.activities, kind=CellKind.NUMBER),
            Column(key="last", title=_("最近一条"), value=lambda row: row.last_stored, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of_rows(every(query), number=query.number, size=query.size),
        stream=every,
        filters=_filters(names, _shown(paths, now), has_verb=False),
        actions=(
            Action(label=_("班级学情"), url=reverse("records:classes_learning")),
            Action(label=_("逐条查看"), url=reverse("records:statement_lines")),
            *((Action(label=_("被拒绝的请求"), url=reverse("records:refused")),) if paths is None else ()),
        ),
        empty=EmptyState(title=_("这些天没有学习记录"), text=_("应用按 xAPI 送来的记录每小时汇总一次。"), icon="chart-bar"),
    )
    lead = _("各应用每天送来多少条学习记录，涉及多少人；每小时汇总一次，不选日期时显示最近 31 天。")
    return render_list(request, spec, context={"lead": lead})


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def statement_lines(request: HttpRequest) -> HttpResponseBase:
    """Single statements from new to old. Whoever may not see single pupils' results reads the class and no name."""
    actor, now = actor_of(request), clock.now()
    paths, names = _paths(actor, now), _Names(actor, now)
    people: dict[int, str] = {}
    orgs: dict[int, OrgData] = {}

    def named(lines: list[StatementLine]) -> list[StatementLine]:
        people.update(names.people(lines))
        orgs.update(names.orgs(lines))
        return lines

    def rows(query: ListQuery) -> Page[StatementLine]:
        found, following = page_of_lines(_asked(query, paths, now), cursor=query.cursor, size=query.size)
        return Page(rows=named(found), total=len(found), is_exact=True, number=1, size=query.size, next_cursor=following)

    def every(query: ListQuery) -> Iterable[StatementLine]:
        lines = stream_of_lines(_asked(query, paths, now))
        while some := list(islice(lines, _NAMED_AT_ONCE)):
            yield from named(some)

    spec: ListSpec[StatementLine] = ListSpec(
        name="statement_lines",
        title=_("逐条学习记录"),
        columns=(
            Column(key="stored", title=_("收到"), value=lambda row: row.stored, kind=CellKind.DATETIME),
            Column(key="person", title=_("人员"), value=lambda row: people.get(row.person_id or 0, "—")),
            Column(key="org", title=_("单位"), value=lambda row: _org_name(orgs, row.org_path)),
            Column(key="verb", title=_("动作"), value=lambda row: _word(row.verb)),
            Column(key="activity", title=_("学习活动"), value=lambda row: row.activity_name or row.activity or "—"),
            Column(key="result", title=_("结果"), value=_result, kind=CellKind.STATUS),
            Column(key="score", title=_("得分率"), value=_percent, kind=CellKind.PERCENT, decimals=1),
            Column(key="seconds", title=_("用时（秒）"), value=lambda row: row.seconds, kind=CellKind.NUMBER),
            Column(key="client", title=_("来源"), value=lambda row: names.client(row.client_id)),
        ),
        rows=rows,
        stream=every,
        is_endless=True,
        filters=_filters(names, _shown(paths, now), has_verb=True),
        empty=EmptyState(title=_("这些天没有学习记录"), text=_("换一段日期或来源再看。"), icon="list-details"),
    )
    crumbs = [{"label": _("学习记录"), "url": reverse("records:arrivals")}, {"label": _("逐条学习记录"), "url": ""}]
    lead = _("只有能看学生个人结果的人才看到姓名；其他人看到班级。不选日期时显示最近 31 天。")
    return render_list(request, spec, context={"lead": lead, "breadcrumbs": crumbs})


@never_cache
@require_safe
def refused(request: HttpRequest) -> HttpResponseBase:
    """What was not taken, by day, client and status, with the words the client was told last."""
    actor, now = actor_of(request), clock.now()
    paths, names = _paths(actor, now), _Names(actor, now)
    spec: ListSpec[RefusedRequest] = ListSpec(
        name="statement_refusals",
        title=_("被拒绝的请求"),
        columns=(
            Column(key="day", title=_("日期"), value=lambda row: row.day, kind=CellKind.DATE),
            Column(key="client", title=_("来源"), value=lambda row: names.client(row.client_id)),
            Column(key="status", title=_("状态码"), value=lambda row: str(row.status)),
            Column(key="count", title=_("次数"), value=lambda row: row.count, kind=CellKind.NUMBER),
            Column(key="fault", title=_("最近一次的原因"), value=lambda row: row.last_fault),
            Column(key="last", title=_("最近一次"), value=lambda row: row.last_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(
            refused_requests(_asked(query, paths, now)), lambda row: row, number=query.number, size=query.size
        ),
        filters=day_filters(),
        empty=EmptyState(title=_("没有被拒绝的请求"), text=_("格式不对或互相矛盾的学习记录会在这里列出原因。"), icon="check"),
    )
    crumbs = [{"label": _("学习记录"), "url": reverse("records:arrivals")}, {"label": _("被拒绝的请求"), "url": ""}]
    lead = _("把原因转给应用的开发者。一次请求里有一条不对，整次都不收。")
    return render_list(request, spec, context={"lead": lead, "breadcrumbs": crumbs})


def _paths(actor: Actor, now: datetime) -> tuple[str, ...] | None:
    """The reader's branches, None for whoever sees the whole region, what belongs to nobody here included."""
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_STATEMENTS, now=now)
    root = directory.root_org()
    return None if root is not None and root.path in scope.paths else scope.paths


def _asked(query: ListQuery, paths: tuple[str, ...] | None, now: datetime) -> StatementFilter:
    since, until = day_asked(query.filters.get("since", "")), day_asked(query.filters.get("until", ""))
    return StatementFilter(
        paths=paths,
        since=since or (until or clock.day_of(now)) - _SHOWN,
        until=until,
        client_id=query.filters.get("client", ""),
        verb=query.filters.get("verb", ""),
    )


def _shown(paths: tuple[str, ...] | None, now: datetime) -> StatementFilter:
    return StatementFilter(paths=paths, since=clock.day_of(now) - _SHOWN)


def _filters(names: _Names, asked: StatementFilter, *, has_verb: bool) -> tuple[Filter, ...]:
    clients, verbs = clients_and_verbs(asked)
    chosen = [Filter(key="client", label=_("来源"), choices=tuple(Choice(value=one, label=names.client(one)) for one in clients))]
    if has_verb:
        chosen.append(Filter(key="verb", label=_("动作"), choices=tuple(Choice(value=one, label=_word(one)) for one in verbs)))
    return (*chosen, *day_filters())


def _word(iri: str) -> str:
    """The last part of an IRI, by which its makers call it."""
    return iri.rstrip("/#").rpartition("/")[2].rpartition("#")[2] or iri


def _org_name(orgs: dict[int, OrgData], org_path: str) -> str:
    org = orgs.get(org_at(org_path))
    return org.name if org else "—"


def _percent(row: StatementLine) -> float | None:
    return None if row.score is None else 100 * row.score


def _result(row: StatementLine) -> Status:
    if row.success is not None:
        return Status(text=_("通过"), tone="good") if row.success else Status(text=_("未通过"), tone="bad")
    if row.completion is not None:
        return Status(text=_("完成"), tone="good") if row.completion else Status(text=_("未完成"), tone="warn")
    return Status(text="—")
