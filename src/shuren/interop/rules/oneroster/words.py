"""What the house's words are called in OneRoster."""

from collections.abc import Callable, Mapping

from shuren.directory.data import OrgType, Role

ORG_TYPES = {
    OrgType.PROVINCE.value: "state",
    OrgType.CITY.value: "district",
    OrgType.COUNTY.value: "district",
    OrgType.AGENCY.value: "local",
    OrgType.GROUP.value: "local",
    OrgType.SCHOOL.value: "school",
    OrgType.CAMPUS.value: "school",
    OrgType.TEACHING_POINT.value: "school",
    OrgType.DEPARTMENT.value: "department",
    OrgType.GRADE.value: "department",
}
ROLES = {
    Role.PUPIL.value: "student",
    Role.PARENT.value: "parent",
    Role.TEACHER.value: "teacher",
    Role.CLASS_TEACHER.value: "teacher",
    Role.HEAD.value: "principal",
    Role.SCHOOL_ADMIN.value: "siteAdministrator",
    Role.STAFF.value: "aide",
    Role.COUNTY_OFFICER.value: "districtAdministrator",
    Role.CITY_OFFICER.value: "districtAdministrator",
    Role.PROVINCE_OFFICER.value: "districtAdministrator",
    Role.EXPERT.value: "aide",
    Role.SYSTEM_ADMIN.value: "systemAdministrator",
}
SEXES = {"1": "male", "2": "female", "9": "unspecified"}
SESSION_TYPES = {word: word for word in ("gradingPeriod", "semester", "schoolYear", "term")}
CLASS_TYPES = {word: word for word in ("homeroom", "scheduled")}
ENROLLMENT_ROLES = {word: word for word in ("student", "teacher")}
FLAGS = {"1": "true", "": "false"}

_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda word, wanted: word == wanted,
    "!=": lambda word, wanted: word != wanted,
    ">": lambda word, wanted: word > wanted,
    ">=": lambda word, wanted: word >= wanted,
    "<": lambda word, wanted: word < wanted,
    "<=": lambda word, wanted: word <= wanted,
    "~": lambda word, wanted: wanted in word,
}


def meant(words: Mapping[str, str], operator: str, value: str) -> tuple[str, ...]:
    """The house's words whose OneRoster word compares so with the value: a closed list needs no index of the database."""
    compare = _COMPARE[operator]
    return tuple(own for own, word in words.items() if compare(word.lower(), value.lower()))
