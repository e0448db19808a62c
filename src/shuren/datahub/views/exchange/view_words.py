"""What views of front databases and their turns are called on pages, and what is said of what went wrong."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import ColumnKind, TlsMode, ViewRunKind, ViewRunState
from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.rules.front_views.changes import CAME_EMPTY, COLUMN_LOST, SHRANK, TYPE_CHANGED, WENT_BACK
from shuren.pages.data import Status

TLS: Mapping[TlsMode, Promise] = {
    TlsMode.VERIFY: gettext_lazy("加密，并核对对方的证书"),
    TlsMode.ENCRYPT: gettext_lazy("加密，不核对证书（仅限列入的内网）"),
    TlsMode.PLAIN: gettext_lazy("不加密（仅限列入的内网）"),
}
KINDS: Mapping[ViewRunKind, Promise] = {ViewRunKind.READ: gettext_lazy("读取"), ViewRunKind.TRIAL: gettext_lazy("试连")}
STATES: Mapping[ViewRunState, tuple[Promise, str]] = {
    ViewRunState.OPEN: (gettext_lazy("正在进行"), "busy"),
    ViewRunState.LANDED: (gettext_lazy("已落库"), "good"),
    ViewRunState.UNCHANGED: (gettext_lazy("没有变化"), "good"),
    ViewRunState.TRIED: (gettext_lazy("试过，没有落库"), "plain"),
    ViewRunState.HELD: (gettext_lazy("等待确认"), "warn"),
    ViewRunState.CONFIRMED: (gettext_lazy("变化已确认"), "plain"),
    ViewRunState.FAILED: (gettext_lazy("没有读成"), "bad"),
    ViewRunState.DROPPED: (gettext_lazy("已放弃"), "plain"),
}
COLUMN_KINDS: Mapping[ColumnKind, Promise] = {
    ColumnKind.TEXT: gettext_lazy("文字"),
    ColumnKind.INTEGER: gettext_lazy("整数"),
    ColumnKind.DECIMAL: gettext_lazy("小数"),
    ColumnKind.NUMBER: gettext_lazy("浮点数"),
    ColumnKind.BOOLEAN: gettext_lazy("是否"),
    ColumnKind.DATE: gettext_lazy("日期"),
    ColumnKind.MOMENT: gettext_lazy("时间"),
    ColumnKind.INSTANT: gettext_lazy("时间（带时区）"),
}
CHANGES: Mapping[str, Promise] = {
    COLUMN_LOST: gettext_lazy("少了一列"),
    TYPE_CHANGED: gettext_lazy("列的类型变了"),
    SHRANK: gettext_lazy("行数少了一半以上"),
    CAME_EMPTY: gettext_lazy("视图空了"),
    WENT_BACK: gettext_lazy("增量列的最大值变小了"),
}
_ERRORS: Mapping[str, Promise] = {
    "no_driver": gettext_lazy("本平台没有装 PostgreSQL 驱动（安装时加上 postgres 一项）。"),
    "address": gettext_lazy("这个地址不能连接。内网地址请系统管理员先列入 SHUREN_PRIVATE_TARGETS。"),
    "no_connection": gettext_lazy("连不上对方的数据库。请核对主机、端口、库名、用户名、密码和加密方式。"),
    "login": gettext_lazy("对方没有让登录。请核对库名、用户名和密码。"),
    "no_view": gettext_lazy("对方的库里没有这个视图。请核对模式名和视图名。"),
    "no_column": gettext_lazy("视图里没有要取的列。请先试连。"),
    "no_right": gettext_lazy("这个用户没有读视图的权限。请对方授予查询权限。"),
    "not_read_only": gettext_lazy("视图要在对方的库里写数据，只读方式读不了。请对方改正视图。"),
    "too_slow": gettext_lazy("对方答得太慢，超过了时限。请对方优化视图，或选一列作增量列。"),
    "too_much": gettext_lazy("一次超过了五百万行或 2 GB，没有落库。请选一列作增量列，或请对方把视图拆小。"),
    "encoding": gettext_lazy("对方的文字不是 UTF-8，也没有声明自己的编码。"),
    "broken": gettext_lazy("对方的数据库在读取时出了错。会按时再读；一直如此请对方查日志。"),
    "nothing_chosen": gettext_lazy("还没有选出要取的列。"),
    "misfits": gettext_lazy("有的值与列的类型或代码集不符，什么也没有落库。请对方改正后再读。"),
    "double_keys": gettext_lazy("主键列有空值或重复。请改选主键列，或请对方改正。"),
    "no_orgs": gettext_lazy("所有行的机构代码都不认识，什么也没有落库。请核对机构代码列。"),
    "lake": gettext_lazy("数据湖没有收下：有一列的数据项另有唯一来源，或数据集的定义不合规。"),
}
_LEFT_OUT: Mapping[str, Promise] = {
    "unknown_org": gettext_lazy("机构代码不认识的"),
    "no_cursor": gettext_lazy("增量列是空的"),
}


def run_status(run: ViewRun) -> Status:
    word, tone = STATES[ViewRunState(run.state)]
    return Status(text=str(word), tone=tone)


def source_status(source: ViewSource, latest: ViewRun | None) -> Status:
    if source.is_stopped:
        return Status(text=_("已停用"), tone="bad")
    if source.is_held:
        return Status(text=_("有变化，等待确认"), tone="warn")
    return run_status(latest) if latest is not None else Status(text=_("还没有读取过"))


def error_words(run: ViewRun) -> str:
    return str(_ERRORS.get(run.error, run.error))


def left_out_words(run: ViewRun) -> str:
    return "；".join(
        _("%(what)s %(count)s 行") % {"what": _LEFT_OUT[what], "count": f"{count:,}"} for what, count in run.left_out.items()
    )


def misfit_words(run: ViewRun) -> str:
    return "；".join(
        _("%(column)s %(count)s 个") % {"column": name, "count": f"{count:,}"} for name, count in run.misfits.items()
    )


def change_words(change: Mapping[str, Any]) -> str:
    return str(CHANGES[change["change"]])


def kind_words(kind: str) -> str:
    return str(COLUMN_KINDS[ColumnKind(kind)]) if kind else _("这种类型不能取")


def named_with(name: str, more: str) -> str:
    return _("%(name)s（%(more)s）") % {"name": name, "more": more}


def seconds_of(run: ViewRun) -> int | None:
    return round((run.ended_at - run.begun_at).total_seconds()) if run.ended_at is not None else None
