"""The delivery log and the figures of an app, for its vendor and for officers."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.directory.data import Permission
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.interop.data import DeliveryData, DeliveryStatus, UsageDay
from shuren.interop.forms import EVENTS
from shuren.interop.models import App
from shuren.interop.selectors.apps import access_app, access_own_app, app_data
from shuren.interop.selectors.messages import deliveries_of, delivery_data, delivery_of
from shuren.interop.selectors.usage import usage_of
from shuren.interop.services.deliver import replay_delivery
from shuren.interop.services.emit import ping_app
from shuren.interop.services.webhook_keys import rotate_webhook_key
from shuren.interop.views.asked import app_id_in
from shuren.interop.views.developer_pages import app_url, tabs, trail
from shuren.interop.views.words import app_status, delivery_status
from shuren.kernel import clock, ids
from shuren.kernel.paging import Page, page_of
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListSpec


def messages_spec(row: App, replay_url: Callable[[DeliveryData], str], actions: tuple[Action, ...]) -> ListSpec[DeliveryData]:
    def again(found: DeliveryData) -> tuple[Action, ...]:
        if found.status is DeliveryStatus.WAITING:
            return ()
        return (Action(label=_("再发一次"), url=replay_url(found), icon="refresh", is_post=True),)

    return ListSpec(
        name="deliveries",
        title=row.name,
        columns=(
            Column(key="at", title=_("时间"), value=lambda line: line.created_at, kind=CellKind.DATETIME),
            Column(key="event", title=_("内容"), value=lambda line: str(EVENTS[line.event])),
            Column(key="id", title=_("消息编号"), value=lambda line: line.message_id),
            Column(key="status", title=_("状态"), value=lambda line: delivery_status(line.status), kind=CellKind.STATUS),
            Column(key="attempts", title=_("发了几次"), value=lambda line: line.attempts, kind=CellKind.NUMBER),
            Column(key="answer", title=_("对方回答"), value=lambda line: str(line.answer or line.error or "") or None),
            Column(key="next", title=_("下次发送"), value=_next, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(
            deliveries_of(row, status=query.filters.get("status", "")), delivery_data, number=query.number, size=query.size
        ),
        filters=(
            Filter(
                key="status",
                label=_("状态"),
                choices=tuple(Choice(value=status.value, label=delivery_status(status).text) for status in DeliveryStatus),
            ),
        ),
        empty=EmptyState(title=_("还没有消息"), text=_("订阅的事情发生后，消息会发到登记的网址，并记在这里。"), icon="send"),
        row_actions=again,
        actions=actions,
    )


def _next(line: DeliveryData) -> datetime | None:
    return line.next_at if line.status is DeliveryStatus.WAITING else None


@never_cache
@require_safe
def own_messages(request: HttpRequest, app_id: str) -> HttpResponseBase:
    row = access_own_app(actor=actor_of(request), id=app_id_in(app_id), now=clock.now())
    app = app_data(row)

    def replay_url(line: DeliveryData) -> str:
        return reverse("interop:replay_own_message", args=[app.public_id, line.public_id])

    confirm = _("新密钥只显示一次；旧密钥还能用 24 小时。要生成吗？")
    actions = (
        Action(label=_("生成新密钥"), url=app_url(app, "webhook_key"), icon="key", is_post=True, confirm=confirm),
        Action(label=_("试发一条"), url=app_url(app, "ping"), icon="send", is_post=True),
    )
    context = {
        "title": app.name,
        "state": app_status(app),
        "breadcrumbs": trail(app, _("消息")),
        "tabs": tabs(app, "own_messages"),
        "actions": actions,
    }
    return render_list(request, messages_spec(row, replay_url, actions), template="front/detail.html", context=context)


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_POST
def webhook_key(request: HttpRequest, app_id: str) -> HttpResponseBase:
    """Make a key and show it, this once."""
    actor, now = actor_of(request), clock.now()
    app = app_data(access_own_app(actor=actor, id=app_id_in(app_id), now=now))
    context = {
        "title": _("“%(name)s”的消息签名密钥") % {"name": app.name},
        "secrets": [(_("签名密钥"), rotate_webhook_key(actor=actor, app_id=app.id, now=now))],
        "back": app_url(app, "own_messages"),
        "breadcrumbs": trail(app, _("消息")),
    }
    response = render(request, "interop/secret.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def ping(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_own_app(actor=actor, id=app_id_in(app_id), now=now)
    sent = ping_app(app_id=row.pk, now=now)
    if sent is None:
        messages.error(request, _("没有发送：应用还没有上架，或者没有登记消息通知网址。"))
    else:
        messages.success(request, _("已放进发送队列。"))
    return redirect("interop:own_messages", app_id=app_id)


@require_POST
def replay_own_message(request: HttpRequest, app_id: str, delivery_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_own_app(actor=actor, id=app_id_in(app_id), now=now)
    replay_delivery(actor=actor, delivery=delivery_of(row, ids.decode("delivery", delivery_id)), now=now)
    messages.success(request, _("已放进发送队列。"))
    return redirect("interop:own_messages", app_id=app_id)


@never_cache
@require_safe
def messages_of_app(request: HttpRequest, app_id: str) -> HttpResponseBase:
    """The log as an officer sees it."""
    row = access_app(actor=actor_of(request), id=app_id_in(app_id), permission=Permission.APPROVE_APPS, now=clock.now())
    app = app_data(row)

    def replay_url(line: DeliveryData) -> str:
        return reverse("interop:replay_message", args=[app.public_id, line.public_id])

    crumbs = [
        {"label": _("应用管理"), "url": reverse("interop:governed_apps")},
        {"label": app.name, "url": reverse("interop:governed_app", args=[app.public_id])},
        {"label": _("消息"), "url": ""},
    ]
    context = {"title": app.name, "state": app_status(app), "breadcrumbs": crumbs}
    return render_list(request, messages_spec(row, replay_url, ()), template="front/detail.html", context=context)


@require_POST
def replay_message(request: HttpRequest, app_id: str, delivery_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_app(actor=actor, id=app_id_in(app_id), permission=Permission.APPROVE_APPS, now=now)
    replay_delivery(actor=actor, delivery=delivery_of(row, ids.decode("delivery", delivery_id)), now=now)
    messages.success(request, _("已放进发送队列。"))
    return redirect("interop:messages_of_app", app_id=app_id)


def usage_spec(row: App) -> ListSpec[UsageDay]:
    found = usage_of(row.pk, until=clock.day_of(clock.now()))
    return ListSpec(
        name="usage",
        title=row.name,
        columns=(
            Column(key="day", title=_("日期"), value=lambda line: line.day, kind=CellKind.DATE),
            Column(key="launches", title=_("打开次数"), value=lambda line: line.launches, kind=CellKind.NUMBER),
            Column(key="users", title=_("使用人数"), value=lambda line: line.users, kind=CellKind.NUMBER),
            Column(key="calls", title=_("接口调用"), value=lambda line: line.calls, kind=CellKind.NUMBER),
            Column(key="errors", title=_("出错"), value=lambda line: line.errors, kind=CellKind.NUMBER),
            Column(key="refused", title=_("超出配额"), value=lambda line: line.refused, kind=CellKind.NUMBER),
            Column(key="p95", title=_("95% 快于（毫秒）"), value=lambda line: line.p95_ms, kind=CellKind.NUMBER, decimals=1),
        ),
        rows=lambda query: Page(
            rows=found[(query.number - 1) * query.size :][: query.size],
            total=len(found),
            is_exact=True,
            number=query.number,
            size=query.size,
        ),
        sizes=(30,),
    )


@never_cache
@require_safe
def own_usage(request: HttpRequest, app_id: str) -> HttpResponseBase:
    row = access_own_app(actor=actor_of(request), id=app_id_in(app_id), now=clock.now())
    app = app_data(row)
    context = {
        "title": app.name,
        "state": app_status(app),
        "lead": _("配额：每分钟 %(minute)d 次，每天 %(day)d 次。") % {"minute": app.quota_per_minute, "day": app.quota_per_day},
        "breadcrumbs": trail(app, _("使用情况")),
        "tabs": tabs(app, "own_usage"),
    }
    return render_list(request, usage_spec(row), template="front/detail.html", context=context)
