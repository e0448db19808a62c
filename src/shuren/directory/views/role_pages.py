"""A person's roles at orgs: add one, end one."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from shuren.directory.data import OrgType, Role
from shuren.directory.forms import EndForm, RoleForm
from shuren.directory.rules.permissions import roles_at
from shuren.directory.selectors.roles import Ending, role_to_end, roles_to_hand_out, standing_of
from shuren.directory.services.ask_office import enter_role
from shuren.directory.services.end_role import end_role as end
from shuren.directory.views.asked import actor_in, affiliation_id_in, now, person_id_in, posted, today
from shuren.directory.views.form_pages import asked_pick, choose_page, end_page, option, org_choices
from shuren.directory.views.person_sections import person_url
from shuren.directory.views.words import ORG_TYPES, ROLES, WAITS
from shuren.kernel.doors import sensitive
from shuren.pages.data import EmptyState

_TYPES = tuple(kind for kind in OrgType if roles_at(kind))


@sensitive("grant")
def add_role(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment, person_id = actor_in(request), now(), person_id_in(public_id)
    standing = standing_of(actor=actor, person_id=person_id, now=moment)
    found, offered = org_choices(request, _TYPES, standing.org_paths)
    form = RoleForm(
        posted(request),
        picks=[(key, option(choice.org.name, str(ORG_TYPES[choice.org.type]), choice.place)) for key, choice in offered.items()],
        label=pgettext("one", "机构"),
        roles=[(role.value, ROLES[role]) for role in roles_to_hand_out(actor=actor, now=moment)],
        initial={"pick": asked_pick(request, offered)},
        kinds={key: choice.org.type for key, choice in offered.items()},
        today=today(),
    )

    def save() -> str:
        facts, org = form.cleaned_data, offered[form.picked].org
        role = Role(facts["role"])
        waits = enter_role(
            actor=actor,
            person_id=person_id,
            org_id=org.id,
            role=role,
            begin_date=facts["begin_date"],
            end_date=facts["end_date"],
            now=moment,
        )
        if waits:
            messages.info(request, WAITS)
        else:
            messages.success(request, _("已添加：%(org)s，%(role)s。") % {"org": org.name, "role": ROLES[role]})
        return person_url(public_id)

    return choose_page(
        request,
        form,
        save,
        title=_("给%(name)s添加角色") % {"name": standing.person.name},
        lead=_("一个人可以同时有几个角色，例如既是教师又是家长。转班或转学请用“转班或转学”。"),
        submit=_("添加角色"),
        back=person_url(public_id),
        person=standing.person,
        search_label=_("机构名称或标识码"),
        found=len(offered),
        has_more=found.has_more,
        nothing=EmptyState(title=_("没有找到机构"), text=_("只能选您管理的机构。请换一个词试试。"), icon="search"),
    )


def end_role(request: HttpRequest, public_id: str, role_id: str) -> HttpResponseBase:
    actor, moment, affiliation_id = actor_in(request), now(), affiliation_id_in(role_id)
    ending = role_to_end(actor=actor, person_id=person_id_in(public_id), id=affiliation_id, now=moment)
    form = EndForm(posted(request), today=today(), begin=ending.begin_date, end=ending.end_date)

    def save() -> str:
        day = form.cleaned_data["end_date"]
        end(actor=actor, affiliation_id=affiliation_id, end_date=day, now=moment)
        said = _("已结束：%(org)s，%(role)s，%(day)s 起不再有效。")
        messages.success(request, said % (_words(ending) | {"day": day.isoformat()}))
        return person_url(public_id)

    return end_page(
        request,
        form,
        save,
        title=_("结束%(name)s在“%(org)s”的%(role)s角色") % _words(ending),
        submit=_("结束这个角色"),
        person=ending.person,
        consequences=_consequences(ending),
    )


def _words(ending: Ending) -> dict[str, object]:
    return {"name": ending.person.name, "org": ending.org_name, "role": ROLES[ending.role]}


def _consequences(ending: Ending) -> list[str]:
    found = [_("不再以这个角色出现在“%(org)s”，由这个角色得到的权限随之失效。") % _words(ending)]
    if ending.classes:
        count = len(ending.classes)
        left = ngettext("同时退出 %(count)s 个班：%(names)s。", "同时退出 %(count)s 个班：%(names)s。", count)
        found.append(left % {"count": count, "names": _("、").join(ending.classes)})
    if ending.grants:
        kept = ngettext(
            "另外给的 %(count)s 项授权不受影响，需要时请在机构的“授权”里收回。",
            "另外给的 %(count)s 项授权不受影响，需要时请在机构的“授权”里收回。",
            ending.grants,
        )
        found.append(kept % {"count": ending.grants})
    return [*found, _("记录保留，以后可以再次添加。")]
