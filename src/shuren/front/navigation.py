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


PLACES = (
    Place(_("首页"), "/", "home"),
    Place(_("测评报告"), "/reports/", "chart-bar", frozenset({Permission.VIEW_REPORTS, Permission.VIEW_PUPIL_REPORTS})),
    Place(_("测评项目"), "/assessments/", "clipboard-list", frozenset({Permission.VIEW_ASSESSMENTS})),
    Place(_("机构"), "/orgs/", "building", frozenset({Permission.VIEW_ORGS})),
    Place(_("人员"), "/people/", "users", frozenset({Permission.VIEW_PEOPLE})),
    Place(_("授权"), "/grants/", "shield-check", frozenset({Permission.GRANT_ROLES})),
    Place(_("发放密码"), "/credentials/", "key", frozenset({Permission.ISSUE_CREDENTIALS})),
    Place(_("数据导入"), "/imports/", "file-import", frozenset({Permission.IMPORT_ROSTER, Permission.IMPORT_RESULTS})),
    Place(_("任务"), "/jobs/", "list-check", frozenset({Permission.VIEW_JOBS})),
    Place(_("审计"), "/audit/", "history", frozenset({Permission.VIEW_AUDIT})),
)


def navigation_of(request: HttpRequest) -> list[Entry]:
    """The places open to the signed-in person, the one they are in marked; costs no query."""
    held = wardrobe(request).permissions
    return [
        Entry(str(place.label), place.url, place.icon, is_current=_is_inside(request.path, place.url))
        for place in PLACES
        if not place.needs or place.needs & held
    ]


def _is_inside(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
