"""Courses as those who learn see them: which they take, what is in one, and opening a unit."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Invalid
from shuren.kernel.paging import Page, page_of
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListQuery, ListSpec
from shuren.records.models import Course, CourseRegistration
from shuren.records.rules.cmi5.titles import best_title
from shuren.records.rules.cmi5.words import LaunchMode
from shuren.records.selectors.cmi5.progress import PartStanding, parts_of, registrations_of_people, standings_of
from shuren.records.selectors.cmi5.reach import access_registration, courses_to_choose, may_waive, reach_of
from shuren.records.services.cmi5.launch import Addresses, launch_unit
from shuren.records.services.cmi5.register import register_oneself
from shuren.records.views.asked import issuer_of
from shuren.records.views.cmi5.words import (
    course_id_of,
    course_title,
    courses_tabs,
    crumbs,
    part_state,
    part_title,
    registration_url,
    requirement,
    standing_state,
)


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def my_courses(request: HttpRequest) -> HttpResponseBase:
    """One's own courses, and those of one's children; staff without any of their own come to those of their classes."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    people = {actor.person_id or 0} | set(reach.results.person_ids)
    rows = registrations_of_people(people)
    if reach.is_staff and not reach.attended and not rows.exists():
        return redirect("records:courses")
    named = directory.people_by_ids(people - {0})
    is_shared = len(people) > 1

    def page(query: ListQuery) -> Page[CourseRegistration]:
        return page_of(rows, lambda row: row, number=query.number, size=query.size)

    who: Column[CourseRegistration] = Column(
        key="person", title=_("谁在学"), value=lambda row: named[row.person_id].name if row.person_id in named else "—"
    )
    spec: ListSpec[CourseRegistration] = ListSpec(
        name="my_courses",
        title=_("我的课程"),
        columns=(
            Column(key="name", title=_("课程"), value=lambda row: course_title(row.course), url=registration_url),
            *((who,) if is_shared else ()),
            Column(key="state", title=_("状态"), value=standing_state, kind=CellKind.STATUS),
            Column(key="done", title=_("进度"), value=_progress),
            Column(key="last", title=_("最近学习"), value=lambda row: row.last_at, kind=CellKind.DATETIME),
        ),
        rows=page,
        empty=EmptyState(title=_("还没有课程"), text=_("老师布置以后，课程会出现在这里。"), icon="book-2"),
    )
    context = {"tabs": courses_tabs(reach, "my_courses"), "title": _("课程"), "breadcrumbs": crumbs()[:0]}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def to_choose(request: HttpRequest) -> HttpResponseBase:
    """Open courses for one's class that one does not take yet."""
    reach = reach_of(actor_of(request), now=clock.now())

    def take(row: Course) -> tuple[Action, ...]:
        url = reverse("records:take_course", args=[ids.encode("course", row.pk)])
        return (Action(label=_("开始学"), url=url, icon="player-play", is_post=True),)

    spec: ListSpec[Course] = ListSpec(
        name="courses_to_choose",
        title=_("可以选学"),
        columns=(
            Column(key="name", title=_("课程"), value=course_title),
            Column(key="about", title=_("内容"), value=lambda row: best_title(row.description, get_language() or "")[:120]),
            Column(key="units", title=_("单元"), value=lambda row: row.unit_count, kind=CellKind.NUMBER),
        ),
        rows=lambda query: page_of(courses_to_choose(reach), lambda row: row, number=query.number, size=query.size),
        row_actions=take,
        empty=EmptyState(title=_("没有可以选学的课程"), text=_("老师开放以后，会出现在这里。"), icon="book-2"),
    )
    context = {"tabs": courses_tabs(reach, "courses_to_choose"), "title": _("课程")}
    return render_list(request, spec, template="front/detail.html", context=context)


@require_POST
def take(request: HttpRequest, course_id: str) -> HttpResponseBase:
    found = register_oneself(
        actor=actor_of(request), course_id=course_id_of(course_id), issuer=issuer_of(request), now=clock.now()
    )
    return redirect(registration_url(found))


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def course_of(request: HttpRequest, registration_id: str) -> HttpResponseBase:
    """One person's way through a course; only they themselves open its units."""
    actor, now = actor_of(request), clock.now()
    row = access_registration(actor=actor, id=ids.decode("course_registration", registration_id), now=now)
    is_own = row.person_id == actor.person_id
    waives = may_waive(row, reach_of(actor, now=now))

    def page(query: ListQuery) -> Page[PartStanding]:
        found = page_of(parts_of(row.course_id), lambda part: part, number=query.number, size=query.size)
        return Page(
            rows=standings_of(row, found.rows),
            total=found.total,
            is_exact=found.is_exact,
            number=found.number,
            size=found.size,
        )

    def actions(standing: PartStanding) -> tuple[Action, ...]:
        if not standing.is_unit:
            return ()
        return _own_actions(row, standing) if is_own else _waiving(row, standing) if waives else ()

    spec: ListSpec[PartStanding] = ListSpec(
        name="course_units",
        title=_("单元"),
        columns=(
            Column(key="title", title=_("名称"), value=lambda one: part_title(one.part)),
            Column(key="state", title=_("状态"), value=part_state, kind=CellKind.STATUS),
            Column(key="score", title=_("得分率"), value=_score, kind=CellKind.PERCENT, decimals=0),
            Column(key="move_on", title=_("达标要求"), value=lambda one: requirement(one.part)),
        ),
        rows=page,
        row_actions=actions,
        note=_("在别的窗口里打开另一个单元时，前一个单元会结束。") if is_own else "",
    )
    template = "records/cmi5/own_course.html" if is_own else "front/detail.html"
    return render_list(request, spec, template=template, context=_context(row, is_own))


@require_POST
@never_cache
def open_unit(request: HttpRequest, registration_id: str, part_id: str) -> HttpResponseBase:
    """Begin a session; the answer is a page that goes on into the unit, for a form may lead to no other site."""
    try:
        mode = LaunchMode(request.GET.get("mode", LaunchMode.NORMAL.value))
    except ValueError:
        raise Invalid(_("没有这种打开方式。")) from None
    key, issuer = ids.decode("course_registration", registration_id), issuer_of(request)
    found = launch_unit(
        actor=actor_of(request),
        registration_id=key,
        part_id=ids.decode("course_part", part_id),
        mode=mode,
        language=_language(),
        addresses=Addresses(issuer, issuer + reverse("records:course_of", args=[registration_id])),
        now=clock.now(),
    )
    response: HttpResponse = render(request, "records/cmi5/onward.html", {"url": found.url})
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def _language() -> str:
    return {"zh-hans": "zh-CN", "en": "en"}.get(get_language() or "", "zh-CN")


def _context(row: CourseRegistration, is_own: bool) -> dict[str, object]:
    person = directory.people_by_ids([row.person_id]).get(row.person_id)
    facts = [
        Fact(label=_("达标单元"), value=_progress(row)),
        Fact(label=_("班级"), value=row.class_org.name if row.class_org else "—"),
        Fact(label=_("最近学习"), value=row.last_at),
    ]
    if not is_own and person is not None:
        facts.insert(0, Fact(label=_("学生"), value=person.name or person.number))
    return {
        "title": course_title(row.course),
        "state": standing_state(row),
        "lead": best_title(row.course.description, get_language() or ""),
        "facts": facts,
        "breadcrumbs": crumbs((course_title(row.course), "")),
    }


def _own_actions(row: CourseRegistration, standing: PartStanding) -> tuple[Action, ...]:
    if row.course.withdrawn_at is not None:
        return ()
    begun = standing.progress is not None and standing.progress.launched_at is not None
    first = _("接着学") if begun and not standing.is_satisfied else _("开始学")
    found = [Action(label=first, url=_open_url(row, standing, LaunchMode.NORMAL), icon="player-play", is_post=True)]
    if begun and standing.is_satisfied:
        found.append(Action(label=_("复习"), url=_open_url(row, standing, LaunchMode.REVIEW), icon="refresh", is_post=True))
    else:
        url = _open_url(row, standing, LaunchMode.BROWSE)
        found.append(Action(label=_("先看看，不记成绩"), url=url, icon="eye", is_post=True))
    return tuple(found)


def _waiving(row: CourseRegistration, standing: PartStanding) -> tuple[Action, ...]:
    if standing.progress is not None and standing.progress.waived_at is not None:
        return ()
    url = reverse(
        "records:waive_unit",
        args=[ids.encode("course_registration", row.pk), ids.encode("course_part", standing.part.pk)],
    )
    return (Action(label=_("准予免修"), url=url, icon="check"),)


def _open_url(row: CourseRegistration, standing: PartStanding, mode: LaunchMode) -> str:
    url = reverse(
        "records:open_unit",
        args=[ids.encode("course_registration", row.pk), ids.encode("course_part", standing.part.pk)],
    )
    return f"{url}?{urlencode({'mode': mode.value})}"


def _progress(row: CourseRegistration) -> str:
    return f"{row.units_done} / {row.course.unit_count}"


def _score(standing: PartStanding) -> float | None:
    score = None if standing.progress is None else standing.progress.score
    return None if score is None else 100 * score
