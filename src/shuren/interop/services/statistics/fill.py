"""What the house does not know, typed in; and why a figure that looks wrong is right."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import cell_of, kept_of, put, typed_number
from shuren.interop.rules.statistics.plan import Place
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.selectors.statistics.reports import COUNTING, access_report
from shuren.interop.selectors.statistics.templates import read
from shuren.interop.services.statistics.judge import is_asked, judge
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid

_LONGEST_WORD = 300


class CellsRefused(Invalid):
    """Some of what was typed is no number that its cell holds; nothing of it was kept. `faults` go by place."""

    def __init__(self, faults: Mapping[Place, str]) -> None:
        super().__init__(
            _("有 %(count)s 个单元格填得不对，都没有保存。") % {"count": len(faults)}, remedy=_("请改正标出的单元格。")
        )
        self.faults = dict(faults)


@transaction.atomic
def fill_report(
    *,
    actor: Actor,
    report_id: int,
    cells: Mapping[Place, str],
    explanations: Mapping[str, str] | None = None,
    is_rest_zero: bool = False,
    revision: int | None = None,
    now: datetime,
) -> StatisticsReport:
    """Keep typed cells (an empty text takes one back) and explanations; all of it, or nothing.

    Only cells that nobody else knows are taken. `is_rest_zero` puts 0 into what is asked and still empty. A `revision` that is no
    longer the latest is refused, so that nobody overwrites what another has filled in meanwhile.
    """
    row = open_report(actor=actor, report_id=report_id, now=now)
    if revision is not None and revision != row.revision:
        raise Conflict(_("这张表刚刚被别人改过。"), remedy=_("请刷新页面，再填一次。"))
    template = read(row.template)
    _take_cells(row, template, cells)
    if is_rest_zero:
        for place in template.plan:
            if is_asked(row, template, place) and cell_of(row.typed, place) is None:
                put(row.typed, place, kept_of(0, template.plan[place].places))
    told = {name: text.strip()[:_LONGEST_WORD] for name, text in (explanations or {}).items()}
    row.explanations = {name: text for name, text in {**row.explanations, **told}.items() if text}
    judge(row, template)
    row.revision += 1
    row.save()
    details = {"cells": len(cells), "explanations": len(told), "unknown": row.unknown_count}
    audit.record(actor=actor, action="interop.statistics_filled", target=f"statistics_report:{row.pk}", details=details, now=now)
    return row


def open_report(*, actor: Actor, report_id: int, now: datetime) -> StatisticsReport:
    """A report that may still be changed, held until the transaction ends."""
    row = access_report(actor=actor, id=report_id, now=now, locked=True)
    if row.state in COUNTING or not row.is_latest:
        raise Conflict(_("这张表已经提交，不能再改。"), remedy=_("要改就先由上级退回；已经冻结的，请更正。"))
    return row


def _take_cells(row: StatisticsReport, template: Template, cells: Mapping[Place, str]) -> None:
    faults: dict[Place, str] = {}
    for place, text in cells.items():
        if not is_asked(row, template, place):
            faults[place] = _("这个单元格由平台计算，不能填写。")
        elif not text.strip():
            put(row.typed, place, None)
        else:
            places = template.plan[place].places
            number = typed_number(text, places)
            if number is None:
                faults[place] = number_fault(places)
            else:
                put(row.typed, place, kept_of(number, places))
    if faults:
        raise CellsRefused(faults)


def number_fault(places: int) -> str:
    """What a cell takes, told to whoever typed something else."""
    return _("请填不小于 0、最多 %(places)s 位小数的数。") % {"places": places} if places else _("请填不小于 0 的整数。")
