"""The kinds of row a roster speaks of, and the cells by which two rows of a kind are told apart.

Both forms (OneRoster zip, workbook) are staged as the tables named here, all cells text, so that checks, differences
and writes are written once. Dates are `YYYY-MM-DD`, switches `true`/`false`, references the other row's sourced id.
"""

from dataclasses import dataclass

from shuren.directory.data import OrgType, Role


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row: its staged table, its database table, and the cells its fingerprint is taken over."""

    name: str
    table: str
    cells: tuple[str, ...]


SESSION = Kind("session", "directory_academicsession", ("title", "type", "begin_date", "end_date", "parent", "school_year"))
ORG = Kind(
    "org",
    "directory_org",
    (
        "name",
        "short_name",
        "type",
        "state",
        "code",
        "division_code",
        "credit_code",
        "is_rural",
        "grade",
        "parent",
        "begin_date",
        "end_date",
        "class_type",
        "class_code",
        "course",
        "terms",
    ),
)
COURSE = Kind("course", "directory_course", ("title", "code", "grades", "subject", "org", "session"))
PERSON = Kind(
    "person",
    "directory_person",
    (
        "name",
        "sex",
        "birth_date",
        "username",
        "pupil_number",
        "staff_number",
        "email",
        "phone",
        "grade",
        "national_id_index",
        "enabled",
        "synthetic",
    ),
)
AFFILIATION = Kind("affiliation", "directory_affiliation", ("person", "org", "role", "is_primary", "begin_date", "end_date"))
ENROLLMENT = Kind("enrollment", "directory_enrollment", ("person", "org", "role", "is_primary", "begin_date", "end_date"))
LINK = Kind("link", "directory_guardianlink", ("guardian", "ward", "relation"))

# Written in this order, ended in the reverse one: a row never refers to one that comes later, courses and classes apart.
KINDS = (SESSION, ORG, COURSE, PERSON, AFFILIATION, ENROLLMENT, LINK)


def roster_tables() -> dict[str, tuple[str, tuple[str, ...]]]:
    """For every kind of row the table that it fills and the cells that go there."""
    return {kind.name: (kind.table, kind.cells) for kind in KINDS}


# The columns of the staged tables besides `src` (index into `sources`), `row` and `sid`.
STAGED: dict[str, tuple[str, ...]] = {
    "session": ("status", "modified", *SESSION.cells, "placeholder"),
    "org": ("status", "modified", "roster_type", *ORG.cells, "school", "is_class", "placeholder"),
    "course": ("status", "modified", *COURSE.cells, "placeholder"),
    "person": (
        "status",
        "modified",
        "family_name",
        "given_name",
        *PERSON.cells,
        "national_id",
        "agents",
        "relations",
        "primary_org",
    ),
    "demographic": ("status", "modified", "birth_date", "sex"),
    "affiliation": ("status", "modified", *AFFILIATION.cells, "roster_role"),
    "enrollment": ("status", "modified", *ENROLLMENT.cells, "school"),
    "link": ("status", "modified", *LINK.cells),
}

# Longest text each cell may hold, where the database has a limit.
LENGTHS: dict[str, dict[str, int]] = {
    "session": {"sid": 64, "title": 60, "type": 20},
    "org": {
        "sid": 64,
        "name": 120,
        "short_name": 60,
        "code": 18,
        "division_code": 12,
        "credit_code": 18,
        "grade": 20,
        "class_code": 40,
    },
    "course": {"sid": 64, "title": 120, "code": 40, "grades": 80, "subject": 40},
    "person": {
        "sid": 64,
        "name": 80,
        "family_name": 40,
        "given_name": 60,
        "username": 80,
        "pupil_number": 19,
        "staff_number": 40,
        "email": 120,
        "phone": 30,
        "grade": 20,
        "national_id": 18,
    },
    "affiliation": {"sid": 64},
    "enrollment": {"sid": 64},
    "link": {"relation": 20},
}

DATES: dict[str, tuple[str, ...]] = {
    "session": ("begin_date", "end_date"),
    "org": ("begin_date", "end_date"),
    "person": ("birth_date",),
    "demographic": ("birth_date",),
    "affiliation": ("begin_date", "end_date"),
    "enrollment": ("begin_date", "end_date"),
}
SWITCHES: dict[str, tuple[str, ...]] = {
    "org": ("is_rural",),
    "person": ("enabled", "synthetic"),
    "affiliation": ("is_primary",),
    "enrollment": ("is_primary",),
}

ORG_TYPE_OF_ROSTER = {
    "state": OrgType.PROVINCE,
    "district": OrgType.COUNTY,
    "local": OrgType.AGENCY,
    "national": OrgType.AGENCY,
    "school": OrgType.SCHOOL,
    "department": OrgType.DEPARTMENT,
}
ROSTER_OF_ORG_TYPE = {
    OrgType.PROVINCE: "state",
    OrgType.CITY: "district",
    OrgType.COUNTY: "district",
    OrgType.AGENCY: "local",
    OrgType.GROUP: "local",
    OrgType.SCHOOL: "school",
    OrgType.CAMPUS: "school",
    OrgType.TEACHING_POINT: "school",
    OrgType.DEPARTMENT: "department",
    OrgType.GRADE: "department",
}
ROLE_OF_ROSTER = {
    "student": Role.PUPIL,
    "teacher": Role.TEACHER,
    "parent": Role.PARENT,
    "guardian": Role.PARENT,
    "relative": Role.PARENT,
    "principal": Role.HEAD,
    "siteAdministrator": Role.SCHOOL_ADMIN,
    "districtAdministrator": Role.COUNTY_OFFICER,
    "aide": Role.STAFF,
    "counselor": Role.STAFF,
    "proctor": Role.STAFF,
}
ROSTER_OF_ROLE = {
    Role.PUPIL: "student",
    Role.TEACHER: "teacher",
    Role.CLASS_TEACHER: "teacher",
    Role.PARENT: "parent",
    Role.HEAD: "principal",
    Role.SCHOOL_ADMIN: "siteAdministrator",
    Role.STAFF: "aide",
    Role.COUNTY_OFFICER: "districtAdministrator",
    Role.CITY_OFFICER: "districtAdministrator",
    Role.PROVINCE_OFFICER: "districtAdministrator",
    Role.EXPERT: "aide",
}
# Roles that a file may never hand out: they are granted by a named person on the grants page.
GRANTED_ONLY = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.VENDOR)
ROLES = tuple(role for role in Role if role not in GRANTED_ONLY)
SEX_OF_ROSTER = {"male": "1", "female": "2", "unspecified": "9", "other": "9"}
ROSTER_OF_SEX = {"1": "male", "2": "female", "9": "unspecified", "0": ""}


def fingerprint_sql(kind: Kind, alias: str) -> str:
    """SQL for the 16-byte fingerprint of a staged row: MD5 over its cells, parted by a byte no cell may hold."""
    return f"unhex(md5(concat_ws(chr(31), {', '.join(f'{alias}.{cell}' for cell in kind.cells)})))"
