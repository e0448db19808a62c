"""Tools in classes: who sits in a class, which tools it may use, what hangs there, and how far its pupils are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType
from shuren.identity import api as identity
from shuren.interop.data import (
    ActivityProgress,
    AppData,
    GradingProgress,
    LaunchKind,
    LineItemData,
    ResultData,
    Seat,
    ToolLink,
)
from shuren.interop.models import App, LtiLineItem, LtiLink, LtiResult
from shuren.interop.rules.lti.bodies import on_scale
from shuren.interop.rules.lti.launch import origin_of
from shuren.interop.selectors.agreed import chosen_paths, installation_of, is_usable
from shuren.interop.selectors.apps import app_data, installations_at
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

_SEATS = {EnrollmentRole.TEACHER: Seat.TEACHER, EnrollmentRole.STUDENT: Seat.PUPIL}
_HATS = {Seat.TEACHER: (None, "teacher", "class_teacher"), Seat.PUPIL: (None, "pupil")}
_PERSONAL = ("person.name", "person.email")


@dataclass(frozen=True, slots=True)
class Place:
    """A class, and how somebody sits in it."""

    org: OrgData
    seat: Seat


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a class as a tool may know them; `told` are claims of personal data that may be told."""

    person_id: int
    subject: str
    seat: Seat
    told: dict[str, str]


def seats_of(actor: Actor, *, now: datetime) -> dict[int, Seat]:
    """Class id → seat of the actor in the chosen hat; whoever teaches and learns in one class teaches."""
    if actor.person_id is None or actor.app is not None:
        return {}
    found: dict[int, Seat] = {}
    for row in directory.enrollments_of_people([actor.person_id], day=clock.day_of(now)):
        seat = _SEATS[row.role]
        if actor.role in _HATS[seat] and found.get(row.class_id) is not Seat.TEACHER:
            found[row.class_id] = seat
    if actor.role in _HATS[Seat.TEACHER]:
        found |= dict.fromkeys(_led_by(actor.person_id, now), Seat.TEACHER)
    return found


def _led_by(person_id: int, now: datetime) -> list[int]:
    """Classes with which the person is affiliated as class teacher."""
    options = directory.role_options(person_id, now=now)
    named = [option.org_id for option in options if option.role.value == "class_teacher" and option.org_id is not None]
    return [org.id for org in directory.orgs_by_ids(named).values() if org.type is OrgType.CLASS]


def places_of(actor: Actor, *, now: datetime) -> list[Place]:
    seats = seats_of(actor, now=now)
    orgs = directory.orgs_by_ids(list(seats))
    return sorted((Place(org, seats[id]) for id, org in orgs.items()), key=lambda place: place.org.path)


def access_class(*, actor: Actor, id: int, now: datetime, is_teaching: bool = False) -> Place:
    """The class, if the actor sits in it (with `is_teaching`, as a teacher); otherwise `NotFound`."""
    seat = seats_of(actor, now=now).get(id)
    org = directory.orgs_by_ids([id]).get(id) if seat else None
    if seat is None or org is None or (is_teaching and seat is not Seat.TEACHER):
        raise NotFound(_("没有找到这个班级。"))
    return Place(org, seat)


def tools_of_class(path: str) -> list[AppData]:
    """LTI apps that are chosen for the class and running."""
    apps = {row.app_id: app_data(row.app) for row in installations_at([path]) if is_usable(row)}
    return [app for app in apps.values() if app.kind is LaunchKind.LTI and app.is_running and app.client_id]


def tool_of_class(app_id: int, path: str) -> AppData:
    """The tool, if the class may use it now; otherwise `NotFound`."""
    tool = next((app for app in tools_of_class(path) if app.id == app_id), None)
    if tool is None:
        raise NotFound(_("这个班没有选用这个应用，或者它已经停用。"))
    return tool


def origins_of_tools(app_ids: Iterable[int]) -> list[str]:
    """The origins of the tools' registered addresses."""
    versions = App.objects.filter(pk__in=list(app_ids)).values_list("current__launch_url", "current__redirect_uris")
    return sorted({origin_of(url) for launch_url, uris in versions for url in (launch_url, *uris)})


def deployment_of(app_id: int, path: str) -> str:
    """The deployment id: the org that chose the app. It stays the same when the org agrees to a newer entry."""
    found = installation_of(app_id, path)
    if found is None:
        raise NotFound(_("这个班没有选用这个应用，或者它已经停用。"))
    return ids.encode("org", found.org_id)


def link_data(row: LtiLink) -> ToolLink:
    return ToolLink(
        id=row.pk,
        public_id=ids.encode("lti_link", row.pk),
        app_id=row.app_id,
        class_id=row.class_org_id,
        title=row.title,
        text=row.text,
        url=row.url,
        custom=dict(row.custom),
    )


def links_of_classes(class_ids: Collection[int]) -> list[ToolLink]:
    """What hangs in the classes, the oldest first, at most a thousand."""
    rows = LtiLink.objects.filter(class_org_id__in=class_ids, removed_at__isnull=True).order_by("class_org_id", "id")
    return [link_data(row) for row in rows[:1000]]


def access_link(*, actor: Actor, id: int, now: datetime, is_teaching: bool = False) -> tuple[ToolLink, Place]:
    """The link, if the actor sits in its class; otherwise `NotFound`."""
    row = LtiLink.objects.filter(pk=id, removed_at__isnull=True).first()
    if row is None:
        raise NotFound(_("没有找到这个链接。"))
    return link_data(row), access_class(actor=actor, id=row.class_org_id, now=now, is_teaching=is_teaching)


def link_of_app(app: AppData, *, id: int, class_id: int) -> ToolLink:
    row = LtiLink.objects.filter(pk=id, app_id=app.id, class_org_id=class_id, removed_at__isnull=True).first()
    if row is None:
        raise NotFound(_("没有找到这个链接。"))
    return link_data(row)


def class_of_app(app: AppData, *, id: int) -> OrgData:
    """The class, if the app is chosen for it; otherwise `NotFound`."""
    org = directory.orgs_by_ids([id]).get(id)
    is_reached = org is not None and any(org.path.startswith(path) for path in chosen_paths(app))
    if org is None or org.type is not OrgType.CLASS or not is_reached or app.is_sandbox:
        raise NotFound(_("没有找到这个班级。"))
    return org


def members_of_class(org: OrgData, *, client_id: str, seat: Seat | None = None, now: datetime) -> list[Member]:
    """Members in order of person id, nothing told about them yet (see `with_told`)."""
    found: dict[int, Seat] = {}
    for row in directory.enrollments_of_paths([org.path], day=clock.day_of(now)):
        if row.class_id == org.id and found.get(row.person_id) is not Seat.TEACHER:
            found[row.person_id] = _SEATS[row.role]
    found |= dict.fromkeys(directory.class_teachers_of([org.id], day=clock.day_of(now))[org.id], Seat.TEACHER)
    wanted = sorted(id for id, held in found.items() if seat in (None, held))
    subjects = identity.subjects_of_people(person_ids=wanted, client_id=client_id)
    return [Member(id, subjects[id], found[id], {}) for id in wanted if id in subjects]


def with_told(members: Collection[Member], *, client_id: str, wished: Collection[str], now: datetime) -> list[Member]:
    """The members with the personal data that the tool asked for in its entry, as grade, purpose and consent allow."""
    elements = [element for element in _PERSONAL if element in wished]
    client = identity.client_by_client_id(client_id)
    if not elements or client is None:
        return list(members)
    told = directory.disclosed_people(
        person_ids=[member.person_id for member in members],
        elements=elements,
        purpose=client.purpose,
        recipient=client_id,
        now=now,
    )
    filled = []
    for member in members:
        about = told.get(member.person_id)
        claims = {}
        for element in elements if about else ():
            value = about.values.get(element, "") if about else ""
            # A masked name still tells two pupils apart; a masked address is none.
            if value and about and (element == "person.name" or element not in about.masked):
                claims[element.removeprefix("person.")] = str(value)
        filled.append(replace(member, told=claims))
    return filled


def line_item_data(row: LtiLineItem) -> LineItemData:
    return LineItemData(
        id=row.pk,
        public_id=ids.encode("lti_line_item", row.pk),
        class_id=row.class_org_id,
        label=row.label,
        score_maximum=row.score_maximum,
        resource_id=row.resource_id,
        tag=row.tag,
        link_id=row.link_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def line_items_of(app: AppData, *, class_id: int) -> QuerySet[LtiLineItem]:
    return LtiLineItem.objects.filter(app_id=app.id, class_org_id=class_id).order_by("id")


def line_item_of_app(app: AppData, *, id: int, class_id: int) -> LineItemData:
    """A line item of this app in this class; another app's answers `NotFound`."""
    row = line_items_of(app, class_id=class_id).filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个评分项。"))
    return line_item_data(row)


def sole_line_item_of_link(link_id: int) -> LineItemData | None:
    """The line item of a link, where there is exactly one (LTI-AGS 2.0, 3.1.1)."""
    rows = list(LtiLineItem.objects.filter(link_id=link_id)[:2])
    return line_item_data(rows[0]) if len(rows) == 1 else None


def result_data(row: LtiResult) -> ResultData:
    """Needs `line_item` at hand."""
    return ResultData(
        line_item_id=row.line_item_id,
        person_id=row.person_id,
        score=on_scale(row.score_given, row.score_maximum, row.line_item.score_maximum),
        comment=row.comment,
        activity=ActivityProgress(row.activity_progress),
        grading=GradingProgress(row.grading_progress),
        scored_at=row.scored_at,
    )


def results_of(line_item_ids: Iterable[int], *, person_ids: Collection[int] | None = None) -> QuerySet[LtiResult]:
    rows = LtiResult.objects.filter(line_item_id__in=list(line_item_ids)).select_related("line_item")
    rows = rows if person_ids is None else rows.filter(person_id__in=person_ids)
    return rows.order_by("line_item_id", "person_id")


def columns_of_class(class_id: int) -> list[LtiLineItem]:
    """The columns of all tools in a class, the newest first, at most thirty."""
    return list(LtiLineItem.objects.filter(class_org_id=class_id).select_related("app__current").order_by("-id")[:30])
