"""Whom a teacher should look at first, by what came of their learning."""

from collections.abc import Iterable
from datetime import date, timedelta

from shuren.kernel import clock
from shuren.records.data import LearnerLearning, LearnerState

SHOWN = timedelta(days=29)
# A week without anything is the school week; fewer than five judged attempts say nothing about somebody.
FADES = timedelta(days=7)
MOST_UNJUDGED = 5
PASSES = 0.6
ORDER = (LearnerState.SILENT, LearnerState.STRUGGLING, LearnerState.FADING, LearnerState.FINE)


def state_of(learner: LearnerLearning, *, last_day: date | None, until: date) -> LearnerState:
    """Silent: nothing came. Struggling: of at least five judged attempts fewer than six in ten passed. Fading: nothing in the
    week that ends with `until`, though something before. `last_day` is the day of the last statement."""
    if learner.statements == 0 or last_day is None:
        return LearnerState.SILENT
    rate = learner.pass_rate
    if rate is not None and learner.passed + learner.failed >= MOST_UNJUDGED and rate < PASSES:
        return LearnerState.STRUGGLING
    return LearnerState.FADING if last_day <= until - FADES else LearnerState.FINE


def state_by(learner: LearnerLearning, *, until: date) -> LearnerState:
    last_day = clock.day_of(learner.last_stored) if learner.last_stored else None
    return state_of(learner, last_day=last_day, until=until)


def period(since: date | None, until: date | None, *, today: date) -> tuple[date, date]:
    """The days asked for, both inclusive; the last thirty where none were."""
    last = until or today
    return min(since or last - SHOWN, last), last


def days_between(since: date, until: date) -> Iterable[date]:
    return (since + timedelta(days=number) for number in range((until - since).days + 1))
