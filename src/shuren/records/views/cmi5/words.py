"""Words that the pages of courses share: states, requirements, tabs and crumbs."""

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shuren.kernel import ids
from shuren.pages.data import Status, Tab
from shuren.records.models import Course, CoursePart, CourseRegistration
from shuren.records.rules.cmi5.titles import best_title
from shuren.records.rules.cmi5.words import MoveOn
from shuren.records.selectors.cmi5.progress import PartStanding
from shuren.records.selectors.cmi5.reach import Reach

REQUIREMENTS = {
    MoveOn.PASSED: gettext_lazy("通过"),
    MoveOn.COMPLETED: gettext_lazy("学完"),
    MoveOn.BOTH: gettext_lazy("学完并通过"),
    MoveOn.EITHER: gettext_lazy("学完或通过"),
    MoveOn.NOT_APPLICABLE: gettext_lazy("不作要求"),
}


def course_id_of(text: str) -> int:
    return ids.decode("course", text)


def course_url(course: Course, name: str = "course") -> str:
    return reverse(f"records:{name}", args=[ids.encode("course", course.pk)])


def registration_url(registration: CourseRegistration) -> str:
    return reverse("records:course_of", args=[ids.encode("course_registration", registration.pk)])


def course_title(course: Course) -> str:
    return best_title(course.title, get_language() or "zh-hans") or course.name


def part_title(part: CoursePart) -> str:
    """Deeper parts stand further in; a wide space, for a table's cell drops the others."""
    return "　" * part.depth + (best_title(part.title, get_language() or "zh-hans") or part.publisher_id)


def requirement(part: CoursePart) -> str:
    return str(REQUIREMENTS[MoveOn(part.move_on)]) if part.move_on else "—"


def course_state(course: Course) -> Status:
    if course.withdrawn_at is not None:
        return Status(text=_("已停用"), tone="plain")
    return Status(text=_("可自己选学"), tone="good") if course.is_open else Status(text=_("老师布置"), tone="plain")


def standing_state(registration: CourseRegistration) -> Status:
    if registration.satisfied_at is not None:
        return Status(text=_("已达标"), tone="good")
    return Status(text=_("正在学"), tone="busy") if registration.last_at is not None else Status(text=_("没有开始"))


def part_state(row: PartStanding) -> Status:
    progress = row.progress
    if progress is not None and progress.waived_at is not None:
        return Status(text=_("免修"), tone="good")
    if progress is not None and progress.passed_at is not None:
        return Status(text=_("通过"), tone="good")
    if progress is not None and progress.completed_at is not None:
        return Status(text=_("学完"), tone="good" if row.is_satisfied else "busy")
    if progress is not None and progress.failed_at is not None:
        return Status(text=_("未通过"), tone="bad")
    if not row.is_unit:
        return Status(text=_("已达标"), tone="good") if row.is_satisfied else Status(text="—")
    if progress is not None and progress.launched_at is not None:
        return Status(text=_("打开过"), tone="busy")
    return Status(text=_("没有开始"))


def courses_tabs(reach: Reach, current: str) -> list[Tab]:
    """One's own courses, those one may choose, for staff those of their classes and branches, and how all of them learn."""
    names = [("my_courses", _("我的课程"))]
    if reach.attended:
        names.append(("courses_to_choose", _("可以选学")))
    if reach.is_staff:
        names.append(("courses", _("班级课程")))
        names.append(("classes_learning", _("班级学情")))
    if reach.attended or reach.results.person_ids:
        names.append(("my_learning", _("学习情况")))
    return [Tab(label=label, url=reverse(f"records:{name}"), is_current=name == current) for name, label in names]


def crumbs(*here: tuple[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "url": url} for label, url in ((_("课程"), reverse("records:my_courses")), *here)]
