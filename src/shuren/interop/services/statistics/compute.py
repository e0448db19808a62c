"""What the house answers of a form: counted in the directory, summed from registers and cases, asked of the lake."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from shuren.casework import api as casework
from shuren.datahub import api as datahub
from shuren.datahub.data import Reader
from shuren.directory import api as directory
from shuren.directory.data import OrgData, TallyRow, TallySubject
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import Cells, Number, added, kept_of, number_of, put
from shuren.interop.rules.statistics.plan import CellKind, Place, figures_asked, tallies_asked
from shuren.interop.rules.statistics.reading import Template
from shuren.kernel.data import SYSTEM

Counted = dict[str, dict[TallySubject, list[TallyRow]]]


def held_cells(template: Template, year: int, units: Sequence[OrgData], *, now: datetime) -> dict[int, Cells]:
    """Every cell that the house answers, by unit; nothing where it does not know. One statement per subject for all units."""
    counted = _counted(template, year, units)
    figures = figures_asked(template.spec, year)
    found: dict[int, Cells] = {}
    for unit in units:
        cells: Cells = {}
        _put_counts(template, counted[unit.path], cells)
        if figures:
            _put_figures(template, unit, year, cells)
        _put_lake(template, unit, year, cells, now)
        found[unit.id] = cells
    return found


def _counted(template: Template, year: int, units: Sequence[OrgData]) -> Counted:
    found: Counted = {unit.path: defaultdict(list) for unit in units}
    for subject, asked in tallies_asked(template.spec, year, tuple(unit.path for unit in units)).items():
        for row in directory.tally(asked):
            found[row.unit][subject].append(row)
    return found


def _put_counts(template: Template, rows: dict[TallySubject, list[TallyRow]], cells: Cells) -> None:
    for place, cell in template.plan.items():
        if cell.subject is not None:
            put(cells, place, directory.counted(rows.get(cell.subject, ()), cell.condition))


def _put_figures(template: Template, unit: OrgData, year: int, cells: Cells) -> None:
    asked = figures_asked(template.spec, year)
    named = {"/".join(place): figure for place, figure in asked.items()}
    told = casework.figures_of(named, path=unit.path, today=template.spec.day(year))
    for place in asked:
        put(cells, place, kept_of(told["/".join(place)], template.plan[place].places))


def _put_lake(template: Template, unit: OrgData, year: int, cells: Cells, now: datetime) -> None:
    """A question is asked as a reader of just this unit, and its first column of its first row is the answer."""
    for place, cell in template.plan.items():
        if cell.kind is CellKind.LAKE:
            reader = Reader(scope=(unit.path,), purpose=f"{template.spec.number} {year}", most_rows=1)
            table = datahub.ask_lake(cell.lake, reader=reader, actor=SYSTEM, now=now)
            told = table.column(0)[0].as_py() if table.num_rows and table.num_columns else None
            put(cells, place, kept_of(told, cell.places) if isinstance(told, int | float | Decimal) else None)


def summed_cells(template: Template, parts: Iterable[StatisticsReport]) -> tuple[Cells, dict[str, str]]:
    """The totals of what was submitted, and the revision of each report that went in, by row id."""
    totals: dict[Place, Number] = {}
    revisions: dict[str, str] = {}
    for part in parts:
        revisions[str(part.pk)] = str(part.revision)
        for place, cell in template.plan.items():
            if cell.kind not in (CellKind.SUM, CellKind.BLANK):
                number = number_of(part.values.get(place[0], {}).get(place[1]))
                if number is not None:
                    totals[place] = totals.get(place, 0) + number
    return added(template.plan, totals), revisions
