"""Pages of grants: list, give, revoke."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.data import OrgData, Permission, Role
from shuren.directory.forms import GrantForm
from shuren.directory.rules.permissions import ROSTER_ONLY, STRONG
from shuren.directory.selectors.grants import GrantRow, giving_rights, page_of_certifiable, page_of_grants, stream_certifiable
from shuren.directory.selectors.offices import OfficeRow, page_of_offices, stream_offices
from shuren.directory.selectors.org_list import org_page
from shuren.directory.selectors.people import person_ids_by_number
from shuren.directory.selectors.reach import permissions_of
from shuren.directory.services.confirm_grant import confirm_grant
from shuren.directory.services.grant_role import grant_role
from shuren.directory.services.revoke_grant import revoke_grant
from shuren.directory.services.tend_grants import certify_grants, certify_offices
from shuren.directory.views.asked import actor_in, affiliation_id_in, grant_id_in, now, org_id_in, posted
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.org_pages import org_url
from shuren.directory.views.person_sections import person_url
from shuren.directory.views.words import ROLES, WAITS
from shuren.kernel import ids
from shuren.kernel.audit import record
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive, sensitive_files
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.paging import Page
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status

_OFFICE = "office"


@sensitive_files(asked_by="export")
def grants(request: HttpRequest) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    givable = [role for role in Role if role not in ROSTER_ONLY]
    spec: ListSpec[GrantRow] = ListSpec(
        name="grants",
        title=_("授权"),
        columns=(
            Column(key="person", title=_("人员"), value=lambda row: row.person.name, url=_person_url),
            Column(key="number", title=_("人员编号"), value=lambda row: row.person.number),
            Column(key="role", title=_("角色"), value=lambda row: str(ROLES[row.grant.role])),
            Column(key="org", title=_("范围"), value=lambda row: row.org_name, url=_org_url),
            Column(key="purpose", title=_("用途"), value=lambda row: row.grant.purpose or None),
            Column(key="begin", title=_("开始"), value=lambda row: row.grant.begin_at, kind=CellKind.DATETIME),
            Column(key="end", title=_("结束"), value=lambda row: row.grant.end_at, kind=CellKind.DATETIME),
            Column(key="giver", title=_("授权人"), value=lambda row: row.giver_name or _("系统")),
            Column(key="state", title=_("状态"), value=_state, kind=CellKind.STATUS),
            Column(key="delegate", title=_("可再授权"), value=lambda row: _("是") if row.grant.may_delegate else _("否")),
        ),
        rows=lambda query: page_of_grants(
            actor=actor,
            now=moment,
            search=query.search,
            role=query.filters.get("role", ""),
            number=query.number,
            size=query.size,
        ),
        filters=(Filter(key="role", label=_("角色"), choices=tuple(Choice(value=r, label=str(ROLES[r])) for r in givable)),),
        search_label=_("姓名或人员编号"),
        empty=EmptyState(
            title=_("没有授权"), text=_("校长、管理员等由名册产生的角色不在这里；这里只列另外给的授权。"), icon="key"
        ),
        row_actions=_row_actions,
    )
    return render_list(
        request, spec, context={"lead": _("授权 = 谁、什么角色、哪个机构及其下级、多长时间。在机构页面的“授权”里可以新增。")}
    )


def _state(row: GrantRow) -> Status:
    if row.grant.is_waiting:
        return Status(text=_("等待第二人确认"), tone="warn")
    if row.grant.certify_by is not None:
        return Status(text=_("请核对是否还需要"), tone="warn")
    return Status(text=_("有效"), tone="good")


@sensitive_files(asked_by="export")
def certify(request: HttpRequest) -> HttpResponseBase:
    """Grants that nobody has looked at for long, and offices of the roster: keep or end each, many at a time."""
    actor, moment = actor_in(request), now()

    def rows(query: ListQuery) -> Page[Any]:
        page = page_of_offices if query.filters.get("kind") == _OFFICE else page_of_certifiable
        return page(actor=actor, now=moment, number=query.number, size=query.size)

    def stream(query: ListQuery) -> Iterator[Any]:
        every = stream_offices if query.filters.get("kind") == _OFFICE else stream_certifiable
        return every(actor=actor, now=moment)

    kinds = (Choice(value=_OFFICE, label=_("名册里的管理员")),)
    spec: ListSpec[Any] = ListSpec(
        name="certify_grants",
        title=_("授权核对"),
        columns=(
            Column(key="person", title=_("人员"), value=lambda row: row.person.name, url=_person_url),
            Column(key="role", title=_("角色"), value=lambda row: str(ROLES[row.role])),
            Column(key="org", title=_("范围"), value=lambda row: row.org_name, url=_org_url),
            Column(key="begin", title=_("开始"), value=lambda row: row.begin, kind=CellKind.DATETIME),
            Column(key="giver", title=_("授权人"), value=_giver),
            Column(key="by", title=_("请在此前确认"), value=lambda row: row.certify_by, kind=CellKind.DATETIME),
        ),
        rows=rows,
        stream=stream,
        filters=(Filter(key="kind", label=_("来源"), choices=kinds),)
        if Permission.REVIEW_ACCESS in permissions_of(actor=actor, now=moment)
        else (),
        row_id=_certified_id,
        bulk=(Action(label=_("仍然需要"), url=reverse("directory:keep_grants"), icon="check", is_post=True),),
        row_actions=lambda row: () if isinstance(row, OfficeRow) else _row_actions(row),
        empty=EmptyState(title=_("没有要核对的授权"), icon="shield-check"),
        on_export=lambda query, form: record(
            actor=actor, action="directory.grants_exported", target="org:0", details={"form": form}, now=moment
        ),
    )
    lead = _("很久没有核对的授权在这里。到期没有人确认的会自动结束；系统给出的和名册里的，由安全管理员核对，不会自动结束。")
    return render_list(request, spec, context={"lead": lead})


def _giver(row: GrantRow | OfficeRow) -> str:
    return _("名册") if isinstance(row, OfficeRow) else row.giver_name or _("系统")


def _certified_id(row: GrantRow | OfficeRow) -> str:
    if isinstance(row, OfficeRow):
        return f"{_OFFICE}:{ids.encode('affiliation', row.affiliation_id)}"
    return ids.encode("grant", row.grant.id)


@require_POST
def keep(request: HttpRequest) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    ticked = [text.rpartition(":") for text in request.POST.getlist("ids")]
    offices = [affiliation_id_in(id) for kind, _colon, id in ticked if kind == _OFFICE]
    kept = certify_offices(actor=actor, affiliation_ids=offices, now=moment)
    kept += certify_grants(actor=actor, grant_ids=[grant_id_in(id) for kind, _colon, id in ticked if not kind], now=moment)
    messages.success(request, _("已确认 %(count)s 条授权仍然需要。") % {"count": kept})
    return redirect(reverse("directory:certify_grants") + (f"?kind={_OFFICE}" if offices else ""))


@sensitive("grant")
@require_POST
def confirm(request: HttpRequest, public_id: str) -> HttpResponseBase:
    confirm_grant(actor=actor_in(request), grant_id=grant_id_in(public_id), now=now())
    messages.success(request, _("已确认，授权从现在起生效。"))
    return redirect("directory:grants")


def _person_url(row: GrantRow | OfficeRow) -> str:
    return person_url(row.person.public_id) if row.may_open else ""


def _org_url(row: GrantRow | OfficeRow) -> str:
    return reverse("directory:org", args=[row.org_public_id])


def _row_actions(row: GrantRow) -> tuple[Action, ...]:
    url = reverse("directory:revoke_grant", args=[ids.encode("grant", row.grant.id)])
    confirm = _("收回后，由它再授出的权限一并收回。要收回吗？")
    second = Action(
        label=_("确认生效"),
        url=reverse("directory:confirm_grant", args=[ids.encode("grant", row.grant.id)]),
        icon="check",
        is_post=True,
    )
    waiting = (second,) if row.grant.is_waiting else ()
    return (
        *waiting,
        Action(label=_("收回"), url=url, icon="x", is_post=True, is_danger=True, confirm=confirm),
    )


@sensitive("grant")
def add_grant(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    facts, scopes = org_page(actor=actor, id=org_id_in(public_id), permissions=(Permission.GRANT_ROLES,), now=moment)
    if not scopes[Permission.GRANT_ROLES].covers(facts.org.path):
        raise NotFound(_("没有找到这个机构。"))
    roles = [(role.value, ROLES[role]) for role in _givable(actor, facts.org)]
    form = GrantForm(posted(request), roles=roles)

    def save() -> str:
        number = form.cleaned_data["number"].strip()
        person_id = person_ids_by_number([number]).get(number)
        if person_id is None:
            raise Invalid(_("没有找到编号为“%(number)s”的人。") % {"number": number}, remedy=_("请核对编号。"))
        grant_role(
            actor=actor,
            person_id=person_id,
            role=form.given_role,
            org_id=facts.org.id,
            purpose=form.cleaned_data["purpose"],
            end_at=form.end_at,
            may_delegate=form.cleaned_data["may_delegate"],
            now=moment,
        )
        if form.given_role in STRONG:
            messages.info(request, WAITS)
        else:
            messages.success(request, _("已授权。"))
        return org_url(facts.org, "org_grants")

    title = _("在“%(name)s”授权") % {"name": facts.org.name}
    lead = _("对方将能在“%(name)s”及其全部下级使用所选角色。") % {"name": facts.org.name}
    back = org_url(facts.org, "org_grants")
    return form_page(request, form, save, title=title, submit=_("授权"), back=back, lead=lead, chain=facts.chain)


def _givable(actor: Actor, org: OrgData) -> list[Role]:
    rights = giving_rights(actor=actor, now=now())
    return [role for role in Role if any(right.reaches(role, org.path) for right in rights)]


@sensitive("grant")
@require_POST
def revoke(request: HttpRequest, public_id: str) -> HttpResponseBase:
    ended = revoke_grant(actor=actor_in(request), grant_id=grant_id_in(public_id), now=now())
    messages.success(request, _("已收回 %(count)s 条授权。") % {"count": ended})
    return redirect("directory:grants")
