"""Words as lists show them: found by what somebody types, codes with what lies above them, editions with what they changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from shuren.standards.data import CodeData, CodeSetData, ElementData
from shuren.standards.rules.editions import is_same_name
from shuren.standards.rules.hierarchy import depths, parent_of
from shuren.standards.selectors.editions import edition, edition_sets
from shuren.standards.selectors.words import code_set_before, code_sets, elements

# How a name is read aloud, for searching by pinyin; words lie below whoever knows it.
Aloud = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code with its place among the codes of its set; `successor` is the code that took its place, with its name."""

    code: CodeData
    depth: int
    above: str
    successor: CodeData | None


@dataclass(frozen=True, slots=True)
class CodeChange:
    """What an edition did to one code: `added`, `ended`, `renamed` or `changed`."""

    code_set: CodeSetData
    code: str
    change: str
    before: CodeData | None
    after: CodeData


def code_sets_like(text: str = "", *, authority: str = "", aloud: Aloud | None = None) -> list[CodeSetData]:
    """Code sets by code: what is typed is part of a name, of its reading, of the code or the reference, or a code's own name."""
    wanted = text.strip().casefold()
    kept = [one for one in code_sets() if not authority or one.authority == authority]
    if not wanted:
        return sorted(kept, key=lambda one: one.code)
    named = [one for one in kept if _is_like(wanted, (one.code, one.name_zh, one.name_en, one.reference), aloud)]
    if not named:
        named = [one for one in kept if any(wanted in code.name_zh for code in one.codes.values())]
    return sorted(named, key=lambda one: (not one.name_zh.startswith(wanted), one.code))


def codes_like(found: CodeSetData, text: str = "", *, on: date | None = None) -> list[CodeRow]:
    """The codes of a set in the order of the standard, with `on` only those valid that day."""
    wanted, deep = text.strip().casefold(), depths(found)
    return [
        CodeRow(one, deep[one.code], parent_of(one.code, found.codes, found.parents), found.codes.get(one.replaced_by))
        for one in found.codes.values()
        if one.is_valid_on(on) and _is_like(wanted, (one.code, one.name_zh, one.name_en), None)
    ]


def elements_like(text: str = "", *, grade: str = "", aloud: Aloud | None = None) -> list[ElementData]:
    """Elements by code, with their owners."""
    wanted = text.strip().casefold()
    return [
        one
        for one in elements()
        if (not grade or one.grade == grade)
        and _is_like(wanted, (one.code, one.name_zh, one.name_en, one.department, one.reference), aloud)
    ]


def changes_of_edition(number: int) -> list[CodeChange]:
    """Every code that an edition brought or altered, against what stood below it when it was taken."""
    row, found = edition(number), []
    for after in edition_sets(number):
        before = code_set_before(after.code, row.body)
        known = before.codes if before else {}
        for code, one in after.codes.items():
            old = known.get(code)
            if one != old:
                found.append(CodeChange(after, code, _change(old, one), old, one))
    return found


def _change(old: CodeData | None, new: CodeData) -> str:
    if old is None:
        return "added"
    if new.end and new.end != old.end:
        return "ended"
    return "changed" if is_same_name(old.name_zh, new.name_zh) else "renamed"


def _is_like(wanted: str, texts: tuple[str, ...], aloud: Aloud | None) -> bool:
    if any(wanted in text.casefold() for text in texts):
        return True
    return aloud is not None and wanted.isascii() and len(wanted) > 1 and wanted in aloud(texts[1])
