"""Handing out first passwords, branch by branch."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission, PersonData, Role
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import AccountData, Purpose, Slip
from shuren.identity.selectors.accounts import accounts_of_people
from shuren.identity.services.credentials import issue_credentials
from shuren.identity.views.branches import BranchWalk, page_of_some, ticked
from shuren.kernel import clock
from shuren.kernel.doors import sensitive_files
from shuren.kernel.paging import Page
from shuren.pages import api as pages
from shuren.pages.data import Action, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status

_WHO = {"pupils": gettext_lazy("学生"), "parents": gettext_lazy("家长"), "staff": gettext_lazy("教职工")}
_STAFF = frozenset(Role) - {Role.PUPIL, Role.PARENT}
_MAX_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who may be given a first password."""

    public_id: str
    name: str
    number: str
    account: AccountData | None


_WALK = BranchWalk(
    permission=Permission.ISSUE_CREDENTIALS,
    page="identity:credentials_of_org",
    template="identity/credentials.html",
    refusal=gettext_lazy("您当前的身份不能发放密码。"),
    remedy=gettext_lazy("请联系学校管理员或上级教育局。"),
)


@never_cache
@require_GET
def credentials(request: HttpRequest) -> HttpResponse:
    """Start at the top of the first branch where the actor may hand out passwords."""
    return _WALK.begin(request)


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def credentials_of_org(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """Who of a branch may be given a password."""
    org = _WALK.access(actor_of(request), org_id)
    return _WALK.show(request, org, _spec(org))


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@never_cache
@require_POST
def issue(request: HttpRequest, org_id: str, form: str) -> HttpResponseBase:
    """Hand out passwords to the ticked people, as a page to print, a workbook, CSV or PDF."""
    actor, now = actor_of(request), clock.now()
    org = _WALK.access(actor, org_id)
    slips = issue_credentials(actor=actor, person_ids=ticked(request), now=now)
    response = _answer(request, form, org, slips)
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, form: str, org: OrgData, slips: list[Slip]) -> HttpResponseBase:
    title = _("%(org)s初始密码") % {"org": org.short_name or org.name}
    header = [_("姓名"), _("个人编号"), _("用户名"), _("初始密码")]
    rows = [[slip.name, slip.number, slip.username, slip.password] for slip in slips]
    if form == "xlsx":
        return pages.workbook_response(title, [pages.Sheet(title, header, rows, widths=(14, 20, 20, 28))])
    if form == "csv":
        return pages.csv_response(title, header, rows)
    context = {"title": title, "org": org, "slips": slips, "site": request.build_absolute_uri("/")}
    if form == "pdf":
        return pages.pdf_response(render_to_string("identity/slips_print.html", context, request), title)
    return render(request, "identity/slips.html", context)


def _spec(org: OrgData) -> ListSpec[Candidate]:
    who = ["pupils", "parents"] if org.type is OrgType.CLASS else ["staff"]
    address = {form: reverse("identity:issue_credentials", args=[org.public_id, form]) for form in ("page", "xlsx", "csv", "pdf")}
    confirm = _("给选中的人发放新的初始密码？他们原来的密码会失效，已登录的设备会退出。")
    return ListSpec(
        name="credentials",
        title=_("发放初始密码"),
        columns=_columns(),
        rows=lambda query: _rows(org, query),
        filters=_filters(who),
        search_label=_("姓名或编号"),
        sizes=(50, 100, 200),
        row_id=lambda row: row.public_id,
        bulk=(
            Action(label=_("发放并打印密码条"), url=address["page"], icon="key", is_post=True, is_primary=True, confirm=confirm),
            Action(label=_("发放并下载 Excel"), url=address["xlsx"], icon="file-spreadsheet", is_post=True, confirm=confirm),
            Action(label=_("发放并下载 CSV"), url=address["csv"], icon="file-type-csv", is_post=True, confirm=confirm),
            Action(label=_("发放并下载 PDF"), url=address["pdf"], icon="file-type-pdf", is_post=True, confirm=confirm),
        ),
        empty=EmptyState(title=_("这里没有可以发放密码的人"), text=_("请在上面选择下级单位；学生和家长在班级里。"), icon="users"),
    )


def _filters(who: list[str]) -> tuple[Filter, ...]:
    choices = tuple(Choice(value=key, label=str(_WHO[key])) for key in who)
    return (Filter(key="who", label=_("人员"), choices=choices),) if len(who) > 1 else ()


def _columns() -> tuple[Column[Candidate], ...]:
    return (
        Column(key="name", title=_("姓名"), value=lambda row: row.name),
        Column(key="number", title=_("个人编号"), value=lambda row: row.number),
        Column(key="username", title=_("用户名"), value=lambda row: row.account.username if row.account else None),
        Column(key="state", title=_("账号状态"), value=_state),
        Column(key="seen", title=_("上次登录"), value=lambda row: row.account.last_sign_in_at if row.account else None),
    )


def _state(row: Candidate) -> Status:
    if row.account is None or not row.account.is_usable:
        return Status(text=_("未发放"), tone="plain")
    if not row.account.is_active:
        return Status(text=_("已停用"), tone="bad")
    if row.account.must_change_password:
        return Status(text=_("已发放，待本人修改"), tone="warn")
    return Status(text=_("使用中"), tone="good")


def _rows(org: OrgData, query: ListQuery) -> Page[Candidate]:
    def candidates(people: list[PersonData]) -> list[Candidate]:
        accounts = accounts_of_people([person.id for person in people])
        return [Candidate(person.public_id, person.name, person.number, accounts.get(person.id)) for person in people]

    return page_of_some(_person_ids(org, query.filters.get("who", "")), query, candidates, limit=_MAX_PEOPLE)


def _person_ids(org: OrgData, who: str) -> list[int]:
    """Staff of a branch; of a class its pupils, their parents, or both."""
    day = clock.day_of(clock.now())
    if org.type is not OrgType.CLASS:
        return [person.id for person in directory.people_of_org(org.path, roles=_STAFF, limit=_MAX_PEOPLE)]
    rows = directory.enrollments_of_paths([org.path], role=EnrollmentRole.STUDENT, day=day)
    pupils = list(dict.fromkeys(row.person_id for row in rows))
    if who == "pupils":
        return pupils
    parents = list(dict.fromkeys(link.guardian_id for link in directory.guardians_of(pupils, day=day)))
    return parents if who == "parents" else [*pupils, *parents]
