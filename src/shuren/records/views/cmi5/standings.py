"""Who stands where in a course: for teachers of the classes, and whoever sees single pupils' results."""

from collections.abc import Iterable
from itertools import islice

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec
from shuren.records.forms import WaiveForm
from shuren.records.models import CourseRegistration
from shuren.records.rules.cmi5.words import WaiveReason
from shuren.records.selectors.cmi5.reach import (
    access_course,
    access_registration,
    access_unit,
    may_waive,
    reach_of,
    registrations_of,
)
from shuren.records.services.cmi5.waive import waive_unit
from shuren.records.views.asked import issuer_of
from shuren.records.views.cmi5.courses import people_frame
from shuren.records.views.cmi5.words import course_id_of, course_title, crumbs, part_title, registration_url, standing_state

_AT_ONCE = 500


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def people(request: HttpRequest, course_id: str) -> HttpResponseBase:
    """The pupils of a course whose names one may see, by class."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    course = access_course(actor=actor, id=course_id_of(course_id), now=now, reach=reach)
    names: dict[int, str] = {}

    def asked(query: ListQuery) -> QuerySet[CourseRegistration]:
        rows = registrations_of(course, reach)
        state = query.filters.get("state", "")
        if state == "satisfied":
            return rows.filter(satisfied_at__isnull=False)
        if state == "learning":
            return rows.filter(satisfied_at__isnull=True, last_at__isnull=False)
        return rows.filter(satisfied_at__isnull=True, last_at__isnull=True) if state == "waiting" else rows

    def named(rows: Iterable[CourseRegistration]) -> list[CourseRegistration]:
        found = list(rows)
        told = directory.people_by_ids({row.person_id for row in found})
        names.update({id: person.name or person.number for id, person in told.items()})
        return found

    def page(query: ListQuery) -> Page[CourseRegistration]:
        found = page_of(asked(query), lambda row: row, number=query.number, size=query.size)
        named(found.rows)
        return found

    def every(query: ListQuery) -> Iterable[CourseRegistration]:
        rows = asked(query).iterator(chunk_size=_AT_ONCE)
        while some := list(islice(rows, _AT_ONCE)):
            yield from named(some)

    spec: ListSpec[CourseRegistration] = ListSpec(
        name="course_people",
        title=_("学习进度"),
        columns=(
            Column(key="person", title=_("学生"), value=lambda row: names.get(row.person_id, "—"), url=registration_url),
            Column(key="class", title=_("班级"), value=lambda row: row.class_org.name if row.class_org else "—"),
            Column(key="done", title=_("达标单元"), value=lambda row: row.units_done, kind=CellKind.NUMBER),
            Column(key="units", title=_("全部单元"), value=lambda row: row.course.unit_count, kind=CellKind.NUMBER),
            Column(key="state", title=_("状态"), value=standing_state, kind=CellKind.STATUS),
            Column(key="last", title=_("最近学习"), value=lambda row: row.last_at, kind=CellKind.DATETIME),
            Column(key="satisfied", title=_("达标时间"), value=lambda row: row.satisfied_at, kind=CellKind.DATETIME),
        ),
        rows=page,
        stream=every,
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=(
                    Choice(value="satisfied", label=_("已达标")),
                    Choice(value="learning", label=_("正在学")),
                    Choice(value="waiting", label=_("没有开始")),
                ),
            ),
        ),
        empty=EmptyState(
            title=_("没有可以看到的学生"),
            text=_("任课老师布置给班级以后，老师和能看学生结果的人在这里看到每名学生。"),
            icon="users",
        ),
    )
    return render_list(request, spec, template="front/detail.html", context=people_frame(course, reach))


@never_cache
@require_http_methods(["GET", "POST"])
def waive(request: HttpRequest, registration_id: str, part_id: str) -> HttpResponseBase:
    """Let one pupil off one unit."""
    actor, now = actor_of(request), clock.now()
    row = access_registration(actor=actor, id=ids.decode("course_registration", registration_id), now=now)
    if not may_waive(row, reach_of(actor, now=now)):
        raise NotFound(_("没有找到这次学习。"))
    unit = access_unit(course=row.course, id=ids.decode("course_part", part_id))
    form = WaiveForm(posted(request))

    def save() -> str:
        reason = WaiveReason(form.cleaned_data["reason"])
        waive_unit(actor=actor, registration_id=row.pk, part_id=unit.pk, reason=reason, issuer=issuer_of(request), now=now)
        return registration_url(row)

    title = _("准予免修")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("准予免修"),
        back=registration_url(row),
        lead=_("“%(unit)s”对这名学生算作达标。准予以后不能收回。") % {"unit": part_title(unit).strip()},
        done=_("已准予免修。"),
        breadcrumbs=crumbs((course_title(row.course), registration_url(row)), (title, "")),
    )
