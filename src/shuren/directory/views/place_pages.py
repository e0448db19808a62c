"""Home classes: a pupil goes from one to another, a class is filled."""

from collections.abc import Iterable, Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from shuren.directory.data import OrgData, OrgType, Permission, Role
from shuren.directory.forms import PlaceForm, PupilsForm
from shuren.directory.selectors.choices import PupilChoice, pupils_elsewhere, pupils_without_class
from shuren.directory.selectors.org_list import OrgFacts, org_page
from shuren.directory.selectors.placement import Placement, Tie, TooEarly, checked_placement, is_home_class, site_of
from shuren.directory.selectors.roles import Standing, standing_of
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.place_pupil import place_pupil, place_pupils
from shuren.directory.views.asked import actor_in, now, org_id_in, person_id_in, posted, today
from shuren.directory.views.form_pages import asked_pick, choose_page, option, org_choices, person_trail, search_in
from shuren.directory.views.org_pages import org_url
from shuren.directory.views.person_sections import person_url
from shuren.kernel.errors import NotFound
from shuren.pages.data import EmptyState


def transfer(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """A pupil's home class: first the choice, then what it ends and begins, then the deed."""
    actor, moment, person_id = actor_in(request), now(), person_id_in(public_id)
    standing = standing_of(actor=actor, person_id=person_id, now=moment)
    if standing.home is None and Role.PUPIL not in standing.roles:
        raise NotFound(_("这个人不是学生。"))
    found, offered = org_choices(request, (OrgType.CLASS,), standing.org_paths)
    offered = {key: choice for key, choice in offered.items() if standing.home is None or choice.org.id != standing.home.id}
    form = PlaceForm(
        posted(request),
        picks=[(key, option(choice.org.name, choice.place)) for key, choice in offered.items()],
        label=_("新的班级"),
        today=today(),
        initial={"pick": asked_pick(request, offered)},
    )

    def save() -> str | HttpResponseBase:
        day, class_id = form.cleaned_data["begin_date"], offered[form.picked].org.id
        if request.POST.get("step") != "done":
            manage = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=moment)
            placement = checked_placement(manage=manage, person_id=person_id, class_id=class_id, day=day, today=today())
            return _ask(request, form, standing, placement)
        reason = form.cleaned_data["reason"]
        done = place_pupil(actor=actor, person_id=person_id, class_id=class_id, on=day, reason=reason, now=moment)
        said = _("%(name)s 从 %(day)s 起在 %(school)s %(class)s。")
        words = {"name": standing.person.name, "day": day.isoformat(), "school": done.site.name, "class": done.home.name}
        messages.success(request, said % words)
        return person_url(public_id)

    return choose_page(
        request,
        form,
        save,
        title=_title(standing),
        lead=_lead(standing),
        submit=_("下一步：核对"),
        back=person_url(public_id),
        person=standing.person,
        crumb=_crumb(standing),
        fields={TooEarly: "begin_date"},
        search_label=_("班级或学校名称"),
        found=len(offered),
        has_more=found.has_more,
        nothing=EmptyState(title=_("没有找到班级"), text=_("只能选您管理的学校里在办的行政班。请换一个词试试。"), icon="search"),
    )


def _title(standing: Standing) -> str:
    words = {"name": standing.person.name}
    return _("给%(name)s转班或转学") % words if standing.home else _("给%(name)s编班") % words


def _crumb(standing: Standing) -> str:
    return _("转班或转学") if standing.home else _("编班")


def _lead(standing: Standing) -> str:
    if standing.home is None:
        return _("现在没有行政班。")
    return _("现在在“%(name)s”。下一步会先列出要结束和开始的内容，确认后才改动。") % {"name": standing.home.name}


def _ask(request: HttpRequest, form: PlaceForm, standing: Standing, placement: Placement) -> HttpResponseBase:
    """Everything the placement changes, before it does."""
    title = _title(standing)
    context = {
        "title": title,
        "lead": _("请核对。确认后一次完成，名册、统计和各人的权限从这一天起随之改变。"),
        "form": form,
        "day": form.cleaned_data["begin_date"],
        "changes": _changes(placement),
        "submit_label": _("确认转学") if placement.schools else _("确认转班") if placement.homes else _("确认编班"),
        "cancel_url": person_url(standing.person.public_id),
        "breadcrumbs": person_trail(standing.person, _crumb(standing)),
    }
    return render(request, "directory/place.html", context)


def _changes(placement: Placement) -> list[tuple[str, str, str]]:
    """What, until then, from then on; empty where there is nothing before or after."""

    def named(ties: Iterable[Tie]) -> str:
        return _("、").join(tie.org_name for tie in ties)

    site, moving = placement.site.name, [id for id, _name in placement.movers]
    rows = [(_("行政班"), named(placement.homes), placement.home.name)]
    if placement.joins or placement.schools:
        rows.append((pgettext("one", "学校"), named(placement.schools), site if placement.joins else ""))
    rows += [(_("其他班"), tie.org_name, "") for tie in placement.classes]
    rows += [
        (_("家长 %(name)s") % {"name": tie.person_name}, tie.org_name, site if tie.person_id in moving else "")
        for tie in placement.guardians
    ]
    leaving = {tie.person_id for tie in placement.guardians}
    rows += [(_("家长 %(name)s") % {"name": name}, "", site) for id, name in placement.movers if id not in leaving]
    return rows


def add_pupils(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Pupils of the school who have no class are ticked and added; those who are elsewhere are transferred one by one."""
    actor, moment, day = actor_in(request), now(), today()
    facts = _managed_class(request, public_id)
    class_org, search = facts.org, search_in(request)
    site = site_of(class_org)
    found = pupils_without_class(site=site, day=day, search=search)
    offered = {pupil.public_id: pupil for pupil in (*found.rows, *_ticked(request, site))}
    form = PupilsForm(
        posted(request),
        pupils=[(key, option(pupil.name, pupil.number)) for key, pupil in offered.items()],
        today=day,
        initial={"pupils": [*offered] if request.GET.get("all") else []},
    )
    form.fields["pupils"].help_text = _tick_all(search, len(offered))
    others = pupils_elsewhere(actor=actor, class_org=class_org, search=search, now=moment)

    def save() -> str:
        person_ids = [offered[key].id for key in form.cleaned_data["pupils"]]
        begin = form.cleaned_data["begin_date"]
        count = place_pupils(actor=actor, person_ids=person_ids, class_id=class_org.id, on=begin, now=moment)
        said = ngettext("已添加 %(count)s 名学生。", "已添加 %(count)s 名学生。", count)
        messages.success(request, said % {"count": count})
        return org_url(class_org, "org_people")

    return choose_page(
        request,
        form,
        save,
        title=_("给“%(name)s”添加学生") % {"name": class_org.name},
        lead=_("列出的是“%(school)s”还没有行政班的学生。已经在别的班或学校的，请输入姓名查找后转来。") % {"school": site.name},
        submit=_("添加勾选的学生"),
        back=org_url(class_org, "org_people"),
        chain=facts.chain,
        search_label=_("学生姓名或编号的开头"),
        found=len(offered),
        has_more=found.has_more or others.has_more,
        nothing=_no_pupils(search, site),
        more={"others": [_elsewhere(pupil, class_org) for pupil in others.rows]},
    )


def _tick_all(search: str, count: int) -> str:
    """A link and no script: it shows the same list with every box ticked."""
    words = ngettext("勾选全部 %(count)s 名", "勾选全部 %(count)s 名", count) % {"count": count}
    return format_html('<a href="?{}">{}</a>', urlencode({"q": search, "all": "1"}), words) if count > 1 else ""


def _managed_class(request: HttpRequest, public_id: str) -> OrgFacts:
    wanted = (Permission.MANAGE_PEOPLE,)
    facts, scopes = org_page(actor=actor_in(request), id=org_id_in(public_id), permissions=wanted, now=now())
    if not scopes[Permission.MANAGE_PEOPLE].covers(facts.org.path) or not is_home_class(facts.org):
        raise NotFound(_("没有找到这个班级。"))
    return facts


def _ticked(request: HttpRequest, site: OrgData) -> Sequence[PupilChoice]:
    """What was ticked in a list that another search had shown, as far as it still has no class."""
    sent = [key for key in request.POST.getlist("pupils") if key]
    return pupils_without_class(site=site, day=today(), only=[person_id_in(key) for key in sent]).rows if sent else ()


def _elsewhere(pupil: PupilChoice, class_org: OrgData) -> dict[str, str]:
    address = person_url(pupil.public_id, "transfer") + "?" + urlencode({"pick": class_org.public_id})
    note = " · ".join(filter(None, [pupil.number, pupil.school, pupil.home]))
    return {"label": pupil.name, "note": note, "url": address, "action": _("转到本班")}


def _no_pupils(search: str, site: OrgData) -> EmptyState:
    if search:
        return EmptyState(title=_("没有找到学生"), text=_("请核对姓名或编号。新来的学生请先在学校页面登记。"), icon="search")
    return EmptyState(
        title=_("“%(name)s”的学生都已编班") % {"name": site.name}, text=_("可以输入姓名，把别的班的学生转来。"), icon="checks"
    )
