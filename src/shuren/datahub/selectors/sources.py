"""Who produces what, as the keepers of data read it: owner, doors, how often others were refused, how many values wait."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from shuren.datahub.selectors.convergence import open_counts, owns
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.kernel.data import Actor
from shuren.kernel.paging import Page
from shuren.kernel.scope import Scope
from shuren.search import api as search
from shuren.standards import api as standards
from shuren.standards.data import ElementData, ProducerData, RefusalData

_NO_PLACES = (OrgType.CLASS, OrgType.GRADE)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """An element with whose it is; `refused` counts the writes beside it since a day, `waiting` the values to decide."""

    element: ElementData
    owner: OrgData | None
    producer: ProducerData | None
    writers: tuple[str, ...]
    refused: int
    waiting: int
    is_mine: bool


def page_of_sources(
    *,
    actor: Actor,
    search_words: str,
    has_owner: bool | None,
    department: str,
    is_mine: bool,
    since: date,
    number: int,
    size: int,
    now: datetime,
) -> Page[SourceRow]:
    """A page of the elements, those first that others tried to write."""
    refused, waiting = standards.refusal_counts(since=since), open_counts()
    wanted = search_words.strip().casefold()
    found = [
        one
        for one in standards.elements()
        if has_owner in (None, one.owner_org_id is not None)
        and department in ("", one.department)
        and any(wanted in text.casefold() for text in (one.code, one.name_zh, one.name_en, one.department))
        and (not is_mine or owns(one, actor=actor, now=now))
    ]
    found.sort(key=lambda one: (-refused.get(one.code, 0), -waiting.get(one.code, 0), one.code))
    shown = found[(number - 1) * size : number * size]
    producers = standards.producers_of(one.code for one in shown)
    ids = {one.owner_org_id for one in shown if one.owner_org_id}
    orgs = directory.orgs_by_ids(ids | {org_id for one in producers.values() for org_id in one.org_ids})
    rows = [
        SourceRow(
            element=one,
            owner=orgs.get(one.owner_org_id or 0),
            producer=producers.get(one.code),
            writers=_names(producers.get(one.code), orgs),
            refused=refused.get(one.code, 0),
            waiting=waiting.get(one.code, 0),
            is_mine=owns(one, actor=actor, now=now),
        )
        for one in shown
    ]
    return Page(rows=rows, total=len(found), is_exact=True, number=number, size=size)


def departments() -> list[str]:
    """Every department that produces an element."""
    return sorted({one.department for one in standards.known_elements().values() if one.department})


def page_of_refusals(*, element: ElementData, number: int, size: int) -> Page[tuple[RefusalData, str]]:
    """Who tried to write an element, latest day first, each with what their org is called."""
    found, total = standards.refusals_of(element_codes=[element.code], start=(number - 1) * size, size=size)
    orgs = directory.orgs_by_ids(one.org_id for one in found if one.org_id is not None)
    rows = [(one, orgs[one.org_id].name if one.org_id in orgs else "") for one in found]
    return Page(rows=rows, total=total, is_exact=True, number=number, size=size)


def orgs_like(words: str, *, limit: int = 10) -> list[OrgData]:
    """Orgs of the region whose name fits; their names are public."""
    root = directory.root_org()
    if root is None or not words.strip():
        return []
    hits = search.find(words, scope=Scope((root.path,)), kinds=("org",), limit=3 * limit).rows
    orgs = directory.orgs_by_ids([hit.object_id for hit in hits])
    found = [orgs[hit.object_id] for hit in hits if hit.object_id in orgs]
    return [org for org in found if org.type not in _NO_PLACES][:limit]


def _names(producer: ProducerData | None, orgs: dict[int, OrgData]) -> tuple[str, ...]:
    ids: Iterable[int] = sorted(producer.org_ids) if producer else ()
    return tuple(orgs[org_id].name for org_id in ids if org_id in orgs)
