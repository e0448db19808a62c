"""How classes, branches and single people learn, for programs of signed-in people."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of_rows
from shuren.records.data import ActivityLearning, LearnerLearning, LearnerState, Learning, StatementFilter
from shuren.records.rules.learning import period, state_by
from shuren.records.selectors.learning import learning_by_activity, learning_by_person, learning_of, nothing_of
from shuren.records.selectors.learning_reach import access_learner, access_learning_place, access_named_class

router = Router(tags=["learning"])


class LearningOut(Schema):
    """Figures of a period; rates are between 0 and 1, scores scaled as xAPI has them, null where nothing was judged or scored."""

    statements: int
    days: int
    activities: int
    passed: int
    failed: int
    pass_rate: float | None
    score: float | None
    seconds: float
    last_stored: datetime | None


class ActivityLearningOut(LearningOut):
    """What was done at one activity, and by how many."""

    activity: str
    name: str
    learners: int
    middle_seconds: float | None


class ActivityLearningPage(Schema):
    """One page, the lowest mean score first."""

    rows: list[ActivityLearningOut]
    total: int
    is_exact: bool
    page: int


class LearnerLearningOut(LearningOut):
    """One pupil, and whether somebody should look at them."""

    person_id: str
    person_name: str
    state: LearnerState


class LearnerLearningPage(Schema):
    """One page of the pupils of a class, by id."""

    rows: list[LearnerLearningOut]
    total: int
    is_exact: bool
    page: int


class LearningQuery(Schema):
    """Days, both inclusive, the last thirty where none are named; which page, and how many rows on it."""

    since: date | None = None
    until: date | None = None
    page: int = 1
    size: int = 50

    def days(self, now: datetime) -> tuple[date, date]:
        return period(self.since, self.until, today=clock.day_of(now))


@router.get(
    "/learning/orgs/{org_id}/activities",
    response=ActivityLearningPage,
    operation_id="list_learning_activities",
    summary="What a class or branch did, the lowest mean score first",
)
def list_learning_activities(request: HttpRequest, org_id: str, asked: Query[LearningQuery]) -> ActivityLearningPage:
    now = clock.now()
    place = access_learning_place(actor=actor_of(request), id=ids.decode("org", org_id), now=now)
    rows = learning_by_activity(place.asked(asked.days(now)))
    found = page_of_rows([_activity_out(row) for row in rows], number=max(asked.page, 1), size=_size(asked.size))
    return ActivityLearningPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get(
    "/learning/orgs/{org_id}/learners",
    response=LearnerLearningPage,
    operation_id="list_learning_learners",
    summary="How every pupil of a class learns",
)
def list_learning_learners(request: HttpRequest, org_id: str, asked: Query[LearningQuery]) -> LearnerLearningPage:
    now = clock.now()
    place = access_named_class(actor=actor_of(request), id=ids.decode("org", org_id), now=now)
    days = asked.days(now)
    told = learning_by_person(place.asked(days))
    shown = page_of_rows(place.pupils, number=max(asked.page, 1), size=_size(asked.size))
    names = directory.people_by_ids(shown.rows)
    rows = [_learner_out(told.get(id) or nothing_of(id), names[id].name, days[1]) for id in shown.rows if id in names]
    return LearnerLearningPage(rows=rows, total=shown.total, is_exact=shown.is_exact, page=shown.number)


@router.get("/learning/people/{person_id}", response=LearningOut, operation_id="read_learning", summary="How one person learns")
def read_learning(request: HttpRequest, person_id: str, asked: Query[LearningQuery]) -> LearningOut:
    now = clock.now()
    person = access_learner(actor=actor_of(request), id=ids.decode("person", person_id), now=now)
    since, until = asked.days(now)
    whole = learning_of(StatementFilter(paths=None, since=since, until=until, person_ids=(person.id,)))
    return LearningOut(**_figures(whole))


def _figures(row: Learning) -> dict[str, Any]:
    names = ("statements", "days", "activities", "passed", "failed", "pass_rate", "score", "seconds", "last_stored")
    return {name: getattr(row, name) for name in names}


def _activity_out(row: ActivityLearning) -> ActivityLearningOut:
    return ActivityLearningOut(
        **_figures(row),
        activity=row.activity,
        name=row.activity_name,
        learners=row.learners,
        middle_seconds=row.middle_seconds,
    )


def _learner_out(row: LearnerLearning, name: str, until: date) -> LearnerLearningOut:
    person_id = ids.encode("person", row.person_id)
    state = state_by(row, until=until)
    return LearnerLearningOut(**_figures(row), person_id=person_id, person_name=name, state=state)


def _size(size: int) -> int:
    return min(max(size, 1), SIZES[-1])
