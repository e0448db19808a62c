"""A report made whole: sums added up, checks asked anew, what is missing counted."""

from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.checks import Imbalance, imbalances, unknown_cells
from shuren.interop.rules.statistics.numbers import Cells, cell_of, completed, put
from shuren.interop.rules.statistics.plan import CellKind
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.selectors.statistics.reports import Beside, besides_of


def judge(row: StatisticsReport, template: Template, beside: Beside | None = None) -> list[Imbalance]:
    """Work out `values` of a report that a unit fills in, and what does not hold of it; nothing is written yet."""
    if not row.is_sum:
        known: Cells = {}
        for place, cell in template.plan.items():
            if cell.kind not in (CellKind.SUM, CellKind.BLANK):
                held = cell_of(row.held, place)
                put(known, place, held if held is not None else cell_of(row.typed, place))
        row.values = completed(template.plan, known)
    beside = beside or besides_of(template.spec, [row.org_id], row.year)[row.org_id]
    today = template.spec.day(row.year)
    found = list(imbalances(template.spec, row.values, others=beside.others, last=beside.last, today=today))
    row.unknown_count = len(unknown_cells(template.plan, row.values))
    row.imbalances = [{"check": one.check, "place": one.place, "is_error": one.is_error} for one in found]
    row.error_count = sum(one.is_error for one in found)
    row.warning_count = len(found) - row.error_count
    names = {one.name for one in found if not one.is_error}
    row.explanations = {name: text for name, text in row.explanations.items() if name in names}
    return found


def is_asked(row: StatisticsReport, template: Template, place: tuple[str, str]) -> bool:
    """Whether a cell is filled in by hand: nobody else knows it."""
    cell = template.plan.get(place)
    if cell is None or row.is_sum or cell.kind in (CellKind.SUM, CellKind.BLANK):
        return False
    return cell_of(row.held, place) is None
