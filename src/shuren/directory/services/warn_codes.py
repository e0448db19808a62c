"""Look at codes as the standards write them: warn, never reject, for real registers hold codes that break the rules."""

from datetime import date

from shuren.directory.data import OrgType
from shuren.standards.api import (
    citizen_id_fault,
    credit_code_fault,
    division_fault,
    pupil_number_fault,
    school_code_fault,
)

_IDENTIFIED = frozenset({OrgType.SCHOOL, OrgType.TEACHING_POINT})
_CITIZEN_ID_LENGTH = 18


def org_warnings(code: str, division_code: str, credit_code: str, kind: OrgType) -> tuple[str, ...]:
    """Faults of an org's codes in words; an empty code is none."""
    faults = [
        school_code_fault(code) if code and kind in _IDENTIFIED else None,
        division_fault(division_code) if division_code else None,
        credit_code_fault(credit_code) if credit_code else None,
    ]
    return tuple(fault for fault in faults if fault)


def person_warnings(national_id: str, pupil_number: str, *, today: date) -> tuple[str, ...]:
    """Faults of a person's numbers in words; passports and other papers that are no citizen ids are not judged."""
    faults = [
        citizen_id_fault(national_id, today=today) if len(national_id) == _CITIZEN_ID_LENGTH else None,
        pupil_number_fault(pupil_number, today=today) if pupil_number else None,
    ]
    return tuple(fault for fault in faults if fault)
