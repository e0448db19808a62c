"""Where a person may go, from what their hats allow."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.directory.data import Permission
from shuren.identity.api import wardrobe


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the portal; one of `needs` opens it, none means everybody."""

    label: str | Promise
    url: str
    icon: str
    needs: frozenset[Permission] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the side navigation."""

    label: str
    url: str
    icon: str
    is_current: bool = False
    count: int = 0


_ACCOUNTS = frozenset({Permission.ISSUE_CREDENTIALS, Permission.MANAGE_SIGN_IN})
_IMPORTS = frozenset({Permission.IMPORT_ROSTER, Permission.IMPORT_RESULTS, Permission.INVITE_GUARDIANS})
# Everybody who belongs to the house: those who see orgs, and guardians, who see people.
_WORKING = frozenset({Permission.VIEW_ORGS, Permission.VIEW_PEOPLE})
PLACES = (
    Place(_("首页"), "/", "home"),
    Place(_("待办"), "/work/", "inbox", _WORKING),
    Place(_("办件"), "/cases/", "folder", frozenset({Permission.VIEW_CASES})),
    Place(_("我发起的"), "/cases/mine/", "send", _WORKING),
    Place(_("办事大厅"), "/hall/", "building-community"),
    Place(_("测评报告"), "/reports/", "chart-bar", frozenset({Permission.VIEW_REPORTS, Permission.VIEW_PUPIL_REPORTS})),
    Place(_("测评项目"), "/assessments/", "clipboard-list", frozenset({Permission.VIEW_ASSESSMENTS})),
    Place(_("课程"), "/courses/", "book", _WORKING),
    Place(_("学习记录"), "/records/", "school", frozenset({Permission.VIEW_STATEMENTS})),
    Place(_("数据采集"), "/collections/", "clipboard-check", frozenset({Permission.ISSUE_COLLECTIONS})),
    Place(_("统计报表"), "/statistics/", "report", frozenset({Permission.FILE_STATISTICS})),
    Place(_("一数一源"), "/data/sources/", "git-merge", frozenset({Permission.VIEW_QUALITY})),
    Place(_("数据质量"), "/data/quality/", "chart-dots", frozenset({Permission.VIEW_QUALITY})),
    Place(_("数据目录"), "/data/catalogue/", "database", frozenset({Permission.ISSUE_COLLECTIONS})),
    Place(_("数据查询"), "/data/workbench/", "table", frozenset({Permission.ISSUE_COLLECTIONS})),
    Place(_("开放数据"), "/data/open/", "lock-open", frozenset({Permission.OPEN_DATA})),
    Place(_("数据共享"), "/data/sharing/", "switch-horizontal", frozenset({Permission.ISSUE_COLLECTIONS})),
    Place(_("数据生命周期"), "/data/life-cycle/", "rotate", frozenset({Permission.ISSUE_COLLECTIONS})),
    Place(_("数据分级分类"), "/data/grades/", "shield-lock", frozenset({Permission.ISSUE_COLLECTIONS})),
    Place(_("机构"), "/orgs/", "building", frozenset({Permission.VIEW_ORGS})),
    Place(_("人员"), "/people/", "users", frozenset({Permission.VIEW_PEOPLE})),
    Place(_("台账"), "/registers/", "list-details", frozenset({Permission.VIEW_CASES})),
    Place(_("双随机抽查"), "/draws/", "dice", frozenset({Permission.DEFINE_CASEWORK})),
    Place(_("表单与流程"), "/definitions/", "forms", frozenset({Permission.DEFINE_CASEWORK})),
    Place(_("平台运行什么"), "/packs/", "package", frozenset({Permission.VIEW_CASES})),
    Place(_("数据标准"), "/standards/", "book-2"),
    Place(_("授权"), "/grants/", "shield-check", frozenset({Permission.GRANT_ROLES})),
    Place(_("个人信息同意"), "/consents/", "check", frozenset({Permission.VIEW_PUPIL_REPORTS})),
    Place(_("我的信息"), "/my-data/", "id", frozenset({Permission.VIEW_PUPIL_REPORTS})),
    Place(_("告知书"), "/consents/texts/", "file-text", frozenset({Permission.ANSWER_SUBJECTS})),
    Place(_("紧急查看"), "/break-glass/", "alert-triangle", frozenset({Permission.BREAK_GLASS, Permission.REVIEW_ACCESS})),
    Place(_("发放密码"), "/credentials/", "key", frozenset({Permission.ISSUE_CREDENTIALS})),
    Place(_("账号管理"), "/credentials/accounts/", "user-circle", _ACCOUNTS),
    Place(_("我的证书"), "/my-certificates/", "award"),
    Place(_("发放证书"), "/certificates/", "award", frozenset({Permission.ISSUE_CERTIFICATES})),
    Place(_("应用"), "/apps/", "layout-grid"),
    Place(_("应用审核"), "/app-review/", "checklist", frozenset({Permission.APPROVE_APPS})),
    Place(_("应用开发"), "/developer/", "adjustments-horizontal", frozenset({Permission.DEVELOP_APPS})),
    Place(_("数字证书"), "/digital-certificates/", "lock", frozenset({Permission.MANAGE_ORGS, Permission.MANAGE_KEYS})),
    Place(_("证书机构"), "/authorities/", "shield-check", frozenset({Permission.MANAGE_KEYS})),
    Place(_("家长绑定"), "/binding/", "user-plus", frozenset({Permission.INVITE_GUARDIANS})),
    Place(_("数据导入"), "/imports/", "file-import", _IMPORTS),
    Place(_("任务"), "/jobs/", "list-check", frozenset({Permission.VIEW_JOBS})),
    Place(_("登录要求"), "/sign-in-policy/", "shield-lock", frozenset({Permission.MANAGE_SIGN_IN})),
    Place(_("发件箱"), "/outbox/", "mail", frozenset({Permission.MANAGE_SIGN_IN})),
    Place(_("备份与恢复"), "/backups/", "archive", frozenset({Permission.MANAGE_SIGN_IN})),
    Place(_("审计"), "/audit/", "history", frozenset({Permission.VIEW_AUDIT})),
)


def navigation_of(request: HttpRequest) -> list[Entry]:
    """The places open to the signed-in person, the one they are in marked; costs no query."""
    held = wardrobe(request).permissions
    places = [place for place in PLACES if not place.needs or place.needs & held]
    # One place may lie within another: the innermost is where one is.
    current = max((place.url for place in places if _is_inside(request.path, place.url)), key=len, default="")
    return [Entry(str(place.label), place.url, place.icon, is_current=place.url == current) for place in places]


def _is_inside(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
