"""What counts in a tally: one condition over rows of people, classes and orgs that are alike."""

from collections.abc import Collection, Iterable
from datetime import date

from shuren.directory.data import TallyCondition, TallyRow


def told_grade(written: str) -> str:
    """A grade by its code, however its roster writes it: 04 of OneRoster is 4."""
    return str(int(written)) if written.isdecimal() else written


def written_grades(grades: Collection[str]) -> frozenset[str]:
    """Every way in which rosters write these grades."""
    return frozenset(grades) | {grade.zfill(2) for grade in grades if grade.isdecimal()}


def counts_as(row: TallyRow, condition: TallyCondition) -> bool:
    """Whether what the row counts is meant; whose birth date is unknown is of no age."""
    return (
        (not condition.grades or row.grade in condition.grades)
        and (not condition.sexes or row.sex in condition.sexes)
        and (not condition.roles or not condition.roles.isdisjoint(row.roles))
        and (not condition.types or row.type in condition.types)
        and _is_within(row.age, condition.age_from, condition.age_below)
        and _is_within(row.size, condition.size_from, condition.size_below)
        and (condition.is_new is None or row.is_new is condition.is_new)
    )


def _is_within(value: int | None, begin: int | None, end: int | None) -> bool:
    if begin is None and end is None:
        return True
    return value is not None and (begin is None or value >= begin) and (end is None or value < end)


def counted(rows: Iterable[TallyRow], condition: TallyCondition) -> int:
    return sum(row.count for row in rows if counts_as(row, condition))


def born_by(day: date, years: int) -> date:
    """The latest birth date of somebody who has completed `years` on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February: whoever was born on 1 March is a day short
        return day.replace(year=day.year - years, day=28)
