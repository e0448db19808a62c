"""What a new edition of code sets breaks, and what the sets are once it is taken: no database, no clock."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from shuren.standards.data import Authority, Break, BreakKind, CodeData, CodeSetData, EditionRow, Parents, SetDraft

Counted = Callable[[str, list[str]], Mapping[str, int]]


def breaks_of(
    draft: SetDraft, current: CodeSetData | None, *, on: date, is_own: bool, is_hidden: bool, used_by: list[str], counted: Counted
) -> Iterator[Break]:
    """Everything that taking `draft` in the place of `current` breaks.

    `is_own` marks a set that the software itself relies on, `is_hidden` one that the region's folder puts another in the place
    of; `used_by` names the elements that take their values from the set; `counted` how many stored values state which code.
    """
    if is_own:
        yield _break(BreakKind.OWN_SET, draft, value=draft.code)
        return
    if is_hidden:
        yield _break(BreakKind.HIDDEN, draft, value=draft.code, is_error=False)
    known: Mapping[str, CodeData] = current.codes if current else {}
    if draft.ends_on:
        if used_by:
            yield _break(BreakKind.SET_GONE, draft, value="、".join(used_by))
        yield from _ends(draft, known, on, used_by, counted)
        return
    for row in draft.rows.values():
        yield from _of_row(draft, row, known, on)
    yield from _ends(draft, known, on, used_by, counted)


def set_after(draft: SetDraft, current: CodeSetData | None, *, on: date) -> CodeSetData:
    """The set once the draft is taken; a code left out ends and stays known, so that stored values keep their meaning."""
    known: Mapping[str, CodeData] = current.codes if current else {}
    ends_on = draft.ends_on or on
    codes = {code: _code(row, known.get(code)) for code, row in draft.rows.items()}
    for code, old in known.items():
        if code not in codes:
            codes[code] = old if old.end and old.end <= ends_on else replace(old, end=ends_on)
    return CodeSetData(
        code=draft.code,
        name_zh=draft.name_zh or (current.name_zh if current else draft.code),
        name_en=draft.name_en or (current.name_en if current else ""),
        authority=draft.authority or (current.authority if current else Authority.INDUSTRY),
        reference=draft.reference or (current.reference if current else ""),
        codes=codes,
        parents=current.parents if current else Parents.NONE,
        part_of=current.part_of if current else "",
        note=current.note if current else "",
    )


def changes(after: CodeSetData, current: CodeSetData | None) -> Mapping[str, int]:
    """How many codes are new, changed, ended and as they were."""
    known: Mapping[str, CodeData] = current.codes if current else {}
    found = {"added": 0, "changed": 0, "ended": 0, "unchanged": 0}
    for code, one in after.codes.items():
        old = known.get(code)
        if old is None:
            found["added"] += 1
        elif one == old:
            found["unchanged"] += 1
        elif one.end and one.end != old.end:
            found["ended"] += 1
        else:
            found["changed"] += 1
    return found


def is_same_name(one: str, other: str) -> bool:
    """Whether two names differ by width, blanks and the form of brackets at most."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _of_row(draft: SetDraft, row: EditionRow, known: Mapping[str, CodeData], on: date) -> Iterator[Break]:
    old = known.get(row.code)
    if old is not None and not is_same_name(old.name_zh, row.name_zh):
        # A code keeps its meaning for ever: another name is another meaning, unless whoever publishes it says it was renamed.
        is_renamed = is_same_name(old.name_zh, row.former_name)
        kind = BreakKind.RENAMED if is_renamed else BreakKind.REUSED
        yield _break(kind, draft, row, value=f"{old.name_zh} → {row.name_zh}", is_error=not is_renamed)
    if not row.replaced_by:
        return
    if row.replaced_by not in draft.rows:
        yield _break(BreakKind.NO_SUCCESSOR, draft, row, value=f"{row.code} → {row.replaced_by}")
    elif _turns_round(row.code, draft.rows):
        yield _break(BreakKind.CIRCLE, draft, row, value=f"{row.code} → {row.replaced_by}")


def _turns_round(code: str, rows: Mapping[str, EditionRow]) -> bool:
    """Whether the successors of a code lead back to it."""
    seen: set[str] = set()
    following = rows[code].replaced_by
    while following in rows and following not in seen:
        if following == code:
            return True
        seen.add(following)
        following = rows[following].replaced_by
    return False


def _ends(draft: SetDraft, known: Mapping[str, CodeData], on: date, used_by: list[str], counted: Counted) -> Iterator[Break]:
    """Codes that can be chosen today and no more once the edition is in force, those that values state first of all."""
    gone = [code for code, old in known.items() if code not in draft.rows and old.is_valid_on(on)]
    ending = [code for code, row in draft.rows.items() if row.end and code in known and known[code].end is None]
    if not gone and not ending:
        return
    stored = counted(draft.code, [*gone, *ending])
    for code in gone:
        yield _end(BreakKind.CODE_GONE, draft, None, known[code], stored.get(code, 0), used_by)
    for code in ending:
        row = draft.rows[code]
        if stored.get(code) and not row.replaced_by:
            yield _end(BreakKind.CODE_ENDS, draft, row, known[code], stored[code], used_by)


def _end(kind: BreakKind, draft: SetDraft, row: EditionRow | None, old: CodeData, stored: int, used_by: list[str]) -> Break:
    value = f"{draft.code} {old.code} {old.name_zh}"
    if stored:
        value += f" × {stored:,}"
    if used_by:
        value += f" ({'、'.join(used_by)})"
    return _break(kind, draft, row, code=old.code, value=value, is_error=False)


def _break(
    kind: BreakKind, draft: SetDraft, row: EditionRow | None = None, *, code: str = "", value: str, is_error: bool = True
) -> Break:
    return Break(
        kind=kind,
        code_set=draft.code,
        code=row.code if row else code,
        sheet=row.sheet if row else draft.sheet,
        row=row.row if row else 0,
        value=value,
        is_error=is_error,
    )


def _code(row: EditionRow, old: CodeData | None) -> CodeData:
    return CodeData(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en or (old.name_en if old else ""),
        begin=row.begin or (old.begin if old else None),
        end=row.end,
        replaced_by=row.replaced_by,
    )
