"""The first page a person sees: what awaits them, how their part of the region stands, what is new."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.directory import api as directory
from shuren.directory.data import CountKind, Permission, Role
from shuren.evaluation import api as evaluation
from shuren.evaluation.data import ReportLink
from shuren.front.navigation import Entry
from shuren.identity.api import actor_of, role_name, wardrobe
from shuren.identity.data import Hat, Wardrobe
from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import open_door
from shuren.messaging import api as messaging
from shuren.messaging.data import NoticeData

_IMPORTERS = frozenset({Permission.IMPORT_ROSTER, Permission.IMPORT_RESULTS})
_REPORTS_SHOWN = 5
# The hat whose page is shown first when a person wears several.
_LEADING = (
    Role.PROVINCE_OFFICER,
    Role.CITY_OFFICER,
    Role.COUNTY_OFFICER,
    Role.HEAD,
    Role.SCHOOL_ADMIN,
    Role.CLASS_TEACHER,
    Role.TEACHER,
    Role.SYSTEM_ADMIN,
    Role.SECURITY_ADMIN,
    Role.AUDIT_ADMIN,
    Role.EXPERT,
    Role.STAFF,
    Role.VENDOR,
    Role.PUPIL,
    Role.PARENT,
)


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do, with the button that begins it."""

    title: str
    note: str
    url: str
    action: str
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened."""

    text: str
    url: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Child:
    """A pupil with their newest reports, for the pupil and for the parents."""

    name: str
    url: str
    class_name: str
    reports: tuple[ReportLink, ...]


@never_cache
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    kept = wardrobe(request)
    hat = _leading_hat(actor, kept)
    recent = intake.imports(actor=actor, size=5).rows if kept.permissions & _IMPORTERS else []
    notices = messaging.notices_of(actor.person_id, size=5).rows if actor.person_id is not None else []
    context = {
        "greeting": _("%(name)s，您好") % {"name": actor.name},
        "lead": _lead(hat),
        "due": [*_imports_due(recent), *_notices_due(actor, kept)][:5],
        "counts": _counts(hat, kept),
        "children": _children(actor, kept, now=now),
        "reports": _reports(actor, kept, now=now),
        "changes": _changes(recent, notices),
        "shortcuts": _shortcuts(kept),
    }
    return render(request, "front/home.html", context)


@open_door
def health(request: HttpRequest) -> JsonResponse:
    """Whether the web process and its database answer; tells nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def _leading_hat(actor: Actor, kept: Wardrobe) -> Hat | None:
    worn = {hat.role: hat for hat in kept.hats if actor.role in (None, hat.role)}
    return next((worn[role] for role in _LEADING if role in worn), None)


def _lead(hat: Hat | None) -> str:
    if hat is None:
        return _("还没有身份。请联系本单位管理员。")
    if hat.role is Role.PARENT:
        return _("这里能看到孩子的测评报告，报告只说进步和下一步，没有排名。")
    if hat.role is Role.PUPIL:
        return _("这里能看到你自己的测评报告：哪里学得好，下一步练什么。")
    return _("%(org)s · %(role)s") % {"org": hat.org_name, "role": role_name(hat.role)}


def _imports_due(recent: list[ImportState]) -> list[Due]:
    due = []
    for state in recent:
        url = reverse("front:import", args=[ids.encode("import", state.id)])
        if state.options.get("is_carried"):
            continue
        if state.status is ImportStatus.READY:
            due.append(Due(_("%(file)s 检查通过，等您写入") % {"file": state.file_name}, state.title, url, _("核对并写入")))
        elif state.status is ImportStatus.REJECTED:
            note = ngettext("%(count)d 处错误", "%(count)d 处错误", state.error_count) % {"count": state.error_count}
            due.append(Due(_("%(file)s 有错误，没有写入") % {"file": state.file_name}, note, url, _("看问题和改法")))
    return due


def _notices_due(actor: Actor, kept: Wardrobe) -> list[Due]:
    """First steps where nothing is there yet, for whoever may take them."""
    root = directory.root_org() if Permission.IMPORT_ROSTER in kept.permissions else None
    if root is None or directory.count_of(root.id, CountKind.PEOPLE):
        return []
    url = reverse("front:new_import", args=["roster"])
    return [Due(_("先导入名册"), _("机构、人员和班级都从名册来"), url, _("导入名册"))]


def _shortcuts(kept: Wardrobe) -> list[Entry]:
    """What is done often and lies deeper than the navigation."""
    ways = (
        (Permission.IMPORT_ROSTER, _("导入名册"), reverse("front:new_import", args=["roster"]), "users"),
        (Permission.IMPORT_RESULTS, _("导入测验成绩"), reverse("front:new_import", args=["results"]), "clipboard-list"),
        (Permission.MANAGE_PEOPLE, _("疑似重复人员"), reverse("directory:duplicates"), "git-merge"),
    )
    return [Entry(label, url, icon) for permission, label, url, icon in ways if permission in kept.permissions]


def _counts(hat: Hat | None, kept: Wardrobe) -> list[dict[str, object]]:
    """How many schools, classes, pupils and teachers there are below the org of the hat, from kept counters."""
    if hat is None or hat.org_id is None or Permission.VIEW_REPORTS not in kept.permissions:
        return []
    held = directory.counts_of([hat.org_id])[hat.org_id]
    words = {
        CountKind.SCHOOLS: _("学校"),
        CountKind.CLASSES: _("班级"),
        CountKind.PUPILS: _("学生"),
        CountKind.TEACHERS: _("教师"),
    }
    is_single = {CountKind.SCHOOLS, CountKind.CLASSES}
    return [
        {"label": word, "value": held[kind], "is_bad": False}
        for kind, word in words.items()
        if held.get(kind, 0) > (1 if kind in is_single else 0)
    ]


def _reports(actor: Actor, kept: Wardrobe, *, now: datetime) -> list[ReportLink]:
    if Permission.VIEW_REPORTS not in kept.permissions:
        return []
    return evaluation.latest_reports(actor=actor, now=now, limit=_REPORTS_SHOWN)


def _children(actor: Actor, kept: Wardrobe, *, now: datetime) -> list[Child]:
    """The actor as a pupil, and the actor's children, each with the newest reports."""
    worn = {hat.role for hat in kept.hats if actor.role in (None, hat.role)}
    if actor.person_id is None or not worn & {Role.PUPIL, Role.PARENT}:
        return []
    wanted = [actor.person_id] if Role.PUPIL in worn else []
    day = clock.day_of(now)
    if Role.PARENT in worn:
        wanted += [link.ward_id for link in directory.wards_of([actor.person_id], day=day)]
    people = directory.people_by_ids(wanted)
    places = {row.person_id: row.class_id for row in directory.enrollments_of_people(wanted, day=day) if row.is_primary}
    classes = directory.orgs_by_ids(places.values())
    reports = evaluation.reports_of_people(actor=actor, now=now, person_ids=wanted)
    return [
        Child(
            name=people[person_id].name,
            url=f"/people/{people[person_id].public_id}/",
            class_name=classes[places[person_id]].name if places.get(person_id) in classes else "",
            reports=tuple(link for link in reports if people[person_id].public_id in link.url)[:_REPORTS_SHOWN],
        )
        for person_id in dict.fromkeys(wanted)
        if person_id in people
    ]


def _changes(recent: list[ImportState], notices: list[NoticeData]) -> list[Change]:
    told = [Change(notice.title, reverse("front:notice", args=[notice.public_id]), notice.at) for notice in notices]
    written = [
        Change(
            _("%(file)s 已写入") % {"file": state.file_name},
            reverse("front:import", args=[ids.encode("import", state.id)]),
            state.applied_at,
        )
        for state in recent
        if state.status is ImportStatus.APPLIED and state.applied_at and not notices
    ]
    return sorted([*told, *written], key=lambda change: change.at, reverse=True)[:5]
