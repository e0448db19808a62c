"""Whom a teacher should look at first, by what came of their learning."""

from collections.abc import Iterable
from datetime import date, timedelta

from shuren.records.data import LearnerLearning, LearnerState

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


def days_between(since: date, until: date) -> Iterable[date]:
    return (since + timedelta(days=number) for number in range((until - since).days + 1))
