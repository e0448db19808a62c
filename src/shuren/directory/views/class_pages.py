"""Places in classes beside a pupil's home class: learn or teach there, leave."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from shuren.directory.data import EnrollmentRole, OrgType, Role
from shuren.directory.forms import ClassForm, EndForm
from shuren.directory.selectors.roles import Standing, class_to_leave, standing_of
from shuren.directory.services.enrol import end_enrollment
from shuren.directory.services.enrol import enrol as enrol_person
from shuren.directory.views.asked import actor_in, enrollment_id_in, now, person_id_in, posted, today
from shuren.directory.views.form_pages import asked_pick, choose_page, end_page, option, org_choices
from shuren.directory.views.person_sections import person_url
from shuren.directory.views.words import ROLES
from shuren.pages.data import EmptyState


def enrol(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment, person_id = actor_in(request), now(), person_id_in(public_id)
    standing = standing_of(actor=actor, person_id=person_id, now=moment)
    found, offered = org_choices(request, (OrgType.CLASS,), standing.org_paths, taught=True if _learns(standing) else None)
    form = ClassForm(
        posted(request),
        picks=[(key, option(choice.org.name, choice.place)) for key, choice in offered.items()],
        label=pgettext("one", "班级"),
        initial={"pick": asked_pick(request, offered)},
        roles=_parts(standing),
        today=today(),
    )

    def save() -> str:
        facts, org = form.cleaned_data, offered[form.picked].org
        role = Role(facts["role"])
        enrol_person(
            actor=actor,
            person_id=person_id,
            class_id=org.id,
            role=EnrollmentRole.STUDENT if role is Role.PUPIL else EnrollmentRole.TEACHER,
            is_primary=role is Role.CLASS_TEACHER,
            begin_date=facts["begin_date"],
            now=moment,
        )
        said = _("已编入：%(org)s，%(role)s。") % {"org": org.name, "role": ROLES[role]}
        messages.success(request, said)
        return person_url(public_id)

    return choose_page(
        request,
        form,
        save,
        title=_("给%(name)s安排班级") % {"name": standing.person.name},
        lead=_("列出的是教学班，不改变行政班；换行政班请用“转班或转学”。")
        if _learns(standing)
        else _("任课教师能看到班里的学生，班主任还能看到他们的学习报告。"),
        submit=_("编入班级"),
        back=person_url(public_id),
        person=standing.person,
        search_label=_("班级或学校名称"),
        found=len(offered),
        has_more=found.has_more,
        nothing=EmptyState(title=_("没有找到班级"), text=_("只能选您管理的学校里在办的班级。请换一个词试试。"), icon="search"),
    )


def _parts(standing: Standing) -> list[tuple[str, object]]:
    """A pupil learns beside the home class, anybody else teaches."""
    if _learns(standing):
        return [(Role.PUPIL.value, pgettext("one", "学生"))]
    return [(Role.TEACHER.value, _("任课教师")), (Role.CLASS_TEACHER.value, _("班主任"))]


def _learns(standing: Standing) -> bool:
    return Role.PUPIL in standing.roles or standing.home is not None


def leave_class(request: HttpRequest, public_id: str, enrollment_id: str) -> HttpResponseBase:
    actor, moment, row_id = actor_in(request), now(), enrollment_id_in(enrollment_id)
    ending = class_to_leave(actor=actor, person_id=person_id_in(public_id), id=row_id, now=moment)
    form = EndForm(posted(request), today=today(), begin=ending.begin_date, end=ending.end_date)
    words: dict[str, object] = {"name": ending.person.name, "org": ending.org_name, "role": ROLES[ending.role]}

    def save() -> str:
        day = form.cleaned_data["end_date"]
        end_enrollment(actor=actor, enrollment_id=row_id, end_date=day, now=moment)
        said = _("已退出：%(org)s，%(role)s，%(day)s 起不再有效。")
        messages.success(request, said % (words | {"day": day.isoformat()}))
        return person_url(public_id)

    return end_page(
        request,
        form,
        save,
        title=_("让%(name)s退出“%(org)s”") % words,
        submit=_("退出班级"),
        person=ending.person,
        consequences=_left_behind(ending.role),
    )


def _left_behind(role: Role) -> list[str]:
    kept = _("在学校的角色不变。记录保留，以后可以再次编入。")
    if role is Role.PUPIL:
        return [_("班级名单里不再有这名学生，这个班的教师不再能看到。"), kept]
    return [_("不再能看到这个班的学生和他们的学习报告。"), kept]
