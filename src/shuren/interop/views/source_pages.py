"""Sources of rosters: the list, one with its turns, one turn with what was wrong, and what an officer may do with them."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.interop.data import PullKind, PullStatus
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.selectors.roster_sources import (
    access_pull,
    access_source,
    branches_offered,
    latest_pulls,
    pulls_of,
    sources_seen,
)
from shuren.interop.services.roster_pull.sources import ask_pull, correct_source, drop_pull, pause_source, register_source
from shuren.interop.views.asked import form_page, posted
from shuren.interop.views.source_forms import SourceForm
from shuren.interop.views.source_words import (
    PAUSES,
    error_words,
    kind_word,
    left_out_words,
    mode_short,
    pull_status,
    reason_words,
    resource_words,
    source_status,
    takes_words,
)
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.paging import page_of, page_of_rows
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListSpec

_CHANGES = ("added", "changed", "ended")


def _source_url(row: RosterSource, page: str = "roster_source") -> str:
    return reverse(f"interop:{page}", args=[ids.encode("roster_source", row.pk)])


def _pull_url(row: RosterPull, page: str = "roster_pull") -> str:
    return reverse(f"interop:{page}", args=[ids.encode("roster_pull", row.pk)])


def _crumbs(*parts: tuple[str, str]) -> list[dict[str, str]]:
    trail = [(_("名册来源"), reverse("interop:roster_sources")), *parts]
    return [{"label": label, "url": url if (label, url) != trail[-1] else ""} for label, url in trail]


def _changed(pull: RosterPull, action: str) -> int | None:
    return pull.changes["person"][action] if pull.changes else None


@never_cache
@require_safe
def sources(request: HttpRequest) -> HttpResponseBase:
    """The systems from which rosters of one's branches are taken."""
    actor, now = actor_of(request), clock.now()
    rows = sources_seen(actor=actor, now=now)
    latest = latest_pulls(rows)
    new = Action(label=_("登记来源"), url=reverse("interop:add_roster_source"), icon="plus", is_primary=True)
    spec: ListSpec[RosterSource] = ListSpec(
        name="roster-sources",
        title=_("名册来源"),
        columns=(
            Column(key="name", title=_("名称"), value=lambda row: row.name, url=_source_url),
            Column(key="org", title=_("本机构"), value=lambda row: row.org.name),
            Column(key="mode", title=_("检查通过以后"), value=mode_short),
            Column(
                key="status",
                title=_("状态"),
                value=lambda row: source_status(row, latest.get(row.pk)),
                kind=CellKind.STATUS,
            ),
            Column(
                key="last",
                title=_("最近一次"),
                value=lambda row: latest[row.pk].begun_at if row.pk in latest else None,
                kind=CellKind.DATETIME,
            ),
            Column(
                key="next",
                title=_("下一次"),
                value=lambda row: None if row.is_paused else row.next_at,
                kind=CellKind.DATETIME,
            ),
        ),
        rows=lambda query: page_of(rows, lambda row: row, number=query.number, size=query.size),
        actions=(new,),
        empty=EmptyState(
            title=_("还没有名册来源"),
            text=_("登记学校或区县的教务系统（OneRoster 1.2），名册就按时从那里取来，不用再传文件。"),
            action=new,
            icon="refresh",
        ),
        note=_("取来的名册和上传的文件一样检查、一样显示差异、一样可以撤销。"),
    )
    return render_list(request, spec)


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def add_source(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    sources_seen(actor=actor, now=now)
    form = SourceForm(posted(request), orgs=branches_offered(actor=actor, now=now))

    def save() -> str:
        source_id = register_source(actor=actor, source=form.source(), now=now)
        messages.success(request, _("已登记。第一次是完整拉取。"))
        return reverse("interop:roster_source", args=[ids.encode("roster_source", source_id)])

    title = _("登记名册来源")
    lead = _("请向对方要服务网址、令牌网址、客户端编号和密钥。密钥加密保存，以后不再显示。")
    back = reverse("interop:roster_sources")
    return form_page(request, form, save, title=title, submit=_("登记"), back=back, lead=lead, breadcrumbs=_crumbs((title, "")))


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, source_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_source(actor=actor, id=ids.decode("roster_source", source_id), now=now)
    form = SourceForm(posted(request), orgs=branches_offered(actor=actor, now=now), row=row)

    def save() -> str:
        correct_source(actor=actor, source_id=row.pk, source=form.source(), now=now)
        messages.success(request, _("已保存。以后按您的权限拉取和写入。"))
        return _source_url(row)

    title = _("修改名册来源")
    lead = _("保存以后，您就是登记人：名册按您的权限写入，有事通知您。")
    crumbs = _crumbs((row.name, _source_url(row)), (title, ""))
    return form_page(request, form, save, title=title, submit=_("保存"), back=_source_url(row), lead=lead, breadcrumbs=crumbs)


@never_cache
@require_safe
def source(request: HttpRequest, source_id: str) -> HttpResponseBase:
    """One source: what is agreed with the other side, and every turn."""
    row = access_source(actor=actor_of(request), id=ids.decode("roster_source", source_id), now=clock.now())
    latest = pulls_of(row).first()
    spec: ListSpec[RosterPull] = ListSpec(
        name="roster-pulls",
        title=_("拉取记录"),
        columns=(
            Column(key="at", title=_("时间"), value=lambda pull: pull.begun_at, kind=CellKind.DATETIME, url=_pull_url),
            Column(key="kind", title=_("方式"), value=kind_word),
            Column(key="status", title=_("状态"), value=pull_status, kind=CellKind.STATUS),
            Column(
                key="read",
                title=_("读到的人员"),
                value=lambda pull: pull.counts.get("users"),
                kind=CellKind.NUMBER,
                help=_("对方告诉的人员行数"),
            ),
            Column(key="added", title=_("新增"), value=lambda pull: _changed(pull, "added"), kind=CellKind.NUMBER),
            Column(key="changed", title=_("修改"), value=lambda pull: _changed(pull, "changed"), kind=CellKind.NUMBER),
            Column(key="ended", title=_("离开"), value=lambda pull: _changed(pull, "ended"), kind=CellKind.NUMBER),
            Column(key="by", title=_("谁要的"), value=lambda pull: pull.asked_by or _("按时")),
        ),
        rows=lambda query: page_of(pulls_of(row), lambda pull: pull, number=query.number, size=query.size),
        empty=EmptyState(title=_("还没有拉取过"), text=_("点“立即拉取”开始第一次，它会取回全部名册。"), icon="refresh"),
    )
    context = {
        "title": row.name,
        "state": source_status(row, latest),
        "lead": str(PAUSES.get(row.pause_reason, "")) if row.is_paused else "",
        "facts": _facts(row),
        "actions": _actions(row, latest),
        "breadcrumbs": _crumbs((row.name, "")),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _facts(row: RosterSource) -> list[Fact]:
    every = _("只在有人要时") if not row.hours else _("每 %(hours)s 小时") % {"hours": row.hours}
    top = _("就是本机构") if row.is_same_top else _("挂在本机构下面")
    return [
        Fact(label=_("本机构"), value=row.org.name),
        Fact(label=_("服务网址"), value=row.address),
        Fact(label=_("客户端编号"), value=row.client_id),
        Fact(label=_("取哪些内容"), value=takes_words(row)),
        Fact(label=_("对方的最上级机构"), value=top),
        Fact(label=_("检查通过以后"), value=mode_short(row)),
        Fact(label=_("多久拉取一次"), value=every, help=_("每 %(days)s 天完整核对一次") % {"days": row.full_days}),
        Fact(label=_("上次完整核对"), value=row.full_at),
        Fact(label=_("登记人"), value=row.owner_name, help=_("名册按登记人的权限写入")),
    ]


def _actions(row: RosterSource, latest: RosterPull | None) -> list[Action]:
    actions = []
    if latest is not None and latest.status == PullStatus.WAITING:
        actions.append(Action(label=_("核对并写入"), url=_pull_url(latest), icon="checklist", is_primary=True))
    if latest is None or latest.ended_at is not None:
        pull = _source_url(row, "ask_roster_pull")
        actions.append(Action(label=_("立即拉取"), url=pull, icon="refresh", is_primary=True, is_post=True))
        full = _source_url(row, "ask_full_roster_pull")
        actions.append(Action(label=_("完整拉取"), url=full, icon="refresh-dot", is_post=True))
        actions.append(Action(label=_("修改"), url=_source_url(row, "correct_roster_source"), icon="edit"))
    if row.is_paused:
        actions.append(Action(label=_("恢复"), url=_source_url(row, "resume_roster_source"), icon="player-play", is_post=True))
    else:
        actions.append(Action(label=_("暂停"), url=_source_url(row, "pause_roster_source"), icon="player-pause", is_post=True))
    return actions


@sensitive_files(asked_by="export")
@never_cache
@require_safe
def pull(request: HttpRequest, pull_id: str) -> HttpResponseBase:
    """One turn: how many of what, what was left out, what was wrong with which object."""
    actor = actor_of(request)
    row = access_pull(actor=actor, id=ids.decode("roster_pull", pull_id), now=clock.now())
    spec: ListSpec[dict[str, str]] = ListSpec(
        name="roster-faults",
        title=_("不合标准的对象"),
        columns=(
            Column(key="resource", title=_("内容"), value=lambda fault: resource_words(fault["resource"])),
            Column(key="page", title=_("第几页"), value=lambda fault: int(fault["page"]), kind=CellKind.NUMBER),
            Column(key="id", title="sourcedId", value=lambda fault: fault["id"] or None),
            Column(key="field", title=_("字段"), value=lambda fault: fault["field"]),
            Column(key="value", title=_("对方写的"), value=lambda fault: fault["value"] or None),
            Column(key="reason", title=_("问题"), value=lambda fault: reason_words(fault["reason"])),
        ),
        rows=lambda query: page_of_rows(row.faults, number=query.number, size=query.size),
        on_export=lambda query, form: audit.record(
            actor=actor,
            action="interop.roster_faults_exported",
            target=f"roster_source:{row.source_id}",
            details={"pull_id": row.pk, "form": form},
        ),
        empty=EmptyState(title=_("没有不合标准的对象"), icon="circle-check"),
        note=_("共 %(count)s 处，这里列出前 %(shown)s 处。") % {"count": row.fault_count, "shown": len(row.faults)}
        if row.fault_count > len(row.faults)
        else "",
    )
    title = _("%(source)s的一次拉取") % {"source": row.source.name}
    context = {
        "title": title,
        "state": pull_status(row),
        "lead": error_words(row),
        "facts": _pull_facts(row, is_owner=actor.account_id is not None and actor.account_id == row.source.owner_account_id),
        "actions": _pull_actions(row),
        "breadcrumbs": _crumbs((row.source.name, _source_url(row.source)), (title, "")),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _pull_facts(row: RosterPull, *, is_owner: bool) -> list[Fact]:
    read = "、".join(f"{resource_words(name)} {count:,}" for name, count in row.counts.items() if name != "rows")
    facts = [
        Fact(label=_("方式"), value=kind_word(row)),
        Fact(label=_("开始"), value=row.begun_at),
        Fact(label=_("结束"), value=row.ended_at),
        Fact(label=_("读到"), value=read or None),
        Fact(label=_("没有写进名册的"), value=left_out_words(row) or None),
    ]
    if row.changes:
        people = row.changes["person"]
        words = _("新增 %(added)s，修改 %(changed)s，离开 %(ended)s") % {name: f"{people[name]:,}" for name in _CHANGES}
        facts.append(Fact(label=_("人员的变化"), value=words))
    if row.import_id is not None:
        link = reverse("front:import", args=[ids.encode("import", row.import_id)]) if is_owner else ""
        word = _("检查结果、差异、写入和撤销") if is_owner else _("由登记人 %(name)s 查看") % {"name": row.source.owner_name}
        facts.append(Fact(label=_("名册导入"), value=word, url=link))
    return facts


def _pull_actions(row: RosterPull) -> list[Action]:
    if row.status not in (PullStatus.FETCHING, PullStatus.WAITING):
        return []
    confirm = _("放弃以后，这次取来的什么也不写入。")
    drop = Action(
        label=_("放弃"), url=_pull_url(row, "drop_roster_pull"), icon="x", is_post=True, is_danger=True, confirm=confirm
    )
    if row.status == PullStatus.WAITING and row.import_id is not None:
        address = reverse("front:import", args=[ids.encode("import", row.import_id)])
        return [Action(label=_("核对并写入"), url=address, icon="checklist", is_primary=True), drop]
    return [drop]


@require_POST
def ask(request: HttpRequest, source_id: str, kind: str = "") -> HttpResponseBase:
    """Take the roster now: what changed, or everything."""
    wanted = PullKind(kind) if kind else None
    pk = ids.decode("roster_source", source_id)
    ask_pull(actor=actor_of(request), source_id=pk, kind=wanted, now=clock.now())
    messages.success(request, _("已经开始拉取。"))
    return redirect("interop:roster_source", source_id=source_id)


@require_POST
def pause(request: HttpRequest, source_id: str, is_paused: bool) -> HttpResponseBase:
    pk = ids.decode("roster_source", source_id)
    pause_source(actor=actor_of(request), source_id=pk, is_paused=is_paused, now=clock.now())
    messages.success(request, _("已暂停。") if is_paused else _("已恢复。"))
    return redirect("interop:roster_source", source_id=source_id)


@require_POST
def drop(request: HttpRequest, pull_id: str) -> HttpResponseBase:
    drop_pull(actor=actor_of(request), pull_id=ids.decode("roster_pull", pull_id), now=clock.now())
    messages.success(request, _("已放弃。"))
    return redirect("interop:roster_pull", pull_id=pull_id)
