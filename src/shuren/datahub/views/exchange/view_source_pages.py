"""Views of front databases: the list, one with its turns, what is read of it, and what an officer may do with it."""

from collections.abc import Callable
from datetime import datetime

from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.datahub.data import TlsMode, ViewRunKind
from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.rules.front_views.columns import ViewColumn, columns_in, taken_of
from shuren.datahub.rules.front_views.names import dataset_of
from shuren.datahub.selectors.exchange.nodes import access_exchange
from shuren.datahub.selectors.view_sources import (
    access_view_source,
    latest_view_runs,
    owners_offered,
    title_of_source,
    view_runs_of,
    view_sources,
)
from shuren.datahub.services.front_views.keep import (
    correct_view_source,
    describe_view_column,
    register_view_source,
    resume_view_source,
    set_view_reading,
    stop_view_source,
)
from shuren.datahub.services.front_views.runs import ask_view_run
from shuren.datahub.views.exchange.frame import crumbs, tabs
from shuren.datahub.views.exchange.view_forms import ColumnForm, ReadingForm, ViewSourceForm, column_title
from shuren.datahub.views.exchange.view_words import (
    KINDS,
    TLS,
    error_words,
    kind_words,
    named_with,
    run_status,
    seconds_of,
    source_status,
)
from shuren.datahub.views.words import FREQUENCIES, MASKS
from shuren.directory import api as directory
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of, page_of_rows, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListSpec
from shuren.standards import api as standards
from shuren.standards.data import MaskStyle


def source_address(row: ViewSource, page: str = "view_source") -> str:
    return reverse(f"datahub:{page}", args=[ids.encode("view_source", row.pk)])


def run_address(run: ViewRun) -> str:
    return reverse("datahub:view_run", args=[ids.encode("view_run", run.pk)])


def source_crumbs(title: str, row: ViewSource | None = None) -> list[dict[str, str]]:
    between = [(_("数据库视图"), reverse("datahub:view_sources"))]
    if row is not None:
        between.append((title_of_source(row), source_address(row)))
    return crumbs(title, between=tuple(between))


@never_cache
@require_safe
def view_list(request: HttpRequest) -> HttpResponseBase:
    """The views that are read."""
    access_exchange(actor=actor_of(request), now=clock.now())
    title = _("数据库视图")
    latest = latest_view_runs(view_sources())
    orgs = directory.orgs_by_ids(set(view_sources().values_list("org_id", flat=True)))
    new = Action(label=_("登记视图"), url=reverse("datahub:register_view_source"), icon="plus", is_primary=True)
    spec: ListSpec[ViewSource] = ListSpec(
        name="view_sources",
        title=title,
        columns=(
            Column(key="title", title=_("名称"), value=title_of_source, url=source_address),
            Column(key="dataset", title=_("数据集"), value=lambda row: dataset_of(row.key)),
            Column(key="org", title=_("提供单位"), value=lambda row: orgs[row.org_id].name if row.org_id in orgs else None),
            Column(key="state", title=_("状态"), value=lambda row: source_status(row, latest.get(row.pk)), kind=CellKind.STATUS),
            Column(key="landed", title=_("最近落库"), value=lambda row: row.landed_at, kind=CellKind.DATETIME),
            Column(key="next", title=_("下一次读取"), value=_next, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(view_sources(words=query.search), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(view_sources(words=query.search), lambda rows: rows),
        search_label=_("名称或代号"),
        empty=EmptyState(
            title=_("还没有登记视图"),
            text=_("民政、卫健、人社等部门在前置库里开放的只读视图，登记后按时读进数据湖。"),
            action=new,
            icon="database",
        ),
    )
    context = {"title": title, "tabs": tabs("view_sources"), "actions": [new], "breadcrumbs": crumbs(title)}
    return render_list(request, spec, template="front/detail.html", context=context)


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponseBase:
    """Write a view down; it is tried at once."""
    actor, now = actor_of(request), clock.now()
    access_exchange(actor=actor, now=now)
    form = ViewSourceForm(posted(request), orgs=owners_offered())

    def save() -> str:
        row = register_view_source(actor=actor, source=form.source(), now=now)
        ask_view_run(actor=actor, source_id=row.pk, kind=ViewRunKind.TRIAL, now=now)
        return source_address(row)

    title = _("登记视图")
    lead = _("适用于 PostgreSQL 和使用它的协议的数据库，如人大金仓 KingbaseES、openGauss。密码加密保存，以后不再显示。")
    back, done = reverse("datahub:view_sources"), _("已登记，正在试连。看到视图的列以后，请选择怎样读取。")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("登记并试连"),
        back=back,
        lead=lead,
        done=done,
        breadcrumbs=source_crumbs(title),
    )


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, source_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = _source(request, source_id)
    form = ViewSourceForm(posted(request), orgs=owners_offered(), row=row)

    def save() -> str:
        correct_view_source(actor=actor, source_id=row.pk, source=form.source(), now=now)
        return source_address(row)

    title = _("修改视图来源")
    lead = _("换了地方或视图，下一次从头读取并替换已落库的内容。")
    return _saving_page(request, form, save, row, title=title, lead=lead, done=_("已保存。"))


@never_cache
@require_safe
def source(request: HttpRequest, source_id: str) -> HttpResponseBase:
    """One view: where it is, what is read of it, and every turn."""
    row = _source(request, source_id)
    latest = view_runs_of(row).first()
    spec: ListSpec[ViewRun] = ListSpec(
        name="view_runs",
        title=_("读取记录"),
        columns=(
            Column(key="at", title=_("时间"), value=lambda run: run.begun_at, kind=CellKind.DATETIME, url=run_address),
            Column(key="kind", title=_("做什么"), value=lambda run: str(KINDS[ViewRunKind(run.kind)])),
            Column(key="state", title=_("状态"), value=run_status, kind=CellKind.STATUS),
            Column(key="rows", title=_("取到的行"), value=lambda run: run.rows, kind=CellKind.NUMBER),
            Column(key="seconds", title=_("用时（秒）"), value=seconds_of, kind=CellKind.NUMBER),
            Column(key="error", title=_("出了什么问题"), value=lambda run: error_words(run) or None),
        ),
        rows=lambda query: page_of(view_runs_of(row), lambda run: run, number=query.number, size=query.size),
        stream=lambda query: stream_of(view_runs_of(row), lambda rows: rows),
        empty=EmptyState(title=_("还没有读取过"), text=_("先试连，看到视图的列以后选择怎样读取。"), icon="refresh"),
    )
    context = {
        "title": title_of_source(row),
        "state": source_status(row, latest),
        "facts": _facts(row),
        "actions": _actions(row, latest),
        "breadcrumbs": source_crumbs(title_of_source(row)),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _facts(row: ViewSource) -> list[Fact]:
    org = directory.orgs_by_ids([row.org_id]).get(row.org_id)
    taken = taken_of(columns_in(row.columns))
    words = "、".join(column_title(one) for one in taken)
    cursor = row.cursor_column or _("没有，每次读取整个视图")
    return [
        Fact(label=_("数据集"), value=dataset_of(row.key), help=_("在数据湖里的名称。")),
        Fact(label=_("提供单位"), value=org.name if org is not None else None),
        Fact(label=_("视图的名称"), value=f"{row.schema}.{row.view}"),
        Fact(label=_("前置库"), value=f"{row.host}:{row.port}/{row.database}", help=str(TLS[TlsMode(row.tls)])),
        Fact(
            label=_("取的列"),
            value=words or None,
            url=source_address(row, "view_columns") if row.columns else "",
            help="" if taken else _("试连以后在“怎样读取”里选。"),
        ),
        Fact(label=_("主键列"), value="、".join(row.key_columns) or None),
        Fact(label=_("机构代码列"), value=row.org_column or _("没有，全部归提供单位")),
        Fact(label=_("增量列"), value=cursor),
        Fact(label=_("多久读取一次"), value=str(FREQUENCIES[row.every_minutes]) if row.every_minutes else _("只在有人要时")),
        Fact(label=_("视图的行数"), value=row.known_rows, help=_("上一次落库时。")),
        Fact(label=_("最近落库"), value=row.landed_at),
        Fact(label=_("下一次读取"), value=_next(row)),
    ]


def _actions(row: ViewSource, latest: ViewRun | None) -> list[Action]:
    actions = []
    is_open = latest is not None and latest.ended_at is None
    held = row.runs.filter(state="held").order_by("-pk").first() if row.is_held else None
    if held is not None:
        actions.append(Action(label=_("查看变化"), url=run_address(held), icon="checklist", is_primary=True))
    if not is_open and row.columns:
        is_first = not row.key_columns
        url = source_address(row, "view_reading")
        actions.append(Action(label=_("怎样读取"), url=url, icon="adjustments-horizontal", is_primary=is_first and held is None))
    if not is_open and row.key_columns and not row.is_stopped and not row.is_held:
        url = source_address(row, "read_view_source")
        actions.append(Action(label=_("立即读取"), url=url, icon="refresh", is_primary=True, is_post=True))
    if not is_open:
        actions.append(Action(label=_("试连"), url=source_address(row, "try_view_source"), icon="link", is_post=True))
        actions.append(Action(label=_("修改登记"), url=source_address(row, "correct_view_source"), icon="edit"))
    if row.is_stopped:
        url = source_address(row, "resume_view_source")
        actions.append(Action(label=_("恢复"), url=url, icon="player-play", is_post=True))
    else:
        url = source_address(row, "stop_view_source")
        sure = _("停用后不再读取，已落库的数据留着。要停用吗？")
        stop = Action(label=_("停用"), url=url, icon="player-pause", is_post=True, is_danger=True, confirm=sure)
        actions.append(stop)
    return actions


@never_cache
@require_http_methods(["GET", "POST"])
def reading(request: HttpRequest, source_id: str) -> HttpResponseBase:
    """Which columns are taken, by which key, and how often."""
    actor, now = actor_of(request), clock.now()
    row = _source(request, source_id)
    form = ReadingForm(posted(request), row=row)

    def save() -> str:
        set_view_reading(actor=actor, source_id=row.pk, reading=form.reading(), now=now)
        return source_address(row, "view_columns")

    title = _("怎样读取")
    lead = _("换了要取的列、主键、增量列或机构代码列，下一次从头读取并替换已落库的内容。")
    return _saving_page(request, form, save, row, title=title, lead=lead, done=_("已保存。请逐列写明数据项或等级。"))


@never_cache
@require_safe
def columns(request: HttpRequest, source_id: str) -> HttpResponseBase:
    """The columns of a view and what each is in the lake."""
    row = _source(request, source_id)
    numbered = list(enumerate(columns_in(row.columns)))
    title = _("视图的列")
    spec: ListSpec[tuple[int, ViewColumn]] = ListSpec(
        name="view_columns",
        title=title,
        columns=(
            Column(key="name", title=_("视图里的列"), value=lambda one: one[1].name, url=lambda one: _column_address(row, *one)),
            Column(key="type", title=_("类型"), value=lambda one: named_with(kind_words(one[1].kind), one[1].type)),
            Column(key="taken", title=_("取不取"), value=lambda one: _("取") if one[1].is_taken else _("不取")),
            Column(key="lake", title=_("在数据湖里的列名"), value=lambda one: one[1].lake),
            Column(key="title", title=_("列的名称"), value=lambda one: _element_title(one[1]) or None),
            Column(key="element", title=_("数据项"), value=lambda one: one[1].element or None),
            Column(key="grade", title=_("等级"), value=lambda one: _grade(one[1])),
            Column(key="mask", title=_("给无权的人看什么"), value=lambda one: _mask(one[1])),
        ),
        rows=lambda query: page_of_rows(numbered, number=query.number, size=query.size),
        stream=lambda query: numbered,
        empty=EmptyState(title=_("还不知道视图有哪些列"), text=_("请先试连。"), icon="database"),
    )
    choose = Action(label=_("怎样读取"), url=source_address(row, "view_reading"), icon="adjustments-horizontal")
    context = {"title": title, "actions": [choose] if row.columns else [], "breadcrumbs": source_crumbs(title, row)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_http_methods(["GET", "POST"])
def column(request: HttpRequest, source_id: str, number: int) -> HttpResponseBase:
    """What a column is: its data element, or title, grade and mask."""
    actor, now = actor_of(request), clock.now()
    row = _source(request, source_id)
    found = columns_in(row.columns)
    if number >= len(found):
        raise NotFound(_("视图里没有这一列。"))
    one = found[number]
    names = ("lake", "element", "title_zh", "title_en", "grade", "mask")
    form = ColumnForm(posted(request), initial={name: getattr(one, name) for name in names})

    def save() -> str:
        describe_view_column(actor=actor, source_id=row.pk, name=one.name, words=form.words(), now=now)
        return source_address(row, "view_columns")

    title = _("列“%(name)s”") % {"name": one.name}
    lead = _("没有数据项的列，请写名称、等级和脱敏方式。换了列名或数据项，下一次从头读取。")
    return _saving_page(request, form, save, row, title=title, lead=lead, done=_("已保存。"), back="view_columns")


@require_POST
def stop(request: HttpRequest, source_id: str) -> HttpResponseBase:
    """Read no more of it."""
    stop_view_source(actor=actor_of(request), source_id=ids.decode("view_source", source_id), now=clock.now())
    return redirect("datahub:view_source", source_id=source_id)


@require_POST
def resume(request: HttpRequest, source_id: str) -> HttpResponseBase:
    """Go on with it."""
    resume_view_source(actor=actor_of(request), source_id=ids.decode("view_source", source_id), now=clock.now())
    return redirect("datahub:view_source", source_id=source_id)


def _saving_page(
    request: HttpRequest,
    form: Form,
    save: Callable[[], str],
    row: ViewSource,
    *,
    title: str,
    lead: str,
    done: str,
    back: str = "view_source",
) -> HttpResponseBase:
    """A form about a view that is known; `back` names the page of it that one returns to."""
    url, way = source_address(row, back), source_crumbs(title, row)
    return form_page(request, form, save, title=title, submit=_("保存"), back=url, lead=lead, done=done, breadcrumbs=way)


def _source(request: HttpRequest, source_id: str) -> ViewSource:
    return access_view_source(actor=actor_of(request), id=ids.decode("view_source", source_id), now=clock.now())


def _next(row: ViewSource) -> datetime | None:
    return None if row.is_stopped or row.is_held else row.next_at


def _column_address(row: ViewSource, number: int, _column: ViewColumn) -> str:
    return reverse("datahub:view_column", args=[ids.encode("view_source", row.pk), number])


def _element_title(one: ViewColumn) -> str:
    return column_title(one) if one.title_zh else ""


def _grade(one: ViewColumn) -> str | None:
    if not one.is_taken:
        return None
    element = standards.known_element(one.element)
    return element.grade.value if element is not None else one.grade


def _mask(one: ViewColumn) -> str | None:
    if not one.is_taken:
        return None
    element = standards.known_element(one.element)
    return str(MASKS[element.mask if element is not None else MaskStyle(one.mask)])
