"""How a class, a branch or one person learns, out of the records that apps told: what to teach again, and whom to look at."""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, PersonData
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.paging import page_of_rows
from shuren.pages.api import list_query, render_list
from shuren.pages.data import (
    CellKind,
    Chart,
    ChartKind,
    Choice,
    Column,
    EmptyState,
    Fact,
    Filter,
    ListQuery,
    ListSpec,
    Point,
    Series,
    Status,
    Tab,
)
from shuren.records.data import ActivityLearning, ClassLearning, LearnerLearning, LearnerState, Learning, StatementFilter
from shuren.records.rules.lake import org_at
from shuren.records.rules.learning import ORDER, days_between, period, state_by
from shuren.records.selectors.cmi5.reach import reach_of
from shuren.records.selectors.learning import (
    learning_by_activity,
    learning_by_class,
    learning_by_day,
    learning_by_person,
    learning_of,
    nothing_in,
    nothing_of,
)
from shuren.records.selectors.learning_reach import (
    LearningPlace,
    access_learner,
    access_learning_place,
    access_named_class,
    learners_of,
)
from shuren.records.views.cmi5.words import courses_tabs, crumbs
from shuren.records.views.days import day_asked, day_filters

Row = TypeVar("Row")
_TEMPLATE = "records/learning.html"
_LEAD = gettext_lazy("按应用送来的学习记录统计，每小时更新；不选日期时显示最近 30 天。")
STATES = {
    LearnerState.SILENT: (gettext_lazy("没有学习"), "bad"),
    LearnerState.STRUGGLING: (gettext_lazy("通过率低"), "bad"),
    LearnerState.FADING: (gettext_lazy("一周没有学习"), "warn"),
    LearnerState.FINE: (gettext_lazy("正常"), "good"),
}


@never_cache
@require_safe
def classes(request: HttpRequest) -> HttpResponseBase:
    """Classes one teaches, whether or not anything came of them, and those of one's branches of which something came."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    orgs: dict[str, OrgData] = {}

    def every(query: ListQuery) -> list[ClassLearning]:
        since, until = period_of(query, now)
        paths = tuple({*reach.watched.paths, *reach.results.paths, *(one.path for one in reach.taught)})
        found = {row.org_path: row for row in learning_by_class(StatementFilter(paths=paths, since=since, until=until))}
        told = directory.orgs_by_ids({org_at(path) for path in found} | {one.id for one in reach.taught})
        orgs.update({one.path: one for one in told.values() if one.type is OrgType.CLASS})
        return [found.get(path) or nothing_in(path) for path in sorted(orgs)]

    spec: ListSpec[ClassLearning] = ListSpec(
        name="classes_learning",
        title=_("班级学情"),
        columns=(
            Column(
                key="class", title=_("班级"), value=lambda row: orgs[row.org_path].name, url=lambda row: _url(orgs[row.org_path])
            ),
            Column(key="learners", title=_("学习人数"), value=lambda row: row.learners, kind=CellKind.NUMBER),
            *_figures(_of_class),
        ),
        rows=lambda query: page_of_rows(every(query), number=query.number, size=query.size),
        stream=every,
        filters=day_filters(),
        empty=EmptyState(
            title=_("没有可以看到的班级"),
            text=_("任课老师看到自己的班级；学校和各级管理人员看到有学习记录的班级。"),
            icon="chart-bar",
        ),
    )
    context = {
        "tabs": courses_tabs(reach, "classes_learning"),
        "title": _("课程"),
        "lead": _LEAD,
        "breadcrumbs": crumbs((_("班级学情"), "")),
    }
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_safe
def activities(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """What a class or branch did, the worst first: what to teach again."""
    actor, now = actor_of(request), clock.now()
    place = access_learning_place(actor=actor, id=ids.decode("org", org_id), now=now)
    spec = _activities_spec(lambda query: place.asked(period_of(query, now)), is_one=False)
    return render_list(request, spec, template=_TEMPLATE, context=_frame(request, spec, place, now, "learning_activities"))


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def learners(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """Every pupil of a class, those to look at first."""
    actor, now = actor_of(request), clock.now()
    place = access_named_class(actor=actor, id=ids.decode("org", org_id), now=now)
    people: dict[int, PersonData] = {}

    def every(query: ListQuery) -> list[tuple[LearnerState, LearnerLearning]]:
        found, (_since, until) = learning_by_person(place.asked(period_of(query, now))), period_of(query, now)
        people.update(directory.people_by_ids(place.pupils))
        rows = [(state_by(one, until=until), one) for one in (found.get(id) or nothing_of(id) for id in place.pupils)]
        wanted = query.filters.get("state", "")
        shown = [row for row in rows if not wanted or row[0].value == wanted]
        return sorted(shown, key=lambda row: (ORDER.index(row[0]), row[1].statements, people[row[1].person_id].name))

    spec: ListSpec[tuple[LearnerState, LearnerLearning]] = ListSpec(
        name="learning_learners",
        title=_("学生"),
        columns=(
            Column(
                key="person",
                title=_("学生"),
                value=lambda row: people[row[1].person_id].name or people[row[1].person_id].number,
                url=lambda row: reverse("records:learner", args=[people[row[1].person_id].public_id]),
            ),
            Column(key="state", title=_("状态"), value=lambda row: _status(row[0]), kind=CellKind.STATUS),
            Column(key="days", title=_("学习天数"), value=lambda row: row[1].days, kind=CellKind.NUMBER),
            *_figures(lambda row: row[1]),
        ),
        rows=lambda query: page_of_rows(every(query), number=query.number, size=query.size),
        stream=every,
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=tuple(Choice(value=state.value, label=str(word)) for state, (word, _tone) in STATES.items()),
            ),
            *day_filters(),
        ),
        empty=EmptyState(title=_("没有这样的学生"), text=_("换一个状态或一段日期再看。"), icon="users"),
    )
    return render_list(request, spec, template=_TEMPLATE, context=_frame(request, spec, place, now, "learning_learners"))


@never_cache
@sensitive_files(asked_by="export")
@require_safe
def learner(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """What one person did, wherever they belonged at the time."""
    actor, now = actor_of(request), clock.now()
    person = access_learner(actor=actor, id=ids.decode("person", person_id), now=now)

    def asked(query: ListQuery) -> StatementFilter:
        since, until = period_of(query, now)
        return StatementFilter(paths=None, since=since, until=until, person_ids=(person.id,))

    spec = _activities_spec(asked, is_one=True)
    told = asked(list_query(request, spec))
    whole, name = learning_of(told), person.name or person.number
    is_near = any(one.id == person.id for one in learners_of(actor, now=now))
    above = (_("学习情况"), reverse("records:my_learning")) if is_near else (_("班级学情"), reverse("records:classes_learning"))
    context = {
        "title": name,
        "lead": _LEAD,
        "facts": [Fact(label=_("学习天数"), value=whole.days), *_facts(whole)],
        "chart": _days_chart(told, is_one=True),
        "breadcrumbs": crumbs(above, (name, "")),
    }
    return render_list(request, spec, template=_TEMPLATE, context=context)


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponseBase:
    """One's own learning and one's children's; a single one is opened at once."""
    actor, now = actor_of(request), clock.now()
    people = learners_of(actor, now=now)
    if len(people) == 1:
        return redirect("records:learner", person_id=people[0].public_id)
    spec: ListSpec[PersonData] = ListSpec(
        name="my_learning",
        title=_("学习情况"),
        columns=(
            Column(
                key="person",
                title=_("姓名"),
                value=lambda row: row.name or row.number,
                url=lambda row: reverse("records:learner", args=[row.public_id]),
            ),
        ),
        rows=lambda query: page_of_rows(people, number=query.number, size=query.size),
        empty=EmptyState(
            title=_("没有学习情况"), text=_("学生看到自己的，家长看到孩子的；老师请看“班级学情”。"), icon="chart-bar"
        ),
    )
    context = {"tabs": courses_tabs(reach_of(actor, now=now), "my_learning"), "title": _("课程")}
    return render_list(request, spec, template="front/detail.html", context=context)


def period_of(query: ListQuery, now: datetime) -> tuple[date, date]:
    since, until = (day_asked(query.filters.get(key, "")) for key in ("since", "until"))
    return period(since, until, today=clock.day_of(now))


def _activities_spec(asked: Callable[[ListQuery], StatementFilter], *, is_one: bool) -> ListSpec[ActivityLearning]:
    """What was done, the lowest mean score first."""
    learned: Column[ActivityLearning] = Column(
        key="learners", title=_("学习人数"), value=lambda row: row.learners, kind=CellKind.NUMBER
    )
    return ListSpec(
        name="learner_activities" if is_one else "learning_activities",
        title=_("学习活动"),
        columns=(
            Column(key="activity", title=_("学习活动"), value=lambda row: row.activity_name or row.activity),
            *(() if is_one else (learned,)),
            Column(key="middle", title=_("一次用时中位数（秒）"), value=lambda row: row.middle_seconds, kind=CellKind.NUMBER),
            *_figures(_of_activity, has_activities=False),
        ),
        rows=lambda query: page_of_rows(learning_by_activity(asked(query)), number=query.number, size=query.size),
        stream=lambda query: learning_by_activity(asked(query)),
        filters=day_filters(),
        empty=EmptyState(
            title=_("这些天没有学习记录"), text=_("应用按 xAPI 或 cmi5 送来的记录每小时汇总一次。"), icon="chart-bar"
        ),
    )


def _figures(of: Callable[[Row], Learning], *, has_activities: bool = True) -> tuple[Column[Row], ...]:
    """Columns that every row of learning has."""
    done: Column[Row] = Column(key="activities", title=_("学习活动"), value=lambda row: of(row).activities, kind=CellKind.NUMBER)
    return (
        *((done,) if has_activities else ()),
        Column(key="judged", title=_("作答"), value=lambda row: of(row).passed + of(row).failed, kind=CellKind.NUMBER),
        Column(key="passed", title=_("通过率"), value=lambda row: _percent(of(row).pass_rate), kind=CellKind.PERCENT, decimals=0),
        Column(key="score", title=_("得分率"), value=lambda row: _percent(of(row).score), kind=CellKind.PERCENT, decimals=0),
        Column(key="minutes", title=_("用时（分钟）"), value=lambda row: round(of(row).seconds / 60), kind=CellKind.NUMBER),
        Column(key="last", title=_("最近学习"), value=lambda row: of(row).last_stored, kind=CellKind.DATETIME),
    )


def _of_class(row: ClassLearning) -> Learning:
    return row


def _of_activity(row: ActivityLearning) -> Learning:
    return row


def _facts(whole: Learning) -> list[Fact]:
    rates = ((_("通过率"), whole.pass_rate), (_("得分率"), whole.score))
    return [
        Fact(label=_("学习活动数"), value=whole.activities),
        Fact(label=_("记录"), value=whole.statements),
        Fact(label=_("用时（分钟）"), value=round(whole.seconds / 60)),
        *(Fact(label=label, value="—" if rate is None else f"{100 * rate:.0f}%") for label, rate in rates),
    ]


def _frame(request: HttpRequest, spec: ListSpec[Row], place: LearningPlace, now: datetime, current: str) -> dict[str, object]:
    """What the tabs of one class or branch share."""
    told = place.asked(period_of(list_query(request, spec), now))
    whole = learning_of(told)
    of_all = f"{whole.learners} / {len(place.pupils)}" if place.is_class else whole.learners
    names = [("learning_activities", _("学了什么")), *([("learning_learners", _("学生"))] if place.has_names else [])]
    tabs = [Tab(label=label, url=_url(place.org, name), is_current=name == current) for name, label in names]
    return {
        "title": place.org.name,
        "lead": _LEAD,
        "tabs": tabs if len(tabs) > 1 else [],
        "facts": [Fact(label=_("学习人数"), value=of_all), *_facts(whole)],
        "chart": _days_chart(told, is_one=False) if current == "learning_activities" else None,
        "breadcrumbs": crumbs((_("班级学情"), reverse("records:classes_learning")), (place.org.name, "")),
    }


def _days_chart(told: StatementFilter, *, is_one: bool) -> Chart | None:
    """How many learned each day, or how long one person did; None where nothing came, or for more than a year."""
    found = {one.day: one for one in learning_by_day(told)}
    if not found or told.since is None or told.until is None or (told.until - told.since).days > 366:
        return None
    worth = {day: one.seconds / 60 if is_one else one.learners for day, one in found.items()}
    points = tuple(Point(label=day.isoformat(), value=float(worth.get(day, 0))) for day in days_between(told.since, told.until))
    name = _("每天用时（分钟）") if is_one else _("每天学习人数")
    count = len(found)
    title = ngettext("有 %(count)s 天在学习", "有 %(count)s 天在学习", count) % {"count": count}
    return Chart(
        kind=ChartKind.TREND,
        title=title,
        series=(Series(name=name, points=points),),
        label_title=_("日期"),
        value_title=name,
        decimals=0,
        minimum=0,
    )


def _status(state: LearnerState) -> Status:
    word, tone = STATES[state]
    return Status(text=str(word), tone=tone)


def _url(org: OrgData, name: str = "learning_activities") -> str:
    return reverse(f"records:{name}", args=[org.public_id])


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
