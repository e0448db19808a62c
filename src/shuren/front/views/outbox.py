"""Messages to the outside, for whoever manages sign-in."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.directory.data import Permission
from shuren.front import selectors
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.errors import Refused
from shuren.kernel.paging import Page
from shuren.messaging import api as messaging
from shuren.messaging.data import Channel, OutboxData, OutboxState
from shuren.pages import api as pages
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status

_CHANNELS = {
    Channel.SMS: gettext_lazy("短信"),
    Channel.EMAIL: gettext_lazy("邮件"),
    Channel.WECOM: gettext_lazy("企业微信"),
    Channel.DINGTALK: gettext_lazy("钉钉"),
    Channel.WECHAT: gettext_lazy("微信"),
}
_STATES = {
    OutboxState.WAITING: (gettext_lazy("等待发送"), "plain"),
    OutboxState.SENT: (gettext_lazy("已发出"), "good"),
    OutboxState.RECORDED: (gettext_lazy("只记录，没有网关"), "warn"),
    OutboxState.FAILED: (gettext_lazy("没有发出"), "bad"),
}


@never_cache
@require_GET
def outbox(request: HttpRequest) -> HttpResponseBase:
    if not selectors.holds_everywhere(actor_of(request), Permission.MANAGE_SIGN_IN, now=clock.now()):
        raise Refused(_("只有系统管理员和安全管理员能查看发件箱。"))
    channels = tuple(Choice(value=key.value, label=str(name)) for key, name in _CHANNELS.items())
    states = tuple(Choice(value=key.value, label=str(word)) for key, (word, _tone) in _STATES.items())
    spec = ListSpec(
        name="outbox",
        title=_("发件箱"),
        columns=_columns(),
        rows=_rows,
        filters=(
            Filter(key="channel", label=_("渠道"), choices=channels),
            Filter(key="state", label=_("状态"), choices=states),
        ),
        sizes=(50, 100, 200),
        empty=EmptyState(title=_("还没有发过消息"), text=_("验证码和通知发出以后会列在这里。"), icon="mail"),
    )
    return pages.render_list(request, spec, context={"lead": _("发到平台以外的消息。收件人和数字都已遮住。")})


def _columns() -> tuple[Column[OutboxData], ...]:
    return (
        Column(key="at", title=_("时间"), value=lambda row: row.at, kind=CellKind.DATETIME),
        Column(key="channel", title=_("渠道"), value=lambda row: str(_CHANNELS[row.channel])),
        Column(key="to", title=_("收件人"), value=lambda row: row.to),
        Column(key="text", title=_("内容"), value=lambda row: row.text),
        Column(key="state", title=_("状态"), value=_state),
        Column(key="error", title=_("原因"), value=lambda row: row.error or None),
    )


def _state(row: OutboxData) -> Status:
    word, tone = _STATES[row.state]
    return Status(text=str(word), tone=tone)


def _rows(query: ListQuery) -> Page[OutboxData]:
    return messaging.outbox(
        channel=query.filters.get("channel", ""),
        state=query.filters.get("state", ""),
        number=query.number,
        size=query.size,
    )
