"""When two person rows may be one human being: evidence for and against, and a score."""

from dataclasses import dataclass
from datetime import date

THRESHOLD = 0.5

SAME_NATIONAL_ID = "same_national_id"
SAME_PUPIL_NUMBER = "same_pupil_number"
SAME_NAME_BIRTH_SEX = "same_name_birth_sex"
SAME_NAME = "same_name"
SAME_BIRTH_DATE = "same_birth_date"
SAME_PHONE = "same_phone"
SAME_EMAIL = "same_email"
OTHER_NATIONAL_ID = "other_national_id"
OTHER_BIRTH_DATE = "other_birth_date"
OTHER_SEX = "other_sex"
OTHER_NAME = "other_name"

# Each is the chance that the pair is one person if nothing else were known (a judgement, to be tuned on decided
# pairs); independent evidence multiplies what is left to doubt, evidence against divides the score.
_FOR = {
    SAME_NATIONAL_ID: 0.95,
    SAME_PUPIL_NUMBER: 0.9,
    SAME_NAME_BIRTH_SEX: 0.6,
    SAME_NAME: 0.2,
    SAME_BIRTH_DATE: 0.1,
    SAME_PHONE: 0.4,
    SAME_EMAIL: 0.5,
}
_AGAINST = {OTHER_NATIONAL_ID: 0.1, OTHER_BIRTH_DATE: 0.6, OTHER_SEX: 0.7, OTHER_NAME: 0.7}


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a person row is compared; empty values tell nothing."""

    name: str
    sex: str
    birth_date: date | None
    national_id_index: str = ""
    pupil_number: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one person and what against, and the score between 0 and 1."""

    marks: tuple[str, ...]
    score: float

    @property
    def is_enough(self) -> bool:
        return self.score >= THRESHOLD


def judged(one: Traits, other: Traits) -> Evidence:
    """Compare two rows; symmetric."""
    marks = _marks_for(one, other) + _marks_against(one, other)
    doubt = 1.0
    for mark in marks:
        doubt *= 1 - _FOR.get(mark, 0.0)
    score = 1 - doubt
    for mark in marks:
        score *= _AGAINST.get(mark, 1.0)
    return Evidence(tuple(marks), round(score, 3))


def _marks_for(one: Traits, other: Traits) -> list[str]:
    marks = []
    for mark, a, b in (
        (SAME_NATIONAL_ID, one.national_id_index, other.national_id_index),
        (SAME_PUPIL_NUMBER, one.pupil_number, other.pupil_number),
        (SAME_PHONE, one.phone, other.phone),
        (SAME_EMAIL, one.email.lower(), other.email.lower()),
    ):
        if a and a == b:
            marks.append(mark)
    same_name = one.name == other.name
    same_birth = one.birth_date is not None and one.birth_date == other.birth_date
    if same_name and same_birth and one.sex == other.sex:
        marks.append(SAME_NAME_BIRTH_SEX)
    elif same_name:
        marks.append(SAME_NAME)
    elif same_birth:
        marks.append(SAME_BIRTH_DATE)
    return marks


def _marks_against(one: Traits, other: Traits) -> list[str]:
    marks = []
    if one.national_id_index and other.national_id_index and one.national_id_index != other.national_id_index:
        marks.append(OTHER_NATIONAL_ID)
    if one.birth_date and other.birth_date and one.birth_date != other.birth_date:
        marks.append(OTHER_BIRTH_DATE)
    if {one.sex, other.sex} == {"1", "2"}:
        marks.append(OTHER_SEX)
    if one.name != other.name:
        marks.append(OTHER_NAME)
    return marks
