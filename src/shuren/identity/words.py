"""What roles and devices are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory.data import Role

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


def device_name(agent: str) -> str:
    """`Windows · Edge` from a browser's user agent; a guess, for its owner to recognise."""
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    return " · ".join(filter(None, (system, browser))) or _("其他设备")
