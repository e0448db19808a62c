"""What roles and devices are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory.data import Role
from shuren.identity.data import (
    AccountState,
    BatchReach,
    LeftOutReason,
    Recipients,
    Requirement,
    RiskReason,
    SignInMethod,
    SleepReason,
    SlipForm,
)

ROLE_NAMES: dict[Role, str | Promise] = {
    Role.PUPIL: gettext_lazy("学生"),
    Role.PARENT: gettext_lazy("家长"),
    Role.TEACHER: gettext_lazy("教师"),
    Role.CLASS_TEACHER: gettext_lazy("班主任"),
    Role.HEAD: gettext_lazy("校长"),
    Role.SCHOOL_ADMIN: gettext_lazy("学校管理员"),
    Role.STAFF: gettext_lazy("职工"),
    Role.COUNTY_OFFICER: gettext_lazy("区县教育管理员"),
    Role.CITY_OFFICER: gettext_lazy("市级教育管理员"),
    Role.PROVINCE_OFFICER: gettext_lazy("省级教育管理员"),
    Role.EXPERT: gettext_lazy("专家"),
    Role.VENDOR: gettext_lazy("应用厂商"),
    Role.SYSTEM_ADMIN: gettext_lazy("系统管理员"),
    Role.SECURITY_ADMIN: gettext_lazy("安全管理员"),
    Role.AUDIT_ADMIN: gettext_lazy("审计管理员"),
}

RECIPIENT_NAMES: dict[Recipients, str | Promise] = {
    Recipients.PUPILS: gettext_lazy("学生"),
    Recipients.PARENTS: gettext_lazy("家长"),
    Recipients.STAFF: gettext_lazy("教职工"),
}

REACH_NAMES: dict[BatchReach, str | Promise] = {
    BatchReach.NEW: gettext_lazy("从来没有发过密码的人"),
    BatchReach.UNUSED: gettext_lazy("还没有登录过的人（发过的密码作废）"),
    BatchReach.ALL: gettext_lazy("所有人（原来的密码都作废，已登录的设备都退出）"),
}

FORM_NAMES: dict[SlipForm, str | Promise] = {
    SlipForm.ENVELOPES: gettext_lazy("密封信：每人一张，折成三折封好"),
    SlipForm.SLIPS: gettext_lazy("密码条：每页八张，剪开发放"),
}

LEFT_OUT_NAMES: dict[LeftOutReason, str | Promise] = {
    LeftOutReason.SELF: gettext_lazy("是您本人：请在“我的账号”里修改密码"),
    LeftOutReason.OUTSIDE: gettext_lazy("不在您可以发放的范围里：请本单位管理员发放"),
    LeftOutReason.HELD: gettext_lazy("账号被停用：请先唤醒"),
    LeftOutReason.ERASED: gettext_lazy("账号已经注销"),
    LeftOutReason.WIDER_DUTIES: gettext_lazy("在您管辖以外还有职务：请上级单位发放"),
}

STATE_NAMES: dict[AccountState, str | Promise] = {
    AccountState.ASLEEP: gettext_lazy("休眠"),
    AccountState.NEVER_HANDED_OUT: gettext_lazy("从未发放密码"),
    AccountState.LOCKED: gettext_lazy("已锁定"),
}

SLEEP_NAMES: dict[SleepReason, str | Promise] = {
    SleepReason.LEFT: gettext_lazy("休眠：已离开"),
    SleepReason.UNUSED: gettext_lazy("休眠：长期不用"),
    SleepReason.HELD: gettext_lazy("休眠：由管理员停用"),
    SleepReason.SUSPENDED: gettext_lazy("休眠：由对接系统停用"),
    SleepReason.MERGED: gettext_lazy("已并入另一账号"),
    SleepReason.ERASED: gettext_lazy("已注销"),
}

METHOD_NAMES: dict[SignInMethod, str | Promise] = {
    SignInMethod.PASSWORD: gettext_lazy("密码"),
    SignInMethod.PASSKEY: gettext_lazy("通行密钥"),
    SignInMethod.TOTP: gettext_lazy("验证器应用"),
    SignInMethod.RECOVERY_CODE: gettext_lazy("备用码"),
    SignInMethod.SMS_CODE: gettext_lazy("短信验证码"),
    SignInMethod.EMAIL_CODE: gettext_lazy("邮件验证码"),
    SignInMethod.QR: gettext_lazy("手机扫码"),
    SignInMethod.PICTURE: gettext_lazy("图片"),
    SignInMethod.WECOM: gettext_lazy("企业微信"),
    SignInMethod.DINGTALK: gettext_lazy("钉钉"),
    SignInMethod.WECHAT: gettext_lazy("微信"),
    SignInMethod.CERTIFICATE: gettext_lazy("数字证书"),
    SignInMethod.UPSTREAM: gettext_lazy("上级平台"),
}
RISK_NAMES: dict[RiskReason, str | Promise] = {
    RiskReason.NEW_DEVICE: gettext_lazy("新设备"),
    RiskReason.NEW_NETWORK: gettext_lazy("新网络"),
    RiskReason.MANY_FAILURES: gettext_lazy("之前多次输错"),
    RiskReason.IMPOSSIBLE_SPEED: gettext_lazy("短时间内相距太远"),
}
REQUIREMENT_NAMES: dict[Requirement, str | Promise] = {
    Requirement.RISK: gettext_lazy("有异常时才再验证"),
    Requirement.SECOND: gettext_lazy("每次都要第二种方式"),
    Requirement.CRYPTOGRAPHIC: gettext_lazy("必须登记通行密钥"),
}

PICTURE_NAMES: dict[str, str | Promise] = {
    "cat": gettext_lazy("小猫"),
    "dog": gettext_lazy("小狗"),
    "fish": gettext_lazy("小鱼"),
    "apple": gettext_lazy("苹果"),
    "car": gettext_lazy("汽车"),
    "ball-football": gettext_lazy("足球"),
    "star": gettext_lazy("星星"),
    "flower": gettext_lazy("小花"),
    "umbrella": gettext_lazy("雨伞"),
    "rocket": gettext_lazy("火箭"),
    "cake": gettext_lazy("蛋糕"),
    "bike": gettext_lazy("自行车"),
}

_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


def role_name(role: Role | str) -> str:
    """The role in the reader's language."""
    return str(ROLE_NAMES[Role(role)])


def method_name(method: SignInMethod) -> str:
    """What somebody showed to come in, in the reader's language."""
    return str(METHOD_NAMES[method])


def risk_name(reason: RiskReason | str) -> str:
    """What was unusual, in the reader's language."""
    return str(RISK_NAMES[RiskReason(reason)])


def picture_name(picture: str) -> str:
    """A picture of the picture password, in the reader's language."""
    return str(PICTURE_NAMES[picture])


def device_name(agent: str) -> str:
    """`Windows · Edge` from a browser's user agent; a guess, for its owner to recognise."""
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    return " · ".join(filter(None, (system, browser))) or _("其他设备")
