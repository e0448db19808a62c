"""Look at codes as the standards write them: warn, never reject, for real registers hold codes that break the rules."""

import re
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
# The province of places that do not exist: synthetic provinces and demonstrations lie there, and no register knows it.
_NOWHERE = "99"
_SOMEWHERE = "11"


def org_warnings(code: str, division_code: str, credit_code: str, kind: OrgType) -> tuple[str, ...]:
    """Faults of an org's codes in words; an empty code is none."""
    return tuple(org_faults(code=code, division_code=division_code, credit_code=credit_code, kind=kind).values())


def org_faults(*, code: str, division_code: str, credit_code: str, kind: str) -> dict[str, str]:
    """Faults of an org's codes in words, by column; `kind` may be no `OrgType` while a file is still being checked."""
    faults = {
        "code": _school_fault(code) if code and kind in _IDENTIFIED else None,
        "division_code": _division_fault(division_code) if division_code else None,
        "credit_code": credit_code_fault(credit_code) if credit_code else None,
    }
    return {column: fault for column, fault in faults.items() if fault}


def _school_fault(code: str) -> str | None:
    return school_code_fault(code[:2] + _SOMEWHERE + code[4:] if code[2:4] == _NOWHERE else code)


def _division_fault(code: str) -> str | None:
    return None if re.fullmatch(_NOWHERE + "[0-9]{4}", code) else division_fault(code)


def person_warnings(national_id: str, pupil_number: str, *, today: date) -> tuple[str, ...]:
    """Faults of a person's numbers in words; passports and other papers that are no citizen ids are not judged."""
    faults = [
        citizen_id_fault(national_id, today=today) if len(national_id) == _CITIZEN_ID_LENGTH else None,
        pupil_number_fault(pupil_number, today=today) if pupil_number else None,
    ]
    return tuple(fault for fault in faults if fault)
