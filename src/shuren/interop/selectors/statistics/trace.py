"""Who and what is behind a figure: the people, homerooms or orgs that a cell counted, for those who may see them."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, PersonRow, TallyAsked, TallyCondition, TallySubject
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import Kept, cell_of
from shuren.interop.rules.statistics.plan import Place, tallies_asked
from shuren.interop.selectors.statistics.templates import read
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page


@dataclass(frozen=True, slots=True)
class Traced:
    """What a cell counted: its `value` when it was prepared, and pages of who counts so now."""

    asked: TallyAsked
    condition: TallyCondition
    value: Kept

    @property
    def subject(self) -> TallySubject:
        return self.asked.subject

    def people(self, *, number: int, size: int) -> Page[PersonRow]:
        return directory.tallied_people(self.asked, self.condition, number=number, size=size)

    def orgs(self, *, number: int, size: int) -> Page[OrgData]:
        return directory.tallied_orgs(self.asked, self.condition, number=number, size=size)


def may_trace(row: StatisticsReport, *, actor: Actor, now: datetime) -> bool:
    """Whether `actor` may see the people of the unit."""
    return directory.scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now).covers(row.org.path)


def traced(row: StatisticsReport, place: Place, *, actor: Actor, now: datetime) -> Traced:
    """What is behind a counted cell of a unit's own form; `NotFound` for any other cell, and for whoever may not see people."""
    template = read(row.template)
    cell = template.plan.get(place)
    if row.is_sum or cell is None or cell.subject is None or not may_trace(row, actor=actor, now=now):
        raise NotFound(_("没有找到这个数的由来。"))
    asked = tallies_asked(template.spec, row.year, (row.org.path,))[cell.subject]
    return Traced(asked, cell.condition, cell_of(row.values, place))
