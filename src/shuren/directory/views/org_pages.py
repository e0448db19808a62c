"""Pages that show orgs."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.directory.data import CountKind, OrgData, OrgStatus, OrgType, Permission
from shuren.directory.rules.tree import child_types
from shuren.directory.selectors.grants import grants_at
from shuren.directory.selectors.org_list import (
    HistoryRow,
    OrgFacts,
    OrgQuery,
    OrgRow,
    history_of_org,
    org_page,
    page_of_orgs,
    stream_orgs,
)
from shuren.directory.selectors.placement import is_home_class
from shuren.directory.selectors.scope import scope_of
from shuren.directory.views.asked import actor_in, now, org_id_in
from shuren.directory.views.people_pages import people_spec
from shuren.directory.views.words import COUNTS, ORG_CHANGES, ORG_STATUSES, ORG_TYPES, ROLES
from shuren.kernel.audit import record
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope
from shuren.pages.api import list_page, render_list
from shuren.pages.data import (
    Action,
    CellKind,
    Choice,
    Column,
    EmptyState,
    Fact,
    Filter,
    HistoryEntry,
    ListQuery,
    ListSpec,
    Status,
    Tab,
)

_ASKED = (
    Permission.VIEW_PEOPLE,
    Permission.MANAGE_ORGS,
    Permission.MANAGE_PEOPLE,
    Permission.GRANT_ROLES,
    Permission.EXPORT_ROSTER,
    Permission.ANSWER_SUBJECTS,
)
# Levels whose reports draw the level below as a map.
_BOUNDED = (OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY)
_TONES = {OrgStatus.ACTIVE: "good", OrgStatus.CLOSED: "plain", OrgStatus.MERGED: "plain"}


def org_url(org: OrgData, page: str = "org") -> str:
    return reverse(f"directory:{page}", args=[org.public_id])


def org_list(request: HttpRequest) -> HttpResponseBase:
    scope = scope_of(actor=actor_in(request), permission=Permission.VIEW_ORGS, now=now())
    spec = orgs_spec(request, None, scope)
    return render_list(request, spec, context={"lead": _("默认显示您管理的最上级机构及其直接下级；搜索和筛选会查找全部下级。")})


def orgs_spec(request: HttpRequest, parent: OrgData | None, scope: Scope) -> ListSpec[OrgRow]:
    def asked(query: ListQuery) -> OrgQuery:
        kind = query.filters.get("type", "")
        return OrgQuery(
            search=query.search,
            type=OrgType(kind) if kind else None,
            parent_id=parent.id if parent else None,
            with_ended=query.filters.get("ended") == "1",
            sort=query.sort,
        )

    def note_export(query: ListQuery, form: str) -> None:
        details = {"form": form, "search": query.search, **query.filters}
        target = f"org:{parent.id if parent else 0}"
        record(actor=actor_in(request), action="directory.orgs_exported", target=target, details=details, now=now())

    types = child_types(parent.type) if parent else tuple(OrgType)
    return ListSpec(
        name="orgs",
        title=_("机构") if parent is None else _("下级机构"),
        columns=_org_columns(parent),
        rows=lambda query: page_of_orgs(scope=scope, query=asked(query), number=query.number, size=query.size),
        stream=lambda query: stream_orgs(scope=scope, query=asked(query)),
        filters=(
            Filter(key="type", label=_("类型"), choices=tuple(Choice(value=kind, label=str(ORG_TYPES[kind])) for kind in types)),
            Filter(key="ended", label=_("已撤销或并入"), choices=(Choice(value="1", label=_("一并显示")),)),
        ),
        search_label=_("机构名称、简称或标识码"),
        empty=EmptyState(title=_("这里还没有机构"), text=_("可以导入名册，也可以逐个添加。"), icon="building"),
        on_export=note_export,
    )


def _org_columns(parent: OrgData | None) -> tuple[Column[OrgRow], ...]:
    def counted(kind: CountKind) -> Column[OrgRow]:
        return Column(key=kind.value, title=str(COUNTS[kind]), value=lambda row: row.counts.get(kind, 0), kind=CellKind.NUMBER)

    return (
        Column(key="name", title=_("名称"), value=lambda row: row.org.name, url=lambda row: org_url(row.org), sort="name"),
        Column(key="type", title=_("类型"), value=lambda row: str(ORG_TYPES[row.org.type]), sort="type"),
        Column(key="code", title=_("标识码"), value=lambda row: row.org.code or None, sort="code"),
        Column(key="parent", title=_("上级"), value=lambda row: row.parent_name or None, is_shown=parent is None),
        counted(CountKind.SCHOOLS),
        counted(CountKind.CLASSES),
        counted(CountKind.PUPILS),
        counted(CountKind.TEACHERS),
        Column(
            key="status",
            title=_("状态"),
            value=lambda row: Status(text=str(ORG_STATUSES[row.org.status]), tone=_TONES[row.org.status]),
            kind=CellKind.STATUS,
        ),
    )


def org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts, scopes = _accessed(request, public_id)
    if request.headers.get("HX-Target") == "list-orgs" or "export" in request.GET:
        return render_list(request, orgs_spec(request, facts.org, scopes[Permission.VIEW_ORGS]))
    context = _frame(facts, scopes, "org") | {"facts": _facts(facts)}
    if child_types(facts.org.type):
        context["list"] = list_page(request, orgs_spec(request, facts.org, scopes[Permission.VIEW_ORGS]))
    context["history"] = _history(history_of_org(facts.org.id))
    return render(request, "directory/org.html", context)


@sensitive_files(asked_by="export")
def org_people(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts, scopes = _accessed(request, public_id)
    spec = people_spec(request, facts.org, may_manage=scopes[Permission.MANAGE_PEOPLE].covers(facts.org.path))
    context = _frame(facts, scopes, "org_people")
    return render_list(request, spec, template="directory/org.html", context=context)


def org_grants(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Who holds a role here or above: shown to those who may give roles here."""
    facts, scopes = _accessed(request, public_id)
    if not scopes[Permission.GRANT_ROLES].covers(facts.org.path):
        raise NotFound(_("没有找到这个机构。"))
    holders = [(row, ROLES[row.grant.role]) for row in grants_at(facts.org.path, actor=actor_in(request), now=now())]
    return render(
        request, "directory/org_grants.html", _frame(facts, scopes, "org_grants") | {"holders": holders, "org_id": public_id}
    )


def _accessed(request: HttpRequest, public_id: str) -> tuple[OrgFacts, dict[Permission, Scope]]:
    return org_page(actor=actor_in(request), id=org_id_in(public_id), permissions=_ASKED, now=now())


def _frame(facts: OrgFacts, scopes: dict[Permission, Scope], page: str) -> dict[str, object]:
    """What all tabs of an org share."""
    org, counts = facts.org, facts.counts
    tabs = [Tab(label=_("概况"), url=org_url(org), is_current=page == "org")]
    people = scopes[Permission.VIEW_PEOPLE]
    if people.covers(org.path) or any(path.startswith(org.path) for path in people.paths):
        count = counts.get(CountKind.MEMBERS) or counts.get(CountKind.PUPILS)
        tabs.append(Tab(label=_("人员"), url=org_url(org, "org_people"), is_current=page == "org_people", count=count))
    if scopes[Permission.GRANT_ROLES].covers(org.path):
        tabs.append(Tab(label=_("授权"), url=org_url(org, "org_grants"), is_current=page == "org_grants"))
    return {
        "title": org.name,
        "state": Status(text=str(ORG_STATUSES[org.status]), tone=_TONES[org.status]),
        "lead": str(ORG_TYPES[org.type]) + (f" · {org.code}" if org.code else ""),
        "breadcrumbs": trail(facts.chain, scopes[Permission.VIEW_ORGS]),
        "tabs": tabs,
        "actions": _actions(facts, scopes),
        "rare_actions": _rare_actions(facts, scopes),
        "counts": [(COUNTS[kind], counts[kind]) for kind in COUNTS if counts.get(kind)],
    }


def trail(chain: Iterable[OrgData], scope: Scope) -> list[dict[str, str]]:
    """The way from the root; what lies outside the reader's scope is named without a link."""
    return [{"label": org.name, "url": org_url(org) if scope.covers(org.path) else ""} for org in chain]


def _actions(facts: OrgFacts, scopes: dict[Permission, Scope]) -> list[Action]:
    """What one does here often."""
    org = facts.org
    if org.status is not OrgStatus.ACTIVE:
        return []
    actions = []
    is_school_like = org.type not in (OrgType.GRADE, OrgType.CLASS)
    if scopes[Permission.MANAGE_ORGS].covers(org.path) and child_types(org.type):
        actions.append(Action(label=_("添加下级机构"), url=org_url(org, "add_org"), icon="plus", is_primary=True))
    if scopes[Permission.MANAGE_PEOPLE].covers(org.path):
        if is_school_like:
            actions.append(Action(label=_("登记人员"), url=org_url(org, "add_person"), icon="user-plus"))
        elif is_home_class(org):
            url = org_url(org, "add_pupils")
            actions.append(Action(label=_("添加学生"), url=url, icon="user-plus", is_primary=True))
    if scopes[Permission.EXPORT_ROSTER].covers(org.path) and is_school_like:
        url = reverse("directory:roster_file", args=[org.public_id, "xlsx"])
        actions.append(Action(label=_("导出名册"), url=url, icon="download"))
    if scopes[Permission.ANSWER_SUBJECTS].covers(org.path) and is_school_like:
        actions.append(Action(label=_("发布告知书"), url=org_url(org, "add_consent_text"), icon="file-text"))
    return actions


def _rare_actions(facts: OrgFacts, scopes: dict[Permission, Scope]) -> list[Action]:
    """What changes the org itself, behind a menu."""
    org = facts.org
    if org.status is not OrgStatus.ACTIVE or not scopes[Permission.MANAGE_ORGS].covers(org.path):
        return []
    actions = [Action(label=_("更名或更正"), url=org_url(org, "correct_org"), icon="edit")]
    if org.type in _BOUNDED:
        actions.append(Action(label=_("下级机构的边界"), url=org_url(org, "boundaries"), icon="map-pin"))
    if org.parent_id is not None:
        actions.append(Action(label=_("移动"), url=org_url(org, "move_org"), icon="arrow-right"))
        actions.append(Action(label=_("并入另一机构"), url=org_url(org, "merge_org"), icon="switch-horizontal"))
        actions.append(Action(label=_("撤销机构"), url=org_url(org, "close_org"), icon="x", is_danger=True))
    return actions


def _facts(facts: OrgFacts) -> list[Fact]:
    org = facts.org
    shown = [
        Fact(label=_("类型"), value=str(ORG_TYPES[org.type])),
        Fact(label=_("简称"), value=org.short_name or None),
        Fact(label=_("机构标识码"), value=org.code or None),
        Fact(label=_("行政区划代码"), value=org.division_code or None),
        Fact(label=_("统一社会信用代码"), value=facts.credit_code or None),
        Fact(label=_("城乡"), value={True: _("乡村"), False: _("城镇"), None: None}[org.is_rural]),
        Fact(label=_("设立日期"), value=facts.begin_date),
    ]
    shown = [fact for fact in shown if fact.value is not None]
    if facts.end_date:
        shown.append(Fact(label=_("撤销日期"), value=facts.end_date))
    if facts.successor:
        shown.append(Fact(label=_("并入"), value=facts.successor.name, url=org_url(facts.successor)))
    if facts.leaders:
        names = "、".join(f"{name}（{ROLES[role]}）" for _pk, name, role in facts.leaders)
        shown.append(Fact(label=_("负责人"), value=names))
    return shown


def _history(rows: list[HistoryRow]) -> list[HistoryEntry]:
    return [HistoryEntry(who=str(ORG_CHANGES.get(row.change, row.change)), what=_what(row), at=row.at) for row in rows]


def _what(row: HistoryRow) -> str:
    named = _("原名“%(name)s”") % {"name": row.former_name} if row.former_name else ""
    return "，".join(filter(None, [named, row.reason]))
