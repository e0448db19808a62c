"""What scopes mean, in words for the person who is asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.identity.rules.oauth.scopes import BADGE_SCOPES, ONEROSTER_SCOPES


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """One line of what an app asks for; `icon` as the front end names it."""

    text: str | Promise
    help: str | Promise
    icon: str


_CREDENTIALS, _PROFILE = BADGE_SCOPES
_ROSTER = ScopeLine(_("同步您能看到的机构、班级和人员"), _("只能看，不能改"), "users")
_DEMOGRAPHICS = ScopeLine(_("读取您能看到的人的出生日期和性别"), _("只能看，不能改"), "users")
_GRADES = ScopeLine(_("读取您能看到的成绩"), _("只能看，不能改"), "clipboard-list")
_MARKS = ScopeLine(_("写入和删除这个应用自己的成绩"), _("不能改平台的成绩"), "edit")
_RESOURCES = ScopeLine(_("读取学习资源目录"), _("只能看，不能改"), "list-details")
_ONEROSTER = (
    _ROSTER,
    _ROSTER,
    _DEMOGRAPHICS,
    _GRADES,
    _GRADES,
    _MARKS,
    _MARKS,
    _MARKS,
    _GRADES,
    _MARKS,
    _MARKS,
    _RESOURCES,
    _RESOURCES,
)
_LINES = {
    "openid": ScopeLine(_("确认是您本人"), _("只给这个应用一个编号，看不出您是谁"), "id"),
    "profile": ScopeLine(_("姓名"), _("用来称呼您"), "user"),
    "email": ScopeLine(_("邮箱"), _("您在本平台登记的邮箱"), "mail"),
    "phone": ScopeLine(_("手机号"), _("您在本平台登记的手机号"), "bell"),
    "person_number": ScopeLine(_("个人编号"), _("只给上级或下级的树人平台，用来对上同一个人"), "id"),
    "org": ScopeLine(_("身份和所在单位"), _("例如：某校教师、某班学生"), "building"),
    "offline_access": ScopeLine(_("退出登录后仍可使用以上信息"), _("最长 90 天，可以随时收回"), "clock"),
    "directory.read": ScopeLine(_("查看您在本平台能看到的机构和人员"), _("只能看，不能改"), "users"),
    "assessments.read": ScopeLine(_("查看您在本平台能看到的测评"), _("只能看，不能改"), "clipboard-list"),
    _CREDENTIALS: ScopeLine(_("您的证书"), _("证书的内容，可以转交给别的平台查验"), "award"),
    _PROFILE: ScopeLine(_("证书上的姓名"), _("只有姓名"), "user"),
    "reports.read": ScopeLine(_("查看您在本平台能看到的测评报告"), _("只能看，不能改"), "chart-bar"),
    "registers.read": ScopeLine(_("查看您在本平台能看到的台账"), _("只能看，不含个人信息"), "list-details"),
    "registers.write": ScopeLine(_("登记和修改您管理的台账"), _("不含个人信息；每次修改都有记录"), "edit"),
    "statements/write": ScopeLine(_("记下您的学习经历"), _("只能添加，不能改写以前的"), "edit"),
    "statements/read/mine": ScopeLine(_("读取这个应用自己记下的学习经历"), _("看不到别的应用记下的"), "list-details"),
    "statements/read": ScopeLine(_("读取您的全部学习经历"), _("包括别的应用记下的"), "list-details"),
    "state": ScopeLine(_("保存和读取您的学习进度"), _("例如上次学到哪里"), "clock"),
    "define": ScopeLine(_("说明学习活动的名称和内容"), _("不含个人信息"), "clipboard-list"),
    "profiles": ScopeLine(_("保存和读取您的学习偏好"), _("例如字幕和语言"), "user"),
    "all/read": ScopeLine(_("读取您的全部学习经历、进度和学习资料"), _("只能看，不能改"), "list-details"),
    "all": ScopeLine(_("读写您的全部学习经历、进度和学习资料"), _("以前的学习经历不能改写"), "edit"),
    "scim.read": ScopeLine(_("同步您能看到的账号和单位"), _("只能看，不能改"), "users"),
    "scim.write": ScopeLine(_("开通、停用您管辖范围内的账号"), _("不能登记新的人，也不能看密码"), "users"),
    "scim.people": ScopeLine(_("登记工作人员和部门，修改姓名和联系方式"), _("只在您管理的单位里"), "users"),
    **dict(zip(ONEROSTER_SCOPES, _ONEROSTER, strict=True)),
}


def scope_choices(scopes: Iterable[str]) -> list[tuple[str, str]]:
    """Scopes with their meaning, for whoever registers a client."""
    return [(scope, f"{scope} · {_LINES[scope].text}" if scope in _LINES else scope) for scope in scopes]


def scope_lines(scopes: Iterable[str]) -> list[ScopeLine]:
    """Lines in the order above; a scope of somebody else's is named as it is."""
    asked = set(scopes)
    known = list(dict.fromkeys(line for scope, line in _LINES.items() if scope in asked))
    return known + [ScopeLine(scope, "", "key") for scope in sorted(asked - _LINES.keys())]
