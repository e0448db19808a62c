"""Rules of quality as files say them: which dataset, what must hold, and what is said when it does not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from shuren.datahub.data import QualityDimension, QualityRule
from shuren.datahub.rules.quality.conditions import check_condition, check_measure
from shuren.datahub.rules.quality.faults import RuleFault

_KEYS = {
    "code",
    "title",
    "dimension",
    "when",
    "column",
    "columns",
    "subject",
    "code_set",
    "pattern",
    "range",
    "holds",
    "days",
    "measured",
    "share",
    "least",
    "weight",
    "element",
    "remedy",
}
_FILE_KEYS = {"key", "dataset", "where", "rules"}
_NEEDED = {
    QualityDimension.COMPLETE: ("column",),
    QualityDimension.VALID: (),
    QualityDimension.UNIQUE: ("columns",),
    QualityDimension.CONSISTENT: ("holds",),
    QualityDimension.TIMELY: ("column", "days"),
    QualityDimension.PLAUSIBLE: (),
}
_WAYS_TO_BE_VALID = ("code_set", "pattern", "range", "holds")


CodesOf = Callable[[str], Iterable[str]]


def rules_in(said: object, *, place: str, codes_of: CodesOf) -> Iterator[QualityRule]:
    """The rules of one file `{dataset: …, rules: […]}`; a `RuleFault` says which rule of `place` is wrong and why.

    `codes_of` tells the codes of a code set, none for one that is not known.
    """
    for found in rules_or_faults(said, place=place, codes_of=codes_of):
        if isinstance(found, RuleFault):
            raise found
        yield found


def rules_or_faults(said: object, *, place: str, codes_of: CodesOf) -> Iterator[QualityRule | RuleFault]:
    """Each rule of a file or what is wrong with it: whoever checks a file is told of all its faults."""
    if not isinstance(said, dict) or not isinstance(said.get("dataset"), str) or not isinstance(said.get("rules"), list):
        yield RuleFault(place, "a file of rules names its dataset and lists its rules")
        return
    if unknown := set(said) - _FILE_KEYS:
        yield RuleFault(place, f"unknown keys: {', '.join(sorted(map(str, unknown)))}", str(min(map(str, unknown))))
    where = str(said.get("where", ""))
    try:
        if where:
            check_condition(where)
    except ValueError as error:
        yield RuleFault(place, str(error), "where")
        return
    seen: set[str] = set()
    for number, entry in enumerate(said["rules"]):
        name = str(entry.get("code", number)) if isinstance(entry, dict) else str(number)
        spot = f"{place}#{name if isinstance(entry, dict) and 'code' in entry else number + 1}"
        try:
            rule = _rule(entry, said["dataset"], where, codes_of)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            yield RuleFault(spot, reason, f"rules.{name}")
            continue
        if rule.code in seen:
            yield RuleFault(spot, "the code stands twice", f"rules.{name}")
        seen.add(rule.code)
        yield rule


def _rule(entry: Mapping[str, Any], dataset: str, where: str, codes_of: CodesOf) -> QualityRule:
    if unknown := set(entry) - _KEYS:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    dimension = QualityDimension(entry["dimension"])
    if missing := [key for key in _NEEDED[dimension] if key not in entry]:
        raise ValueError(f"a rule on {dimension} needs {', '.join(missing)}")
    when = str(entry.get("when", ""))
    if when:
        check_condition(when)
    columns = tuple(entry.get("columns", ()))
    for column in (*columns, str(entry.get("subject", "id"))):
        check_condition(f"{column} IS NULL")
    measured = str(entry.get("measured", ""))
    if dimension is QualityDimension.PLAUSIBLE and ("holds" in entry) == ("measured" in entry and "share" in entry):
        raise ValueError("a rule on plausible says what holds, or what is measured and its share")
    if measured:
        check_measure(measured)
    if measured and where:
        raise ValueError("what is measured is measured over all rows: such a rule stands in a file without where")
    title, remedy = entry["title"], entry.get("remedy", {})
    return QualityRule(
        code=str(entry["code"]),
        dataset=dataset,
        title_zh=title["zh"],
        title_en=title["en"],
        dimension=dimension,
        where=where,
        when=f"({where}) AND ({when})" if where and when else where or when,
        holds=_holds(entry, dimension, codes_of),
        columns=columns,
        subject=str(entry.get("subject", "id")),
        measured=measured,
        share=float(entry.get("share", 0)),
        least=int(entry.get("least", 0)),
        weight=float(entry.get("weight", 1)),
        element=str(entry.get("element", "")),
        remedy_zh=remedy.get("zh", ""),
        remedy_en=remedy.get("en", ""),
    )


def _holds(entry: Mapping[str, Any], dimension: QualityDimension, codes_of: CodesOf) -> str:
    """What must be true of a row, in SQL; empty where rows are not judged one by one."""
    if dimension is QualityDimension.COMPLETE:
        condition = f"coalesce(trim(CAST({entry['column']} AS VARCHAR)), '') <> ''"
    elif dimension is QualityDimension.TIMELY:
        condition = f"{entry['column']} >= today - {int(entry['days'])}"
    elif dimension is QualityDimension.VALID:
        condition = _valid(entry, codes_of)
    elif dimension is QualityDimension.CONSISTENT or "holds" in entry:
        condition = str(entry["holds"])
    else:
        return ""
    check_condition(condition)
    return condition


def _valid(entry: Mapping[str, Any], codes_of: CodesOf) -> str:
    ways = [way for way in _WAYS_TO_BE_VALID if way in entry]
    if len(ways) != 1:
        raise ValueError(f"a rule on valid needs one of {', '.join(_WAYS_TO_BE_VALID)}")
    if ways == ["holds"]:
        return str(entry["holds"])
    column = entry["column"]
    if ways == ["range"]:
        low, high = entry["range"]
        return f"{column} BETWEEN {low!r} AND {high!r}"
    if ways == ["pattern"]:
        return f"regexp_full_match({column}, {_text(entry['pattern'])})"
    codes = list(codes_of(entry["code_set"]))
    if not codes:
        raise ValueError(f"no code set is called {entry['code_set']}")
    return f"{column} IN ({', '.join(_text(code) for code in codes)})"


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
