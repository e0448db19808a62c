"""Pages that change orgs: add, correct, move, merge, close."""

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuren.directory.data import CountKind, Permission, Written
from shuren.directory.forms import ChooseOrgForm, CorrectOrgForm, OrgForm, ReasonForm
from shuren.directory.rules.tree import PARENT_TYPES, child_types
from shuren.directory.selectors.org_list import OrgFacts, managed_orgs, org_page
from shuren.directory.selectors.orgs import orgs_by_ids
from shuren.directory.services.add_org import add_org as add
from shuren.directory.services.close_org import close_org as close
from shuren.directory.services.correct_org import correct_org as correct
from shuren.directory.services.merge_orgs import merge_orgs
from shuren.directory.services.move_org import move_org as move
from shuren.directory.views.asked import actor_in, now, org_id_in, posted
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.org_pages import org_url
from shuren.directory.views.words import ORG_TYPES
from shuren.kernel.errors import NotFound
from shuren.pages.api import number_text


def add_org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts = _managed(request, public_id)
    types = [(kind.value, ORG_TYPES[kind]) for kind in child_types(facts.org.type)]
    form = OrgForm(posted(request), types=types)

    def save() -> str:
        written = add(actor=actor_in(request), org=form.new_org(facts.org.id), now=now())
        warn(request, written)
        child = orgs_by_ids([written.id])[written.id]
        messages.success(request, _("已添加“%(name)s”。") % {"name": child.name})
        return org_url(child)

    title = _("在“%(name)s”下添加机构") % {"name": facts.org.name}
    return _page(request, facts, form, save, title=title, submit=_("添加机构"))


def correct_org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts = _managed(request, public_id)
    org = facts.org
    initial = {
        "name": org.name,
        "short_name": org.short_name,
        "code": org.code,
        "division_code": org.division_code,
        "credit_code": facts.credit_code,
    }
    form = CorrectOrgForm(posted(request), initial=initial)

    def save() -> str:
        written = correct(
            actor=actor_in(request), org_id=org.id, changes=form.changes(), reason=form.cleaned_data["reason"], now=now()
        )
        warn(request, written)
        messages.success(request, _("已保存。原来的名称和代码留在变更记录里。"))
        return org_url(org)

    title = _("更名或更正“%(name)s”") % {"name": org.name}
    return _page(request, facts, form, save, title=title, submit=_("保存更正"))


def move_org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts = _managed(request, public_id)
    org = facts.org
    types = sorted(PARENT_TYPES[org.type])
    found = managed_orgs(actor=actor_in(request), types=types, now=now(), below=_around(facts))
    choices = [other for other in found if other.id != org.parent_id and not other.path.startswith(org.path)]
    form = ChooseOrgForm(posted(request), orgs=choices, label=_("新的上级机构"))

    def save() -> str:
        move(actor=actor_in(request), org_id=org.id, parent_id=form.org_id, reason=form.cleaned_data["reason"], now=now())
        messages.success(request, _("已移动“%(name)s”，其下级机构和人员一同移动。") % {"name": org.name})
        return org_url(org)

    title = _("移动“%(name)s”") % {"name": org.name}
    lead = _("连同下级机构一起移动，涉及 %(people)s 人。新上级的管理员将能看到他们，原上级的管理员不再能看到。")
    return _page(request, facts, form, save, title=title, submit=_("移动机构"), lead=lead % {"people": _people(facts)})


def merge_org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts = _managed(request, public_id)
    org = facts.org
    found = managed_orgs(actor=actor_in(request), types=[org.type], now=now(), below=_around(facts))
    choices = [other for other in found if other.id != org.id]
    form = ChooseOrgForm(posted(request), orgs=choices, label=_("并入的机构"))

    def save() -> str:
        into_id = form.org_id
        merge_orgs(actor=actor_in(request), org_id=org.id, into_id=into_id, reason=form.cleaned_data["reason"], now=now())
        messages.success(request, _("“%(name)s”已并入。") % {"name": org.name})
        return org_url(orgs_by_ids([into_id])[into_id])

    title = _("把“%(name)s”并入另一机构") % {"name": org.name}
    lead = _("下级机构和 %(people)s 人转到所选机构；校长和管理员转为职工；本机构的授权全部收回。此操作不能撤销。")
    return _page(
        request, facts, form, save, title=title, submit=_("并入所选机构"), lead=lead % {"people": _people(facts)}, is_danger=True
    )


def close_org(request: HttpRequest, public_id: str) -> HttpResponseBase:
    facts = _managed(request, public_id)
    org = facts.org
    form = ReasonForm(posted(request))

    def save() -> str:
        ended = close(actor=actor_in(request), org_id=org.id, reason=form.cleaned_data["reason"], now=now())
        done = ngettext("已撤销 %(orgs)s 个机构。", "已撤销 %(orgs)s 个机构。", ended["orgs"])
        messages.success(request, done % {"orgs": ended["orgs"]})
        return org_url(org)

    title = _("撤销“%(name)s”") % {"name": org.name}
    lead = _("本机构和全部下级今天起停办，%(people)s 人的任职和编班今天结束，授权全部收回。记录保留，可以查阅，不能恢复。")
    return _page(
        request, facts, form, save, title=title, submit=_("撤销机构"), lead=lead % {"people": _people(facts)}, is_danger=True
    )


def warn(request: HttpRequest, written: Written) -> None:
    for warning in written.warnings:
        messages.warning(request, _("已保存，但请核对：%(warning)s。") % {"warning": warning})


def _managed(request: HttpRequest, public_id: str) -> OrgFacts:
    wanted = (Permission.MANAGE_ORGS,)
    facts, scopes = org_page(actor=actor_in(request), id=org_id_in(public_id), permissions=wanted, now=now())
    if not scopes[Permission.MANAGE_ORGS].covers(facts.org.path):
        raise NotFound(_("没有找到这个机构。"))
    return facts


def _around(facts: OrgFacts) -> str:
    """Below a school one moves within the school, so only its parts are offered."""
    school = next((org for org in facts.chain if org.type == "school" and org.id != facts.org.id), None)
    return school.path if school else ""


def _people(facts: OrgFacts) -> str:
    return number_text(facts.counts.get(CountKind.MEMBERS) or facts.counts.get(CountKind.PUPILS) or 0, 0)


def _page(
    request: HttpRequest,
    facts: OrgFacts,
    form: Form,
    save: Callable[[], str],
    *,
    title: str,
    submit: str,
    lead: str = "",
    is_danger: bool = False,
) -> HttpResponseBase:
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=submit,
        lead=lead,
        is_danger=is_danger,
        back=org_url(facts.org),
        chain=facts.chain,
    )
