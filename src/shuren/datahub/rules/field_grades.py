"""What the grade of a field drives: who sees it, what others see of it, and what is written down."""

from dataclasses import dataclass
from enum import StrEnum

from shuren.standards.data import Grade, MaskStyle


class GradeOrigin(StrEnum):
    """Where the grade of a field comes from; `NONE` is a gap."""

    OWN = "own"
    ASSET = "asset"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FieldDuties:
    """What a grade asks for: `mask` (`MaskStyle`) of those who may not see it, `access` and `trace` in words of the pages."""

    mask: str
    access: str
    trace: str


def duties_of(grade: str, mask: str) -> FieldDuties:
    """As the gate of the lake and the pages keep it; a field without a grade is treated as the most careful one."""
    if grade == Grade.PUBLIC.value:
        return FieldDuties(MaskStyle.NONE.value, "public", "writes")
    if grade == Grade.INTERNAL.value:
        return FieldDuties(MaskStyle.NONE.value, "internal", "writes")
    style = mask if mask and mask != MaskStyle.NONE.value else MaskStyle.ALL.value
    if grade == Grade.PERSONAL.value:
        return FieldDuties(style, "personal", "exports")
    return FieldDuties(style, "sensitive", "reads")


def field_class(element: str) -> str:
    """The class of a field by the subject of its data element; empty where it has none."""
    return element.partition(".")[0]
