"""Where each cell of a form comes from, once lines, columns and the form are put together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from shuren.casework.data import FigureAsked
from shuren.directory.data import TallyAsked, TallyCondition, TallySubject
from shuren.interop.rules.statistics.spec import (
    ColumnSpec,
    FigureSpec,
    LineSpec,
    PartSpec,
    SourceSpec,
    TemplateSpec,
    WhereSpec,
    school_year,
)

# A line and a column by their keys.
Place = tuple[str, str]


class CellKind(StrEnum):
    """`BLANK` cells are crossed out. The house answers the three after `SUM`; where it does not know, it asks."""

    BLANK = "blank"
    SUM = "sum"
    COUNT = "count"
    FIGURE = "figure"
    LAKE = "lake"
    TYPED = "typed"


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One cell; `addends` are the cells that a sum adds."""

    place: Place
    kind: CellKind
    places: int = 0
    addends: tuple[Place, ...] = ()
    subject: TallySubject | None = None
    condition: TallyCondition = field(default_factory=TallyCondition)
    figure: FigureSpec | None = None
    lake: str = ""


def plan_of(template: TemplateSpec) -> dict[Place, CellPlan]:
    """Every cell, line by line."""
    lines, columns = template.lines, template.columns
    return {(line.key, column.key): _cell(template, line, column) for line in lines for column in columns}


def _cell(template: TemplateSpec, line: LineSpec, column: ColumnSpec) -> CellPlan:
    place = (line.key, column.key)
    if column.key in line.blank or line.key in column.blank:
        return CellPlan(place, CellKind.BLANK)
    if line.sum:
        return CellPlan(place, CellKind.SUM, column.places, tuple((key, column.key) for key in line.sum))
    if column.sum:
        return CellPlan(place, CellKind.SUM, column.places, tuple((line.key, key) for key in column.sum))
    parts: tuple[SourceSpec, ...] = (line, column, template)
    # A column may be typed although its lines are counted: the source of a column goes before that of a line.
    source = next((part for part in (column, line, template) if part.is_source), None)
    if source is None or source.typed:
        return CellPlan(place, CellKind.TYPED, column.places)
    if source.count:
        return CellPlan(place, CellKind.COUNT, 0, subject=source.count, condition=_condition(parts))
    if source.lake:
        return CellPlan(place, CellKind.LAKE, column.places, lake=source.lake)
    return CellPlan(place, CellKind.FIGURE, column.places, figure=_figure(parts))


def _condition(parts: tuple[SourceSpec, ...]) -> TallyCondition:
    said = [part.where for part in parts]
    age = next((where.age for where in said if where.age), None)
    size = next((where.size for where in said if where.size), None)
    return TallyCondition(
        grades=frozenset(next((where.grades for where in said if where.grades), ())),
        sexes=next((where.sexes for where in said if where.sex), frozenset()),
        roles=frozenset(next((where.roles for where in said if where.roles), ())),
        types=frozenset(next((where.types for where in said if where.types), ())),
        age_from=age.begin if age else None,
        age_below=age.below if age else None,
        size_from=size.begin if size else None,
        size_below=size.below if size else None,
        is_new=next((where.new for where in said if where.new is not None), None),
    )


def _figure(parts: tuple[SourceSpec, ...]) -> FigureSpec:
    said = [part.figure for part in parts if part.figure]
    wheres = [figure.where for figure in said if figure.where]
    return FigureSpec(
        over=next((figure.over for figure in said if figure.over), ""),
        measure=next((figure.measure for figure in said if figure.measure), "count"),
        field=next((figure.field for figure in said if figure.field), ""),
        where=" and ".join(f"({where})" for where in wheres),
        among=next((figure.among for figure in said if figure.among), ""),
    )


def figures_asked(template: TemplateSpec, year: int) -> dict[Place, FigureAsked]:
    """The figures that the form asks for in a year."""
    found = {}
    for cell in plan_of(template).values():
        if cell.figure is not None:
            figure, words = cell.figure, school_year(year)
            where, among = (text.replace("{school_year}", words) for text in (figure.where, figure.among))
            found[cell.place] = FigureAsked(figure.over, figure.measure or "count", figure.field, where, among)
    return found


def tallies_asked(template: TemplateSpec, year: int, units: tuple[str, ...]) -> dict[TallySubject, TallyAsked]:
    """One count per subject that the form speaks of, telling apart every age at which a cell begins or ends."""
    ages: dict[TallySubject, set[int]] = {}
    for cell in plan_of(template).values():
        if cell.subject is not None:
            told = ages.setdefault(cell.subject, set())
            told |= {age for age in (cell.condition.age_from, cell.condition.age_below) if age is not None}
    day, since = template.day(year), template.since(year)
    return {subject: TallyAsked(subject, day, units, tuple(sorted(told)), since) for subject, told in ages.items()}


def wheres(template: TemplateSpec) -> Iterator[tuple[str, WhereSpec, SourceSpec]]:
    """Every condition with the place it is said at."""
    yield "where", template.where, template
    parts: list[tuple[str, PartSpec]] = [(f"columns.{part.key}.where", part) for part in template.columns]
    parts += [(f"lines.{part.key}.where", part) for part in template.lines]
    for path, part in parts:
        yield path, part.where, part
