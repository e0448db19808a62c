"""A pupil's guardians: link somebody known, register somebody new, end a link."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from shuren.directory.data import Permission, Sex
from shuren.directory.forms import EndForm, GuardianForm, NewGuardianForm
from shuren.directory.selectors.choices import PersonChoice, guardian_choice, guardians_to_choose
from shuren.directory.selectors.people import access_person
from shuren.directory.selectors.roles import guardian_ids_of, guarding_to_end
from shuren.directory.services.add_guardian import add_guardian, enter_guardian
from shuren.directory.services.link_guardian import unlink_guardian
from shuren.directory.views.asked import actor_in, now, person_id_in, posted, today
from shuren.directory.views.form_pages import asked_pick, choose_page, end_page, form_page, option, search_in
from shuren.directory.views.org_forms import warn
from shuren.directory.views.person_sections import person_url
from shuren.directory.views.words import RELATIONS, ROLES, SEXES
from shuren.kernel.errors import NotFound
from shuren.pages.data import Action, EmptyState


def link_guardian(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment, ward_id = actor_in(request), now(), person_id_in(public_id)
    ward = access_person(actor=actor, id=ward_id, permission=Permission.MANAGE_PEOPLE, now=moment)
    taken = {ward_id, *guardian_ids_of(ward_id, day=today())}
    found = guardians_to_choose(actor=actor, search=search_in(request), now=moment, without=taken)
    offered = {choice.public_id: choice for choice in (*_picked(request, taken), *found.rows)}
    form = GuardianForm(
        posted(request),
        picks=[(key, _option(choice)) for key, choice in offered.items()],
        label=_("监护人"),
        relations=[*RELATIONS.items()],
        today=today(),
        initial={"pick": asked_pick(request, offered)},
    )
    register = Action(label=_("登记新的监护人"), url=person_url(public_id, "register_guardian"), icon="user-plus")

    def save() -> str:
        facts, guardian = form.cleaned_data, offered[form.picked]
        add_guardian(
            actor=actor,
            guardian_id=guardian.id,
            ward_id=ward_id,
            relation=facts["relation"],
            begin_date=facts["begin_date"],
            now=moment,
        )
        messages.success(request, _("已登记：%(name)s 是 %(ward)s 的监护人。") % {"name": guardian.name, "ward": ward.name})
        return person_url(public_id)

    return choose_page(
        request,
        form,
        save,
        title=_("给%(name)s登记监护人") % {"name": ward.name},
        lead=_("先查找这个人是否已经登记过，例如是兄弟姐妹的家长。监护人能看到孩子的信息和学习报告。"),
        submit=_("登记监护人"),
        back=person_url(public_id),
        person=ward,
        search_label=_("监护人姓名或编号的开头"),
        found=len(offered),
        has_more=found.has_more,
        nothing=_nobody(search_in(request)),
        more={"actions": [register]},
    )


def _picked(request: HttpRequest, taken: set[int]) -> list[PersonChoice]:
    """Who was picked in a list that another search had shown."""
    try:
        choice = guardian_choice(actor=actor_in(request), id=person_id_in(request.POST.get("pick", "")), now=now())
    except NotFound:
        return []
    return [] if choice.id in taken else [choice]


def _option(choice: PersonChoice) -> str:
    roles = _("、").join(f"{org} {ROLES[role]}" for role, org in choice.roles)
    wards = _("孩子：%(names)s") % {"names": _("、").join(choice.wards)} if choice.wards else ""
    return option(choice.name, choice.number, roles, wards)


def _nobody(search: str) -> EmptyState:
    if not search:
        return EmptyState(title=_("要登记谁？"), text=_("输入姓名或编号的开头查找。"), icon="search")
    text = _("只能找到您管理范围内的人，学生和已经登记的监护人不列出。没有登记过的，请用“登记新的监护人”。")
    return EmptyState(title=_("没有找到这个人"), text=text, icon="search")


def register_guardian(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment, ward_id = actor_in(request), now(), person_id_in(public_id)
    ward = access_person(actor=actor, id=ward_id, permission=Permission.MANAGE_PEOPLE, now=moment)
    sexes = [(sex.value, SEXES[sex]) for sex in Sex]
    form = NewGuardianForm(posted(request), relations=[*RELATIONS.items()], sexes=sexes)

    def save() -> str:
        relation = form.cleaned_data["relation"]
        written = enter_guardian(actor=actor, guardian=form.new_person(), ward_id=ward_id, relation=relation, now=moment)
        warn(request, written)
        messages.success(
            request, _("已登记：%(name)s 是 %(ward)s 的监护人。") % {"name": form.cleaned_data["name"], "ward": ward.name}
        )
        return person_url(public_id)

    return form_page(
        request,
        form,
        save,
        title=_("给%(name)s登记新的监护人") % {"name": ward.name},
        lead=_("同时得到人员编号和学校里的家长身份。账号要另外发放。"),
        submit=_("登记监护人"),
        back=person_url(public_id, "link_guardian"),
        person=ward,
        crumb=_("登记新的监护人"),
    )


def end_guardian(request: HttpRequest, public_id: str, guardian_id: str) -> HttpResponseBase:
    actor, moment, ward_id = actor_in(request), now(), person_id_in(public_id)
    guarding = guarding_to_end(actor=actor, guardian_id=person_id_in(guardian_id), ward_id=ward_id, now=moment)
    form = EndForm(posted(request), today=today(), begin=guarding.begin_date, end=guarding.end_date)
    words = {"name": guarding.guardian.name, "ward": guarding.ward.name}

    def save() -> str:
        day = form.cleaned_data["end_date"]
        unlink_guardian(actor=actor, guardian_id=guarding.guardian.id, ward_id=ward_id, end_date=day, now=moment)
        said = _("已结束：%(name)s 从 %(day)s 起不再是 %(ward)s 的监护人。")
        messages.success(request, said % (words | {"day": day.isoformat()}))
        return person_url(public_id)

    return end_page(
        request,
        form,
        save,
        title=_("结束%(name)s对%(ward)s的监护关系") % words,
        submit=_("结束监护关系"),
        person=guarding.ward,
        consequences=[
            _("%(name)s不再能看到%(ward)s的信息和学习报告。") % words,
            _("在学校的家长身份和账号不变。记录保留，以后可以重新登记。"),
        ],
    )
