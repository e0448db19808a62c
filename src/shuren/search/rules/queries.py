"""What a person typed, as conditions on tokens, the strictest first."""

from dataclasses import dataclass

import rjieba

from shuren.kernel.scope import Scope
from shuren.search.data import Part
from shuren.search.rules.pinyin import is_han, name_syllables, text_syllables
from shuren.search.rules.tokens import KEY, PERSON, PLACE, letter_tokens, normal, runs

MAX_QUERY = 60
_MAX_RUNS = 6


@dataclass(frozen=True, slots=True)
class Term:
    """One token, or with `is_prefix` every token that begins so."""

    text: str
    is_prefix: bool = False


# All groups must match; in a group one term is enough.
Condition = tuple[tuple[Term, ...], ...]


def stages(text: str) -> list[Condition]:
    """Whole key, then key that begins so, then everything typed found somewhere; empty if nothing can be searched."""
    stretches = runs(normal(text)[:MAX_QUERY])[:_MAX_RUNS]
    whole = "".join(stretches)
    if not whole:
        return []
    inside: list[tuple[Term, ...]] = []
    for run in stretches:
        inside.extend(_han_groups(run) if is_han(run[0]) else [_latin_group(run, is_alone=len(stretches) == 1)])
    return [((Term(KEY + whole),),), ((Term(KEY + whole, is_prefix=True),),), tuple(dict.fromkeys(inside))]


def within(scope: Scope, kinds: tuple[str, ...]) -> Condition:
    """The groups that keep a search inside `scope` and to `kinds` (empty: all kinds)."""
    places = [Term(PLACE + path.rstrip("/").rsplit("/", 1)[-1]) for path in scope.paths]
    people = [Term(f"{PLACE}{PERSON}.{person_id}") for person_id in sorted(scope.person_ids)]
    groups = [tuple(places + people)]
    if kinds:
        groups.append(tuple(Term(PLACE + kind) for kind in kinds))
    return tuple(groups)


def title_parts(kind: str, title: str, text: str) -> tuple[Part, ...]:
    """The title cut where the query matched, by its letters or by their readings."""
    marks = [False] * len(title)
    lowered = title.lower()
    if len(lowered) != len(title):
        return (Part(title, is_match=False),)
    for run in runs(normal(text)[:MAX_QUERY]):
        _mark_text(marks, lowered, run)
        if not is_han(run[0]):
            _mark_reading(marks, kind, title, run)
    return _cut(title, marks)


def _han_groups(run: str) -> list[tuple[Term, ...]]:
    """Titles are kept as pairs of letters, running text as words: every pair or every word must be there."""
    if len(run) == 1:
        return [(Term(run),)]
    pairs = letter_tokens(run)[len(run) :]
    words = [word for word in rjieba.cut_for_search(run) if word] or [run]
    return [tuple(dict.fromkeys((Term(pair), Term(word)))) for pair in pairs for word in words]


def _latin_group(run: str, *, is_alone: bool) -> tuple[Term, ...]:
    """A reading or number inside; standing alone, its keys have been tried by the stages before."""
    is_prefix = len(run) >= 2
    inside = Term(run, is_prefix)
    return (inside,) if is_alone else (inside, Term(KEY + run, is_prefix))


def _mark_text(marks: list[bool], title: str, run: str) -> None:
    at = title.find(run)
    while at >= 0:
        marks[at : at + len(run)] = [True] * len(run)
        at = title.find(run, at + len(run))


def _mark_reading(marks: list[bool], kind: str, title: str, run: str) -> None:
    """Mark the letters whose full reading, or initials, `run` spells."""
    letters = [at for at, letter in enumerate(title) if letter.isalnum()]
    bare = "".join(title[at] for at in letters)
    syllables = name_syllables(bare) if kind == PERSON else text_syllables(bare)
    if len(syllables) != len(letters):
        return
    for start in range(len(letters)):
        end = _spelled_until(syllables, start, run) or _initialled_until(syllables, start, run)
        if end:
            for at in letters[start:end]:
                marks[at] = True
            return


def _spelled_until(syllables: list[str], start: int, run: str) -> int:
    spelled = ""
    for at in range(start, len(syllables)):
        spelled += syllables[at]
        if spelled.startswith(run):
            return at + 1
        if not run.startswith(spelled):
            return 0
    return 0


def _initialled_until(syllables: list[str], start: int, run: str) -> int:
    initials = "".join(syllable[:1] for syllable in syllables[start : start + len(run)])
    return start + len(run) if initials == run and len(run) > 1 else 0


def _cut(title: str, marks: list[bool]) -> tuple[Part, ...]:
    parts: list[Part] = []
    start = 0
    for at in range(1, len(title) + 1):
        if at == len(title) or marks[at] != marks[start]:
            parts.append(Part(title[start:at], is_match=marks[start]))
            start = at
    return tuple(parts)
