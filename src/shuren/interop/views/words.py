"""Codes of interop in words and colours."""

from django.utils.translation import gettext_lazy as _

from shuren.interop.data import (
    AppData,
    AppStatus,
    DeliveryStatus,
    RunStatus,
    VendorStatus,
    VersionStatus,
)
from shuren.pages.data import Status
from shuren.standards.data import Grade

_APPS = {
    AppStatus.ACTIVE: (_("可用"), "good"),
    AppStatus.SUSPENDED: (_("已停用"), "bad"),
    AppStatus.LEAVING: (_("即将下架"), "warn"),
    AppStatus.DELISTED: (_("已下架"), "plain"),
}
_VERSIONS = {
    VersionStatus.DRAFT: (_("草稿"), "plain"),
    VersionStatus.SUBMITTED: (_("审核中"), "busy"),
    VersionStatus.RETURNED: (_("退回修改"), "warn"),
    VersionStatus.REFUSED: (_("没有通过"), "bad"),
    VersionStatus.APPROVED: (_("已通过"), "good"),
    VersionStatus.SUPERSEDED: (_("旧版本"), "plain"),
}
_VENDORS = {
    VendorStatus.PENDING: (_("等待审核"), "busy"),
    VendorStatus.APPROVED: (_("已通过"), "good"),
    VendorStatus.REFUSED: (_("没有通过"), "bad"),
}
_DELIVERIES = {
    DeliveryStatus.WAITING: (_("等待发送"), "busy"),
    DeliveryStatus.DELIVERED: (_("已送达"), "good"),
    DeliveryStatus.DEAD: (_("没有送达"), "bad"),
    DeliveryStatus.DROPPED: (_("不再发送"), "plain"),
}
_RUNS = {
    RunStatus.WAITING: (_("正在测试"), "busy"),
    RunStatus.PASSED: (_("全部通过"), "good"),
    RunStatus.FAILED: (_("有没通过的"), "bad"),
}
GRADES = {
    Grade.PUBLIC: _("公开"),
    Grade.INTERNAL: _("内部"),
    Grade.PERSONAL: _("个人信息"),
    Grade.SENSITIVE: _("敏感个人信息"),
}
STEPS = {
    "privacy": _("隐私政策"),
    "launch": _("打开应用"),
    "authorize": _("发起登录"),
    "state": _("核对 state"),
    "refused_sign_in": _("用户拒绝登录"),
    "keys": _("取公钥"),
    "lti_login": _("LTI 登录"),
    "logout": _("退出通知"),
    "message": _("收消息"),
    "forged_message": _("拒绝假消息"),
    "old_message": _("拒绝过期消息"),
}


def app_status(app: AppData) -> Status:
    if app.version_id is None and app.status is AppStatus.ACTIVE:
        return Status(text=str(_("未上架")), tone="plain")
    word, tone = _APPS[app.status]
    return Status(text=str(word), tone=tone)


def version_status(status: VersionStatus) -> Status:
    word, tone = _VERSIONS[status]
    return Status(text=str(word), tone=tone)


def vendor_status(status: VendorStatus) -> Status:
    word, tone = _VENDORS[status]
    return Status(text=str(word), tone=tone)


def delivery_status(status: DeliveryStatus) -> Status:
    word, tone = _DELIVERIES[status]
    return Status(text=str(word), tone=tone)


def run_status(status: RunStatus) -> Status:
    word, tone = _RUNS[status]
    return Status(text=str(word), tone=tone)
