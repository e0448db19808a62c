"""Reads of the words. Meanings come from the registry's files, which every process holds in memory; owners from rows."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.kernel.errors import NotFound
from shuren.standards.data import CodeData, CodeSetData, DivisionData, ElementData, ElementType, Grade, MaskStyle
from shuren.standards.models import Element
from shuren.standards.rules import identifiers
from shuren.standards.rules.masking import holds_citizen_id, masked, without_citizen_id
from shuren.standards.rules.registry import SHIPPED, Registry, divisions, province_codes, read_registry


@cache
def registry() -> Registry:
    """The files of the package, then those of the region in `standards/` of the data folder."""
    return read_registry([SHIPPED, Path(settings.DATA_DIR) / "standards"])


def elements() -> list[ElementData]:
    """Every data element with its owner, by code."""
    return [_element(row) for row in Element.objects.order_by("code")]


def element(code: str) -> ElementData:
    row = Element.objects.filter(pk=code).first()
    if row is None:
        raise NotFound(_("没有这个数据项。"))
    return _element(row)


def code_sets() -> list[CodeSetData]:
    return list(registry().code_sets.values())


def code_set(code: str) -> CodeSetData:
    found = registry().code_sets.get(code)
    if found is None:
        raise NotFound(_("没有这个代码集。"))
    return found


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
    )
