"""Reads of the words. Meanings come from the registry's files, which every process holds in memory; owners from rows."""

import logging
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from yaml import YAMLError

from shuren.kernel.errors import Invalid, NotFound
from shuren.standards.data import Authority, CodeData, CodeSetData, DivisionData, ElementData, ElementType, Grade, MaskStyle
from shuren.standards.models import Element
from shuren.standards.rules import identifiers
from shuren.standards.rules.hierarchy import parent_of
from shuren.standards.rules.masking import holds_citizen_id, masked, without_citizen_id
from shuren.standards.rules.registry import (
    SHIPPED,
    Registry,
    RegistryFault,
    divisions,
    province_codes,
    read_registry,
    with_code_sets,
)
from shuren.standards.rules.tables import same_as, table_named, tables
from shuren.standards.selectors.editions import sets_in_force, stamp

logger = logging.getLogger(__name__)
_LOOK_AGAIN_S = 0.5


def registry() -> Registry:
    """The files of the package and of the packs, editions in force, then those of the region in `standards/` of the data folder
    and in its packs.

    A pack whose words cannot be read is left out and logged: a slip in one of them must not keep anybody from signing in.
    An edition that another process put into force is seen within half a second.
    """
    moment = monotonic()
    if moment > _Seen.until:
        _Seen.until, _Seen.stamp = moment + _LOOK_AGAIN_S, stamp()
    return _told(_Seen.stamp)


class _Seen:
    """Which editions this process has seen in force, and until when it need not look again."""

    until = 0.0
    stamp = (0, 0)


@lru_cache(maxsize=1)
def _told(_stamp: tuple[int, int]) -> Registry:
    told = _with_packs(read_registry([SHIPPED]), Path(settings.SHUREN_PACKS_SHIPPED))
    told = with_code_sets(told, sets_in_force())
    return _with_packs(_of_region(told), Path(settings.SHUREN_PACKS))


def _of_region(told: Registry) -> Registry:
    return read_registry([Path(settings.DATA_DIR) / "standards"], onto=told)


def _with_packs(told: Registry, packs: Path) -> Registry:
    for folder in sorted(packs.glob("*/standards")):
        try:
            told = read_registry([folder], onto=told)
        except (RegistryFault, YAMLError):
            logger.exception("the words of the pack %s cannot be read", folder.parent.name)
    return told


def known_elements() -> Mapping[str, ElementData]:
    """Every element as the files say it, without owners."""
    return registry().elements


def known_code_sets() -> Mapping[str, CodeSetData]:
    """Every code set by its code, those of the tables too; the codes of a table are read when they are asked for."""
    return {**tables(), **registry().code_sets}


def forget_registry() -> None:
    """Read the files again when they are next asked for: packs, editions or the region's words have changed."""
    _told.cache_clear()
    _Seen.until = 0.0


def words_with(folder: Path) -> tuple[Mapping[str, ElementData], Mapping[str, CodeSetData]]:
    """Elements and code sets as they would be with those of `folder`; `Invalid` says what is wrong there."""
    try:
        told = read_registry([folder], onto=registry())
    except (RegistryFault, YAMLError) as fault:
        raise Invalid(str(fault)) from fault
    return told.elements, told.code_sets


def elements() -> list[ElementData]:
    """Every data element with its owner, by code."""
    return [_element(row) for row in Element.objects.order_by("code")]


def element(code: str) -> ElementData:
    row = Element.objects.filter(pk=code).first()
    if row is None:
        raise NotFound(_("没有这个数据项。"))
    return _element(row)


def known_element(code: str) -> ElementData | None:
    """The element as the files say it, without its owner; costs no query."""
    return registry().elements.get(code)


def code_sets() -> list[CodeSetData]:
    return list(known_code_sets().values())


def code_set(code: str) -> CodeSetData:
    """A set by its code; a table that says the same as another set is that set."""
    found = registry().code_sets.get(code) or table_named(code)
    if found is None:
        led = same_as(code)
        if led == code:
            raise NotFound(_("没有这个代码集。"))
        return code_set(led)
    return found


def code_set_before(code: str, body: str | None) -> CodeSetData | None:
    """A set as it is, or as it was before the edition whose body this is; None where there was none then."""
    if body is None:
        return registry().code_sets.get(code) or table_named(code)
    told = _with_packs(read_registry([SHIPPED]), Path(settings.SHUREN_PACKS_SHIPPED))
    told = with_code_sets(told, sets_in_force(before=body))
    return told.code_sets.get(code) or table_named(code)


def sets_of_region() -> frozenset[str]:
    """The sets that the region's own files state: no edition changes those."""
    shipped = Registry(elements={}, code_sets=known_code_sets())
    told = _with_packs(_of_region(shipped), Path(settings.SHUREN_PACKS)).code_sets
    return frozenset(code for code, one in told.items() if one is not shipped.code_sets.get(code))


def sets_of_platform() -> frozenset[str]:
    """The sets that the software itself relies on: no edition changes those either."""
    return frozenset(code for code, one in read_registry([SHIPPED]).code_sets.items() if one.authority is Authority.LOCAL)


def code_above(code_set_code: str, code: str) -> str:
    """The code right above this one; empty at the top, and in a set without levels."""
    found = code_set(code_set_code)
    return parent_of(code, found.codes, found.parents)


def codes(code_set_code: str, *, on: date | None = None) -> list[CodeData]:
    """The codes of a set, in the order of the standard; with `on` only those valid on that day."""
    return [code for code in code_set(code_set_code).codes.values() if code.is_valid_on(on)]


def code_label(code_set_code: str, code: str, language: str | None = None) -> str:
    """What a code means in `language` (the reader's unless given); a code not in the set is returned as it is."""
    found = code_set(code_set_code).codes.get(code)
    return found.name(language or get_language() or "") if found else code


def is_code(code_set_code: str, code: str, *, on: date | None = None) -> bool:
    found = code_set(code_set_code).codes.get(code)
    return found is not None and found.is_valid_on(on)


def current_code(code_set_code: str, code: str) -> str:
    """The code that took the place of `code`, through as many replacements as there were; itself if none."""
    known = code_set(code_set_code).codes
    seen = {code}
    while code in known and known[code].replaced_by and known[code].replaced_by not in seen:
        code = known[code].replaced_by
        seen.add(code)
    return code


def mask(value: str | date | None, element_code: str, *, may_see: bool, may_reveal: bool = False) -> str:
    """The value for a page: whole for those who may see it, else as the element's mask leaves it.

    A value that states a citizen id is whole only where a reading of L4 has been allowed and written down: `may_reveal`.
    """
    if not may_reveal and is_sensitive(value, element_code):
        assert isinstance(value, str)
        return without_citizen_id(value)
    style = MaskStyle.NONE if may_see else registry().elements[element_code].mask
    return masked(value, style)


def meaning_of(element_code: str) -> ElementData:
    """Grade, mask and name of an element as the files write them, without a query and without its owner."""
    return registry().elements[element_code]


def grade_of(element_code: str) -> Grade:
    return registry().elements[element_code].grade


def is_sensitive(value: str | date | None, element_code: str) -> bool:
    """Whether a value of an element graded below L4 is L4 by what it states: the grade follows the content."""
    return grade_of(element_code) is not Grade.SENSITIVE and holds_citizen_id(value)


def division_name(code: str) -> str:
    """Name of a province, city or county; empty when the code is not known."""
    return divisions().get(code[:6].ljust(6, "0"), "")


def divisions_under(code: str) -> list[DivisionData]:
    """The next level under a province or city code; provinces under an empty one."""
    digits = code.rstrip("0") if len(code) == 6 else code
    digits += "0" * (len(digits) % 2)
    level = len(digits) + 2
    found: Mapping[str, str] = divisions()
    return [
        DivisionData(code=known, name=name)
        for known, name in found.items()
        if known.startswith(digits) and known[level:].strip("0") == "" and known[level - 2 : level] != "00"
    ]


def citizen_id_fault(text: str, *, today: date) -> str | None:
    """What is wrong with a citizen id (GB 11643), or None."""
    return identifiers.citizen_id_fault(text, provinces=province_codes(), today=today)


def school_code_fault(text: str) -> str | None:
    """What is wrong with a ten-digit school identifier, or None."""
    return identifiers.school_code_fault(text, provinces=province_codes())


def pupil_number_fault(text: str, *, today: date) -> str | None:
    """What is wrong with a 学籍号, or None."""
    return identifiers.pupil_number_fault(text, provinces=province_codes(), today=today)


def division_fault(text: str) -> str | None:
    """What is wrong with a GB/T 2260 code, or None."""
    return identifiers.division_fault(text, divisions=divisions())


def _element(row: Element) -> ElementData:
    return ElementData(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        type=ElementType(row.type),
        grade=Grade(row.grade),
        length=row.length,
        unit=row.unit,
        code_set=row.code_set_id or "",
        mask=MaskStyle(row.mask),
        reference=row.reference,
        owner_org_id=row.owner_org_id,
        source=row.source,
        department=row.department,
    )
