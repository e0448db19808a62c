"""Look at codes as the standards write them: warn, never reject."""

from shuren.directory.data import OrgType

_IDENTIFIED = frozenset({OrgType.SCHOOL, OrgType.TEACHING_POINT, OrgType.CAMPUS})


def org_warnings(code: str, division_code: str, credit_code: str, kind: OrgType) -> tuple[str, ...]:
    """Problems of an org's codes in words; empty codes are no problem."""
    return ()


def person_warnings(national_id: str, pupil_number: str) -> tuple[str, ...]:
    return ()
