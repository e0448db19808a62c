"""Learning as the lake holds it, by class, learner, activity and day; figures only, as they stood within the hour."""

from typing import Any

from shuren.records.data import ActivityLearning, ClassLearning, DayLearning, LearnerLearning, Learning, StatementFilter
from shuren.records.selectors.lake import conditions_of, day_in, rows_of

_MOST = 20_000
_SUMS = (
    "count(*) AS statements, count(DISTINCT person_id) AS learners, count(DISTINCT day) AS days, "
    "count(DISTINCT CASE WHEN activity = '' THEN NULL ELSE activity END) AS activities, "
    "sum(CASE WHEN success THEN 1 ELSE 0 END) AS passed, sum(CASE WHEN NOT success THEN 1 ELSE 0 END) AS failed, "
    "avg(score) AS mean_score, sum(seconds) AS all_seconds, max(stored) AS last_stored"
)


def learning_of(asked: StatementFilter) -> Learning:
    """All of it together."""
    where, params = conditions_of(asked)
    found = rows_of(f"SELECT {_SUMS} FROM records_statement WHERE {where}", params)  # noqa: S608  # no value
    return Learning(**(_told(found[0]) if found else _NOTHING))


def learning_by_class(asked: StatementFilter) -> list[ClassLearning]:
    """The orgs whose people learned, by path; at most 20,000."""
    where, params = conditions_of(asked)
    rows = rows_of(
        f"SELECT org_path, {_SUMS} FROM records_statement "  # noqa: S608  # no value
        f"WHERE {where} AND person_id IS NOT NULL GROUP BY org_path ORDER BY org_path LIMIT {_MOST}",
        params,
    )
    return [ClassLearning(**_told(row)) for row in rows]


def learning_by_person(asked: StatementFilter) -> dict[int, LearnerLearning]:
    """By row id of the person; whoever did nothing is not in it."""
    where, params = conditions_of(asked)
    rows = rows_of(
        f"SELECT person_id, {_SUMS} FROM records_statement "  # noqa: S608  # no value
        f"WHERE {where} AND person_id IS NOT NULL GROUP BY person_id ORDER BY person_id LIMIT {_MOST}",
        params,
    )
    return {int(row["person_id"]): LearnerLearning(**_told(row)) for row in rows}


def learning_by_activity(asked: StatementFilter) -> list[ActivityLearning]:
    """What was done, the lowest mean score first, what has none last; at most 20,000."""
    where, params = conditions_of(asked)
    rows = rows_of(
        f"SELECT activity, max(activity_name) AS activity_name, median(seconds) AS middle_seconds, {_SUMS} "  # noqa: S608
        f"FROM records_statement WHERE {where} AND activity <> '' AND person_id IS NOT NULL GROUP BY activity "
        f"ORDER BY mean_score NULLS LAST, learners DESC, activity LIMIT {_MOST}",
        params,
    )
    return [ActivityLearning(**_told(row)) for row in rows]


def learning_by_day(asked: StatementFilter) -> list[DayLearning]:
    """Days on which anybody learned, in their order."""
    where, params = conditions_of(asked)
    rows = rows_of(
        "SELECT day, count(DISTINCT person_id) AS learners, sum(seconds) AS seconds FROM records_statement "  # noqa: S608
        f"WHERE {where} AND person_id IS NOT NULL GROUP BY day ORDER BY day LIMIT {_MOST}",
        params,
    )
    return [DayLearning(day_in(row["day"]), int(row["learners"]), float(row["seconds"] or 0)) for row in rows]


def nothing_of(person_id: int) -> LearnerLearning:
    """Of somebody of whom nothing came."""
    return LearnerLearning(person_id=person_id, **_NOTHING)


def nothing_in(org_path: str) -> ClassLearning:
    """Of a class of which nothing came."""
    return ClassLearning(org_path=org_path, **_NOTHING)


_NOTHING: dict[str, Any] = {
    "statements": 0,
    "learners": 0,
    "days": 0,
    "activities": 0,
    "passed": 0,
    "failed": 0,
    "score": None,
    "seconds": 0.0,
    "last_stored": None,
}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Sums over no rows are nothing said, which is none."""
    told = {key: value for key, value in row.items() if key not in ("mean_score", "all_seconds")}
    told |= {key: int(row[key] or 0) for key in ("passed", "failed")}
    return told | {"score": row["mean_score"], "seconds": float(row["all_seconds"] or 0)}
