"""Figures over registers and cases, as indicators say them: read row by row."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import TruncDate
from django.utils.timezone import localtime

from shuren.casework.data import DefinitionKind, FigureAsked
from shuren.casework.models import Case, Entry
from shuren.casework.rules.indicators import Figure, IndicatorRow, IndicatorValue, period_of
from shuren.casework.rules.specs.work import IndicatorSpec, figure_spec
from shuren.casework.rules.stages import values_of
from shuren.casework.selectors.definitions import definition_named
from shuren.directory import api as directory
from shuren.kernel.scope import next_path

_AT_ONCE = 2_000


def indicator_value(spec: IndicatorSpec, *, path: str, today: date) -> IndicatorValue:
    """The figure for a branch; a case counts once it was submitted, an entry while it is not removed.

    No scope is applied: callers have asked whether the branch may be seen.
    """
    orgs = directory.org_ids_within(path, types=spec.orgs) if spec.orgs else ()
    periods = _periods(spec) if spec.orgs and "period" in spec.per else ()
    figure = Figure(spec, today=today, orgs=orgs, periods=periods)
    for row in _rows(spec.over, path):
        figure.take(row)
    return figure.value()


def figures_of(asked: Mapping[str, FigureAsked], *, path: str, today: date) -> dict[str, float | None]:
    """Figures for a branch by their names; the rows of each source are read once for all its figures.

    None where no row of the branch answers `among`: nothing is known, which is not zero. No scope is applied.
    """
    found: dict[str, float | None] = {}
    sources: dict[str, dict[str, tuple[Figure, Figure]]] = {}
    for name, one in asked.items():
        there = Figure(figure_spec(FigureAsked(one.over, where=one.among)), today=today)
        sources.setdefault(one.over, {})[name] = Figure(figure_spec(one), today=today), there
    for over, figures in sources.items():
        for row in _rows(over, path):
            for figure, there in figures.values():
                figure.take(row)
                there.take(row)
        found |= {name: figure.value().value if there.value().counted else None for name, (figure, there) in figures.items()}
    return found


def _rows(over: str, path: str) -> Iterator[IndicatorRow]:
    """What each thing says, with its `state` and, for cases, `result` and `end` beside it, and what deciders wrote."""
    kind = over.partition(":")[0]
    within = _counted(over).filter(org_path__gte=path, org_path__lt=next_path(path)).order_by("pk")
    if kind == DefinitionKind.REGISTER:
        entries = within.values_list("data", "state", "org_path", "made_at")
        for data, state, org_path, made_at in entries.iterator(chunk_size=_AT_ONCE):
            yield IndicatorRow({**data, "state": state}, _line(org_path), localtime(made_at).date())
        return
    cases = within.values_list("data", "written", "state", "result", "end", "org_path", "submitted_at")
    for data, written, state, result, end, org_path, submitted_at in cases.iterator(chunk_size=_AT_ONCE):
        told = values_of(data, written) if kind == DefinitionKind.FLOW else data
        values = {**told, "state": state, "result": result, "end": end}
        yield IndicatorRow(values, _line(org_path), localtime(submitted_at).date())


def _counted(over: str) -> QuerySet[Any]:
    kind, _colon, key = over.partition(":")
    definition = definition_named(DefinitionKind(kind), key)
    if kind == DefinitionKind.REGISTER:
        return Entry.objects.filter(register=definition, removed_at__isnull=True)
    cases = Case.objects.filter(submitted_at__isnull=False)
    return cases.filter(**{"definition" if kind == DefinitionKind.FLOW else "form_version__definition": definition})


def _periods(spec: IndicatorSpec) -> set[str]:
    """The periods that anybody in the region has a row in."""
    day = "made_at" if spec.over.startswith("register:") else "submitted_at"
    told = KeyTextTransform(spec.period, "data") if spec.period else TruncDate(day)
    found = _counted(spec.over).annotate(told=told).order_by().values_list("told", flat=True).distinct()
    return {period for value in found if (period := period_of(value))}


def _line(org_path: str) -> tuple[int, ...]:
    return tuple(int(step) for step in org_path.strip("/").split("/") if step)
