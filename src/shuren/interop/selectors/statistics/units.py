"""Who files which form, who stands above whom, and which units an officer looks after."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgStatus, OrgType, Permission, TallyAsked, TallySubject
from shuren.interop.rules.statistics.spec import UNITS, TemplateSpec
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

# These add up what was submitted to them; whatever stands between passes it on.
SUMMING = (OrgType.COUNTY, OrgType.CITY, OrgType.PROVINCE)
_OFFERED = 200
_AT_ONCE = 200


def access_unit(*, actor: Actor, id: int, now: datetime) -> OrgData:
    """A unit that files or sums forms, where `actor` may file statistics; otherwise `NotFound`."""
    org = directory.access_org(actor=actor, id=id, permission=Permission.FILE_STATISTICS, now=now)
    if org.type not in (*SUMMING, *UNITS):
        raise NotFound(_("没有找到这个填报单位。"))
    return org


def units_offered(*, actor: Actor, now: datetime) -> list[OrgData]:
    """The units `actor` files for, from the top down: their own, and those right below; `NotFound` for whoever has none."""
    scope = directory.scope_of(actor=actor, permission=Permission.FILE_STATISTICS, now=now)
    tops = [org for path in scope.paths for org in directory.subtree(path, (*SUMMING, *UNITS))[:1]]
    if not tops:
        raise NotFound(_("没有找到这个页面。"))
    return [unit for top in tops for unit in (top, *units_below(top))][:_OFFERED]


def is_summing(org: OrgData) -> bool:
    return org.type in SUMMING


def aboves_of(orgs: Collection[OrgData]) -> dict[int, int | None]:
    """The id of the unit that each of `orgs` submits to; None at the top."""
    known = directory.orgs_above(org.path for org in orgs)
    found: dict[int, int | None] = {}
    for org in orgs:
        chain = [int(step) for step in org.path.split("/") if step][:-1]
        found[org.id] = next((id for id in reversed(chain) if id in known and is_summing(known[id])), None)
    return found


def units_below(org: OrgData) -> list[OrgData]:
    """The units that submit to `org`, in order of the tree."""
    found: list[OrgData] = []
    waiting = directory.children_of(org.id) if is_summing(org) else []
    while waiting:
        child = waiting.pop(0)
        if child.type in (*SUMMING, *UNITS):
            found.append(child)
        elif child.type in (OrgType.AGENCY, OrgType.GROUP):
            waiting += directory.children_of(child.id)
    return found


def filing_units(template: TemplateSpec, year: int, orgs: Collection[OrgData]) -> list[OrgData]:
    """Those of `orgs` that fill the form in: of its kind, and with classes of its grades on its day."""
    units = [org for org in orgs if org.type == template.filed_by.type and org.status is not OrgStatus.MERGED]
    wanted = frozenset(template.filed_by.grades)
    if not wanted:
        return units
    found: set[str] = set()
    for start in range(0, len(units), _AT_ONCE):
        paths = tuple(org.path for org in units[start : start + _AT_ONCE])
        rows = directory.tally(TallyAsked(TallySubject.ORGS, template.day(year), paths))
        found |= {row.unit for row in rows if row.type is OrgType.CLASS and row.grade in wanted}
    return [org for org in units if org.path in found]
