"""Courses as teachers and officers see them: which there are, what is in one, and bringing one in."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Tab
from shuren.records.forms import CourseImportForm, GiveCourseForm
from shuren.records.models import Course, CoursePart
from shuren.records.rules.cmi5.titles import best_title
from shuren.records.rules.cmi5.words import PartKind
from shuren.records.selectors.cmi5.progress import count_of_course, parts_of
from shuren.records.selectors.cmi5.reach import Reach, access_course, courses_seen, reach_of, registrations_of, shelves_of
from shuren.records.services.cmi5.import_course import import_course
from shuren.records.services.cmi5.register import register_class, register_oneself
from shuren.records.services.cmi5.withdraw import withdraw_course
from shuren.records.views.asked import issuer_of
from shuren.records.views.cmi5.words import (
    course_id_of,
    course_state,
    course_title,
    course_url,
    courses_tabs,
    crumbs,
    part_title,
    registration_url,
    requirement,
)


@never_cache
@require_safe
def courses(request: HttpRequest) -> HttpResponseBase:
    """Those offered to one's classes and branches, newest first."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    may_import = bool(shelves_of(reach))
    first = Action(label=_("导入课程"), url=reverse("records:import_course"), icon="file-import", is_primary=True)

    def asked(query: ListQuery) -> QuerySet[Course]:
        rows = courses_seen(reach).filter(withdrawn_at__isnull=query.filters.get("state", "") != "withdrawn")
        return rows.filter(name__icontains=query.search) if query.search else rows

    spec: ListSpec[Course] = ListSpec(
        name="courses",
        title=_("班级课程"),
        columns=(
            Column(key="name", title=_("课程"), value=course_title, url=course_url),
            Column(key="org", title=_("给谁用"), value=lambda row: row.org.name),
            Column(key="units", title=_("单元"), value=lambda row: row.unit_count, kind=CellKind.NUMBER),
            Column(key="state", title=_("选学"), value=course_state, kind=CellKind.STATUS),
            Column(key="imported", title=_("导入时间"), value=lambda row: row.imported_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(asked(query), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(asked(query), list),
        search_label=_("课程名"),
        filters=(Filter(key="state", label=_("状态"), choices=(Choice(value="withdrawn", label=_("已停用")),)),),
        actions=(first,) if may_import else (),
        empty=EmptyState(
            title=_("还没有课程"),
            text=_("导入一门 cmi5 课程，就能布置给班级。"),
            icon="book-2",
            action=first if may_import else None,
        ),
    )
    context = {"tabs": courses_tabs(reach, "courses"), "title": _("课程"), "breadcrumbs": crumbs((_("班级课程"), ""))}
    context["actions"] = spec.actions
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest) -> HttpResponseBase:
    """A file becomes a course, or a sentence that says what to mend."""
    actor, now = actor_of(request), clock.now()
    shelves = shelves_of(reach_of(actor, now=now))
    if not shelves:
        raise NotFound(_("没有找到这一页。"))
    form = CourseImportForm(posted(request), request.FILES or None, orgs=[(one.public_id, one.name) for one in shelves])

    def save() -> str:
        told = form.cleaned_data
        course = import_course(
            actor=actor,
            org_id=ids.decode("org", told["org"]),
            file=told["file"],
            is_open=told["is_open"],
            issuer=issuer_of(request),
            now=now,
        )
        return course_url(course)

    title = _("导入课程")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("检查并导入"),
        back=reverse("records:courses"),
        lead=_("先检查再保存：有一处不对就整门不导入，并写明怎样改。课程里的网页在隔离的窗口里运行，读不到平台的数据。"),
        done=_("已导入，现在可以布置给班级。"),
        breadcrumbs=crumbs((_("班级课程"), reverse("records:courses")), (title, "")),
    )


@never_cache
@require_safe
def course(request: HttpRequest, course_id: str) -> HttpResponseBase:
    """What is in a course, in its order, and how many take it."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    row = access_course(actor=actor, id=course_id_of(course_id), now=now, reach=reach)
    spec: ListSpec[CoursePart] = ListSpec(
        name="course_parts",
        title=_("课程内容"),
        columns=(
            Column(key="title", title=_("名称"), value=part_title),
            Column(key="kind", title=_("类型"), value=lambda part: _("单元") if part.kind == PartKind.UNIT else _("章节")),
            Column(key="move_on", title=_("达标要求"), value=requirement),
            Column(key="mastery", title=_("及格线"), value=_mastery, kind=CellKind.PERCENT, decimals=0),
        ),
        rows=lambda query: page_of(parts_of(row.pk), lambda part: part, number=query.number, size=query.size),
        stream=lambda query: stream_of(parts_of(row.pk), list),
    )
    context = _frame(row, reach, "course") | {"facts": _facts(row)}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, course_id: str) -> HttpResponseBase:
    """Give a course to a class that one teaches."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    row = access_course(actor=actor, id=course_id_of(course_id), now=now, reach=reach)
    classes = reach.classes_for(row)
    if not classes:
        raise NotFound(_("没有找到这一页。"))
    form = GiveCourseForm(posted(request), classes=[(one.public_id, one.name) for one in classes])

    def save() -> str:
        class_id = ids.decode("org", form.cleaned_data["class_org"])
        count = register_class(actor=actor, course_id=row.pk, class_id=class_id, issuer=issuer_of(request), now=now)
        told = ngettext("已布置给 %(count)s 名学生。", "已布置给 %(count)s 名学生。", count) % {"count": count}
        messages.success(request, told if count else _("班里的学生都已经有这门课程。"))
        return course_url(row, "course_people")

    title = _("布置给班级")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("布置给全班"),
        back=course_url(row),
        lead=_("“%(name)s”会出现在每名学生的“我的课程”里；已经在学的学生不受影响。") % {"name": course_title(row)},
        breadcrumbs=crumbs((course_title(row), course_url(row)), (title, "")),
    )


@require_POST
def look(request: HttpRequest, course_id: str) -> HttpResponseBase:
    """Take a course oneself, to see what pupils will see."""
    found = register_oneself(
        actor=actor_of(request), course_id=course_id_of(course_id), issuer=issuer_of(request), now=clock.now()
    )
    return redirect(registration_url(found))


@require_POST
def withdraw(request: HttpRequest, course_id: str) -> HttpResponseBase:
    withdraw_course(actor=actor_of(request), course_id=course_id_of(course_id), now=clock.now())
    messages.success(request, _("已停用，学生不能再打开；已有的进度都在。"))
    return redirect("records:course", course_id=course_id)


def _frame(row: Course, reach: Reach, current: str) -> dict[str, object]:
    """What the tabs of one course share."""
    names = (("course", _("内容")), ("course_people", _("学习进度")))
    tabs = [Tab(label=label, url=course_url(row, name), is_current=name == current) for name, label in names]
    return {
        "title": course_title(row),
        "state": course_state(row),
        "lead": best_title(row.description, "zh-hans"),
        "tabs": tabs,
        "actions": _actions(row, reach),
        "breadcrumbs": crumbs((_("班级课程"), reverse("records:courses")), (course_title(row), "")),
    }


def _actions(row: Course, reach: Reach) -> tuple[Action, ...]:
    if row.withdrawn_at is not None:
        return ()
    found = []
    if reach.classes_for(row):
        url = course_url(row, "give_course")
        found.append(Action(label=_("布置给班级"), url=url, icon="send", is_primary=True))
    found.append(Action(label=_("自己看看"), url=course_url(row, "look_at_course"), icon="eye", is_post=True))
    if reach.may_manage(row):
        count = count_of_course(row.pk).registered
        confirm = ngettext(
            "停用后 %(count)s 名学生不能再打开，进度会保留。要停用吗？",
            "停用后 %(count)s 名学生不能再打开，进度会保留。要停用吗？",
            count,
        ) % {"count": count}
        url = course_url(row, "withdraw_course")
        found.append(Action(label=_("停用"), url=url, icon="x", is_post=True, is_danger=True, confirm=confirm))
    return tuple(found)


def _facts(row: Course) -> list[Fact]:
    count = count_of_course(row.pk)
    size = _("%(count)d 个文件，%(size).1f MB") % {"count": row.file_count, "size": row.file_bytes / 1e6}
    return [
        Fact(label=_("给谁用"), value=row.org.name),
        Fact(label=_("单元"), value=row.unit_count),
        Fact(label=_("在学人数"), value=count.registered),
        Fact(label=_("已达标"), value=count.satisfied),
        Fact(label=_("文件"), value=size if row.folder else _("在别处，由网址打开")),
        Fact(label=_("课程标识"), value=row.publisher_id),
    ]


def _mastery(part: CoursePart) -> float | None:
    return None if part.mastery_score is None else 100 * float(part.mastery_score)


def people_frame(row: Course, reach: Reach) -> dict[str, object]:
    return _frame(row, reach, "course_people") | {"has_names": registrations_of(row, reach).exists()}
