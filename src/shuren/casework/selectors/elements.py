"""The data elements of the region as whoever builds forms reads them: where each is asked, and who answers for it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition
from shuren.casework.rules.one_source import register_in
from shuren.casework.selectors.prefill import place_words
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.standards import api as standards
from shuren.standards.data import ElementData


@dataclass(frozen=True, slots=True)
class ElementRow:
    """`source` is in words, empty for a fact that is asked wherever it is needed."""

    element: ElementData
    source: str
    owner: OrgData | None


def page_of_elements(
    *, search: str = "", grade: str = "", has_owner: bool | None = None, number: int, size: int
) -> Page[ElementRow]:
    """A page of the elements by code; `search` is part of a name in either language, of the code or of the department."""
    wanted = search.strip().casefold()
    found = [
        element
        for element in standards.elements()
        if (not grade or element.grade == grade)
        and has_owner in (None, element.owner_org_id is not None)
        and any(wanted in text.casefold() for text in (element.code, element.name_zh, element.name_en, element.department))
    ]
    rows = _rows(found[(number - 1) * size : number * size])
    return Page(rows=rows, total=len(found), is_exact=True, number=number, size=size)


def may_name_owners(*, actor: Actor, now: datetime) -> bool:
    """Whoever may define for the whole region: its words are everybody's."""
    root = directory.root_org()
    return root is not None and directory.scope_of(actor=actor, permission=Permission.DEFINE_CASEWORK, now=now).covers(root.path)


def access_element(*, actor: Actor, code: str, now: datetime) -> ElementData:
    """An element whose owner the actor may name."""
    if not may_name_owners(actor=actor, now=now):
        raise NotFound(_("没有找到这个数据元。"))
    return standards.element(code)


def _rows(elements: list[ElementData]) -> list[ElementRow]:
    owners = directory.orgs_by_ids(element.owner_org_id for element in elements if element.owner_org_id is not None)
    keys = {register_in(element.source) for element in elements}
    registers = Definition.objects.filter(kind=DefinitionKind.REGISTER.value, key__in=keys - {""})
    titles = {row.key: row.title for row in registers}
    return [
        ElementRow(
            element=one,
            source=place_words(one.source, titles) if one.source else "",
            owner=owners.get(one.owner_org_id) if one.owner_org_id else None,
        )
        for one in elements
    ]
