"""The face of the words."""

from shuren.standards.rules.identifiers import birth_date_in, citizen_id_check, credit_code_fault, sex_in
from shuren.standards.selectors import (
    citizen_id_fault,
    code_label,
    code_set,
    code_sets,
    codes,
    current_code,
    division_fault,
    division_name,
    divisions_under,
    element,
    elements,
    grade_of,
    is_code,
    mask,
    pupil_number_fault,
    school_code_fault,
)
from shuren.standards.services import load_registry, set_owner

__all__ = [
    "birth_date_in",
    "citizen_id_check",
    "citizen_id_fault",
    "code_label",
    "code_set",
    "code_sets",
    "codes",
    "credit_code_fault",
    "current_code",
    "division_fault",
    "division_name",
    "divisions_under",
    "element",
    "elements",
    "grade_of",
    "is_code",
    "load_registry",
    "mask",
    "pupil_number_fault",
    "school_code_fault",
    "set_owner",
    "sex_in",
]
