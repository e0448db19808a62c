"""What came out of a draw, row by row, and how its checks ended."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Case, Draw
from shuren.casework.rules.draws import LOTTERY
from shuren.casework.rules.specs.form import FieldSpec
from shuren.casework.rules.specs.work import DrawSpec
from shuren.casework.rules.values import value_text
from shuren.casework.selectors.definitions import definition_named, flow_of, read_version, register_of
from shuren.casework.selectors.draws import check_cases
from shuren.kernel import ids


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row of the result: `place` counts from 1; in a lottery those behind the last place wait. `ended` says how a
    check that is closed came out; of others nothing is told.
    """

    place: int
    label: str
    org_name: str
    stratum: str
    inspectors: tuple[str, ...]
    is_in: bool = True
    case_number: str = ""
    case_id: str = ""
    ended: str = ""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """How large the frozen pools are, by stratum, and why pairs are barred."""

    strata: list[tuple[str, int, int]] = field(default_factory=list)
    barred: list[tuple[str, int]] = field(default_factory=list)


def drawn_rows(draw: Draw, *, with_cases: bool = False) -> list[DrawnRow]:
    """Rows in the order of the draw; whether cases are named is up to the page, how they ended is public."""
    objects = {ticket["id"]: ticket for ticket in draw.objects_pool}
    people = {ticket["id"]: ticket["label"] for ticket in draw.inspectors_pool}
    cases = check_cases(draw) if draw.result else {}
    strata = _strata_words(draw)
    found = []
    for place, row in enumerate(draw.result, start=1):
        ticket, case = objects[row["object"]], cases.get(row["object"])
        found.append(
            DrawnRow(
                place=place,
                label=ticket["label"],
                org_name=ticket["org_name"],
                stratum=strata[ticket["stratum"]],
                inspectors=tuple(people[name] for name in row["inspectors"]),
                is_in=draw.rules["kind"] != LOTTERY or place <= draw.rules["count"],
                case_number=case.number if case and with_cases else "",
                case_id=ids.encode("case", case.pk) if case and with_cases else "",
                ended=_ended(case),
            )
        )
    return found


def pool_facts(draw: Draw) -> PoolFacts:
    sizes = Counter(ticket["stratum"] for ticket in draw.objects_pool)
    strata = {ticket["id"]: ticket["stratum"] for ticket in draw.objects_pool}
    drawn = Counter(strata[row["object"]] for row in draw.result) if draw.rules["kind"] != LOTTERY else Counter()
    barred = Counter(number for ticket in draw.objects_pool for number in ticket["barred"].values())
    words = _strata_words(draw)
    reasons: list[dict[str, Any]] = draw.rules["conflicts"]
    return PoolFacts(
        strata=[(words[name], size, drawn[name]) for name, size in sorted(sizes.items())] if any(sizes) else [],
        barred=[(rule["reason"]["zh"], barred[number]) for number, rule in enumerate(reasons)],
    )


def _strata_words(draw: Draw) -> dict[str, str]:
    """What each stratum is called: the published file holds codes."""
    names = {ticket["stratum"] for ticket in draw.objects_pool}
    column = _strata_field(draw)
    return {name: value_text(column, name, get_language() or "zh-hans") if column else name for name in names}


def _strata_field(draw: Draw) -> FieldSpec | None:
    if draw.definition_version_id is None:
        return None
    spec: DrawSpec = read_version(draw.definition_version_id)
    register = register_of(definition_named(DefinitionKind.REGISTER, spec.objects).current_id or 0)
    return register.field_named(spec.strata)


def _ended(case: Case | None) -> str:
    if case is None or not case.end or case.flow_version_id is None:
        return ""
    end = flow_of(case.flow_version_id).end(case.end)
    return str(end.title) if end else ""
