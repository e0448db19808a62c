"""Pages of those who run a draw, and of the independent party."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.casework.data import DefinitionKind, DefinitionStatus, DrawState
from shuren.casework.models import Definition, Draw
from shuren.casework.selectors.draw_results import drawn_rows, pool_facts
from shuren.casework.selectors.draws import (
    LOTTERY_ROLES,
    access_contribution,
    access_draw,
    access_run,
    drawable,
    draws_beside,
    draws_of,
    may_run,
    state_of,
)
from shuren.casework.services.draws.commit import PUBLIC_VALUE, commit_draw
from shuren.casework.services.draws.contribute import contribute_to_draw
from shuren.casework.services.draws.prepare import discard_draw, prepare_draw, prepare_lottery
from shuren.casework.services.draws.publish import publish_draw
from shuren.casework.services.draws.run import run_draw
from shuren.casework.views.draw_forms import Choices, CommitForm, ContributeForm, NewDrawForm, NewLotteryForm
from shuren.casework.views.draw_parts import facts_of, proposed_times, public_url, trail
from shuren.casework.views.draw_words import draw_status, line_of
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, ListSpec


def draw_url(draw: Draw) -> str:
    return reverse("casework:draw", args=[ids.encode("draw", draw.pk)])


@never_cache
@require_safe
def draws(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    rows = draws_of(actor=actor, now=now)
    spec: ListSpec[Draw] = ListSpec(
        name="draws",
        title=_("双随机抽查"),
        columns=(
            Column(key="title", title=_("名称"), value=lambda row: row.title, url=draw_url),
            Column(key="org", title=_("机构"), value=lambda row: row.org.name),
            Column(key="at", title=_("建立时间"), value=lambda row: row.made_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=lambda row: draw_status(row, now), kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(rows, lambda row: row, number=query.number, size=query.size),
        actions=_new_actions(actor, now),
        empty=EmptyState(
            title=_("还没有抽查"), text=_("从登记的对象和人员中随机抽取，谁都能重算，谁也不能操纵。"), icon="switch-horizontal"
        ),
    )
    return render_list(request, spec)


def _new_actions(actor: Actor, now: datetime) -> tuple[Action, ...]:
    found = [Action(label=_("公开的抽查"), url=reverse("casework:public_draws"), icon="eye")]
    if _lottery_orgs(actor, now) and _lottery_flows():
        found.append(Action(label=_("新建摇号"), url=reverse("casework:new_lottery"), icon="plus"))
    if drawable(actor=actor, now=now):
        found.append(Action(label=_("新建抽查"), url=reverse("casework:new_draw"), icon="plus", is_primary=True))
    return tuple(found)


@never_cache
@require_http_methods(["GET", "POST"])
def new_draw(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    kinds = drawable(actor=actor, now=now)
    if not kinds:
        raise NotFound(_("没有您可以抽查的事项。"))
    roles = {role for _row, spec in kinds for role in spec.run_by}
    choices = [(row.key, str(spec.title)) for row, spec in kinds]
    form = NewDrawForm(posted(request), kinds=choices, orgs=_org_choices(actor, roles, now))

    def save() -> str:
        told = form.cleaned_data
        org_id = ids.decode("org", told["org"])
        return draw_url(prepare_draw(actor=actor, key=told["definition"], org_id=org_id, title=told["title"], now=now))

    lead = _("先从登记中取出名单。公布承诺以前，这里的一切都可以删掉重来。")
    title = _("新建抽查")
    way = trail((title, ""))
    return form_page(request, form, save, title=title, submit=_("取名单"), back=_list_url(), lead=lead, breadcrumbs=way)


@never_cache
@require_http_methods(["GET", "POST"])
def new_lottery(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    orgs, flows = _lottery_orgs(actor, now), _lottery_flows()
    if not orgs:
        raise NotFound(_("没有您可以摇号的机构。"))
    form = NewLotteryForm(posted(request), flows=flows, orgs=orgs)

    def save() -> str:
        told = form.cleaned_data
        draw = prepare_lottery(
            actor=actor,
            flow=told["flow"],
            stage=told["stage"],
            org_id=ids.decode("org", told["org"]),
            places=told["places"],
            title=told["title"],
            now=now,
        )
        return draw_url(draw)

    lead = _("名单里只有申请编号，没有姓名；全部申请排出次序，名额以外的按次序候补。")
    title = _("新建摇号")
    way = trail((title, ""))
    return form_page(request, form, save, title=title, submit=_("取名单"), back=_list_url(), lead=lead, breadcrumbs=way)


@never_cache
@require_safe
def draw(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    """Where a draw stands, what was frozen, what came out, and the one next step."""
    actor, now = actor_of(request), clock.now()
    row = access_draw(actor=actor, id=ids.decode("draw", draw_id), now=now)
    context = {
        "title": row.title,
        "state": draw_status(row, now),
        "lead": row.org.name,
        "steps": line_of(row),
        "facts": facts_of(row),
        "actions": _actions(row, actor, now),
        "pool": pool_facts(row),
        "rows": drawn_rows(row, with_cases=True),
        "beside": [{"draw": other, "status": draw_status(other, now), "url": public_url(other)} for other in draws_beside(row)],
        "breadcrumbs": trail((row.title, "")),
    }
    return render(request, "casework/draw.html", context)


def _actions(row: Draw, actor: Actor, now: datetime) -> list[Action]:
    number, state = ids.encode("draw", row.pk), state_of(row, now=now)
    found = []
    if state != DrawState.PREPARING:
        found.append(Action(label=_("公开页面"), url=public_url(row), icon="external-link"))
    if state == DrawState.COMMITTED and actor.person_id == row.contributor_person_id:
        url = reverse("casework:contribute_draw", args=[number])
        found.append(Action(label=_("提交第三方内容"), url=url, icon="send", is_primary=True))
    if not may_run(row, actor=actor, now=now):
        return found
    if state == DrawState.PREPARING:
        discard = reverse("casework:discard_draw", args=[number])
        question = _("删除后要重新取名单。确定删除？")
        found.append(Action(label=_("删除"), url=discard, icon="trash", is_post=True, is_danger=True, confirm=question))
        commit = reverse("casework:commit_draw", args=[number])
        found.append(Action(label=_("公布承诺"), url=commit, icon="lock", is_primary=True))
    if state == DrawState.CONTRIBUTED:
        run = reverse("casework:run_draw", args=[number])
        found.append(Action(label=_("抽取并公开"), url=run, icon="rotate", is_post=True, is_primary=True))
    if state == DrawState.DRAWN and row.definition_version_id is not None:
        publish = reverse("casework:publish_draw", args=[number])
        found.append(Action(label=_("下发检查"), url=publish, icon="send", is_post=True, is_primary=True))
    return found


@never_cache
@require_http_methods(["GET", "POST"])
def commit(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_run(actor=actor, id=ids.decode("draw", draw_id), now=now)
    form = CommitForm(posted(request), initial=proposed_times(now))

    def save() -> str:
        commit_draw(actor=actor, draw_id=row.pk, contributor=form.contributor(), now=now)
        messages.success(request, _("承诺已公布并存证。"))
        return draw_url(row)

    lead = _("公布后名单不能再改：系统生成密值并封存，名单和密值的摘要写进存证记录，然后才轮到第三方。")
    title, back = _("公布承诺"), draw_url(row)
    way = trail((row.title, back), (title, ""))
    return form_page(request, form, save, title=title, submit=title, back=back, lead=lead, breadcrumbs=way)


@never_cache
@require_http_methods(["GET", "POST"])
def contribute(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_contribution(actor=actor, id=ids.decode("draw", draw_id), now=now)
    form = ContributeForm(posted(request))
    told = row.statement["contributor"]
    lead = (
        _("请照实录入：%(what)s。提交后公开，不能更改。") % {"what": told["what"]}
        if told["kind"] == PUBLIC_VALUE
        else _("请自己想一段别人猜不到的文字或数字，例如掷 20 次骰子的点数。提交后公开，不能更改。")
    )

    def save() -> str:
        contribute_to_draw(actor=actor, draw_id=row.pk, value=form.cleaned_data["value"], now=now)
        messages.success(request, _("已提交并存证，谢谢。"))
        return draw_url(row)

    title, back = _("提交第三方内容"), draw_url(row)
    way = trail((row.title, back), (title, ""))
    return form_page(request, form, save, title=title, submit=_("提交，不再更改"), back=back, lead=lead, breadcrumbs=way)


@require_POST
def run(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = run_draw(actor=actor, draw_id=ids.decode("draw", draw_id), now=now)
    messages.success(request, _("已抽取，结果和密值已经公开。"))
    return redirect(draw_url(row))


@require_POST
def publish(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = publish_draw(actor=actor, draw_id=ids.decode("draw", draw_id), now=now)
    messages.success(request, _("检查任务正在下发给抽中的检查人员。"))
    return redirect(draw_url(row))


@require_POST
def discard(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    discard_draw(actor=actor_of(request), draw_id=ids.decode("draw", draw_id), now=clock.now())
    messages.success(request, _("已删除。"))
    return redirect(_list_url())


def _list_url() -> str:
    return reverse("casework:draws")


def _org_choices(actor: Actor, roles: set[Role], now: datetime) -> Choices:
    """The offices at which the actor may run it, each with its branch."""
    paths = directory.role_paths_of(actor=actor, roles=roles, now=now)
    found = directory.orgs_by_ids([int(path.rstrip("/").rpartition("/")[2]) for path in paths])
    return [(org.public_id, org.name) for org in found.values()]


def _lottery_orgs(actor: Actor, now: datetime) -> Choices:
    return _org_choices(actor, set(LOTTERY_ROLES), now)


def _lottery_flows() -> Choices:
    rows = Definition.objects.filter(
        kind=DefinitionKind.FLOW.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False
    )
    return [(row.key, row.title) for row in rows.order_by("key").only("key", "title_zh", "title_en")]
