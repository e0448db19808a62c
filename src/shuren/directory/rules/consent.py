"""Who answers for a person, what their answers add up to, and what a recipient is then told.

Personal Information Protection Law, articles 13 to 16, 28 to 31: under fourteen a guardian answers, from fourteen on the
person; sensitive data want an answer of their own; an answer can be taken back as easily as it was given, and refusing
costs nobody the service itself.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from shuren.directory.data import ConsentDecision, ConsentState, DecidedAs, Withheld
from shuren.standards.data import Grade, MaskStyle

OWN_ANSWER_AGE = 14
FULL_AGE = 18
# Off until agreed to, whatever the grade; up to eighteen both the young person and a guardian answer.
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
OFF_BY_DEFAULT = frozenset({"wearables", "multimodal_analysis"})
# What a recipient is told of somebody in the service of the school without asking: the office, not the private life.
OF_OFFICE = frozenset({"person.name", "person.staff_number"})


def day_written(text: str) -> date | None:
    """The day that people write as 2026-09-01, 2026/9/1, 2026.9.1 or 2026年9月1日; None for what is no day."""
    found = _DAY.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def age_on(birth_date: date, day: date) -> int:
    """Full years; who was born on 29 February is a year older on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def deciders(*, purpose: str, birth_date: date | None, is_pupil: bool, day: date) -> frozenset[DecidedAs]:
    """Who must answer. A pupil whose birth date is not on file counts as a child, anybody else as grown up."""
    age = age_on(birth_date, day) if birth_date else (0 if is_pupil else FULL_AGE)
    if age < OWN_ANSWER_AGE:
        return frozenset({DecidedAs.GUARDIAN})
    if purpose in OFF_BY_DEFAULT and age < FULL_AGE:
        return frozenset({DecidedAs.SELF, DecidedAs.GUARDIAN})
    return frozenset({DecidedAs.SELF})


def state_of(answers: Mapping[DecidedAs, ConsentDecision], needed: Collection[DecidedAs]) -> ConsentState:
    """What the current answers to a notice in force add up to. One refusal of somebody who must answer is enough.

    An answer of somebody who need not answer (a guardian after the fourteenth birthday) no longer gives anything.
    """
    told = {side: answers[side] for side in needed if side in answers}
    for decision in (ConsentDecision.WITHDRAWN, ConsentDecision.REFUSED):
        if decision in told.values():
            return ConsentState(decision.value)
    if len(told) == len(needed):
        return ConsentState.GIVEN
    return ConsentState.OUTDATED if answers and not told else ConsentState.WAITING


def may_answer(
    *, actor_id: int | None, person_id: int, guardian_ids: Collection[int], needed: Collection[DecidedAs]
) -> DecidedAs | None:
    """In which right `actor_id` answers for the person; None if they may not."""
    if actor_id == person_id and DecidedAs.SELF in needed:
        return DecidedAs.SELF
    if actor_id in guardian_ids and DecidedAs.GUARDIAN in needed:
        return DecidedAs.GUARDIAN
    return None


def asks_again(*, before: Collection[str], after: Collection[str], is_reworded: bool) -> bool:
    """Whether a new version voids the answers to the one before: it asks for more, or says something else."""
    return is_reworded or not set(after) <= set(before)


def says_the_same(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether two versions use the same words, spaces apart, in every language that the earlier one speaks."""
    return all("".join(old.split()) in ("", "".join(new.split())) for old, new in zip(before, after, strict=True))


def is_in_force(begin_at: datetime, end_at: datetime | None, now: datetime) -> bool:
    return begin_at <= now and (end_at is None or now < end_at)


_STATES = {
    ConsentState.REFUSED: Withheld.REFUSED,
    ConsentState.WITHDRAWN: Withheld.WITHDRAWN,
    ConsentState.OUTDATED: Withheld.OUTDATED,
}


def withheld(
    *, element: str, grade: Grade, purpose: str, recipient: str, is_staff: bool, state: ConsentState, agreed: Collection[str]
) -> Withheld | None:
    """Why an element may not be told whole; None if it may.

    L1 is public. L2 goes to everybody whom the house lets ask. L3 stays in the house freely and goes to others with
    consent; L4, and every purpose that is off by default, wants consent inside and outside alike.
    """
    if grade is Grade.PUBLIC:
        return None
    is_off = purpose in OFF_BY_DEFAULT
    if not is_off:
        if grade is Grade.INTERNAL:
            return None
        if grade is Grade.PERSONAL and (not recipient or (is_staff and element in OF_OFFICE)):
            return None
    if state is ConsentState.GIVEN:
        return None if element in agreed else Withheld.NOT_ASKED_FOR
    return _STATES.get(state, Withheld.OFF if is_off else Withheld.NO_CONSENT)


def is_masked(reason: Withheld, grade: Grade, mask: MaskStyle) -> bool:
    """Whether the mask of a value is told in its stead: never after a no, never of L4, never where the mask hides nothing."""
    is_silent = reason in (Withheld.REFUSED, Withheld.WITHDRAWN, Withheld.OFF)
    return not is_silent and grade is not Grade.SENSITIVE and mask not in (MaskStyle.NONE, MaskStyle.ALL)
