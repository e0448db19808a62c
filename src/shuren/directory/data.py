"""Records and words of the directory that other apps may hold."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class OrgType(StrEnum):
    """Levels of the org tree, outermost first."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    AGENCY = "agency"
    GROUP = "group"
    SCHOOL = "school"
    CAMPUS = "campus"
    TEACHING_POINT = "teaching_point"
    DEPARTMENT = "department"
    GRADE = "grade"
    CLASS = "class"


class OrgStatus(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"
    MERGED = "merged"


class Role(StrEnum):
    """Hats a person may wear, either by affiliation (roster) or by grant."""

    PUPIL = "pupil"
    PARENT = "parent"
    TEACHER = "teacher"
    CLASS_TEACHER = "class_teacher"
    HEAD = "head"
    SCHOOL_ADMIN = "school_admin"
    STAFF = "staff"
    COUNTY_OFFICER = "county_officer"
    CITY_OFFICER = "city_officer"
    PROVINCE_OFFICER = "province_officer"
    EXPERT = "expert"
    VENDOR = "vendor"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


class Permission(StrEnum):
    """What a role allows inside its scope; `rules.ROLE_PERMISSIONS` says which role holds which."""

    VIEW_ORGS = "view_orgs"
    VIEW_PEOPLE = "view_people"
    VIEW_SENSITIVE = "view_sensitive"
    MANAGE_ORGS = "manage_orgs"
    MANAGE_PEOPLE = "manage_people"
    IMPORT_ROSTER = "import_roster"
    EXPORT_ROSTER = "export_roster"
    GRANT_ROLES = "grant_roles"
    ISSUE_CREDENTIALS = "issue_credentials"
    VIEW_ASSESSMENTS = "view_assessments"
    IMPORT_RESULTS = "import_results"
    RUN_EVALUATION = "run_evaluation"
    VIEW_REPORTS = "view_reports"
    VIEW_PUPIL_REPORTS = "view_pupil_reports"
    VIEW_JOBS = "view_jobs"
    VIEW_AUDIT = "view_audit"


class Sex(StrEnum):
    """GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSTATED = "9"


class ClassType(StrEnum):
    """OneRoster class types: the administrative class of a pupil, or a taught course."""

    HOMEROOM = "homeroom"
    SCHEDULED = "scheduled"


class EnrollmentRole(StrEnum):
    """OneRoster enrollment roles used here."""

    STUDENT = "student"
    TEACHER = "teacher"


class SessionType(StrEnum):
    """OneRoster academic session types."""

    SCHOOL_YEAR = "schoolYear"
    TERM = "term"
    SEMESTER = "semester"
    GRADING_PERIOD = "gradingPeriod"


class RosterForm(StrEnum):
    """The two forms a roster comes and goes in."""

    ONEROSTER = "oneroster"
    EXCEL = "excel"


@dataclass(frozen=True, slots=True)
class OrgData:
    """An org as other apps see it. `path` is its chain of ids, closed by a slash; `depth` counts from 1."""

    id: int
    public_id: str
    sourced_id: str
    code: str
    name: str
    short_name: str
    type: OrgType
    status: OrgStatus
    path: str
    depth: int
    parent_id: int | None
    division_code: str = ""
    is_rural: bool | None = None
    grade: str = ""


@dataclass(frozen=True, slots=True)
class PersonData:
    """A person as other apps see them, without anything graded L4."""

    id: int
    public_id: str
    sourced_id: str
    number: str
    name: str
    sex: Sex
    is_synthetic: bool = False


@dataclass(frozen=True, slots=True)
class EnrollmentData:
    """One person in one class; `class_path` is the class org's path."""

    person_id: int
    class_id: int
    class_path: str
    role: EnrollmentRole
    is_primary: bool
    begin_date: date | None
    end_date: date | None


@dataclass(frozen=True, slots=True)
class AffiliationData:
    """One person's role in one org for a period."""

    person_id: int
    org_id: int
    org_path: str
    role: Role
    is_primary: bool
    begin_date: date | None
    end_date: date | None


@dataclass(frozen=True, slots=True)
class GrantData:
    """A role given on a branch of the tree, for a purpose and a time, by somebody who may delegate it."""

    id: int
    person_id: int
    role: Role
    org_id: int
    org_path: str
    purpose: str
    begin_at: datetime
    end_at: datetime | None
    granted_by_id: int | None
    may_delegate: bool


class CountKind(StrEnum):
    """What is counted and kept per org, for the org and everything below it.

    `MEMBERS` are affiliations of any role; `PEOPLE` is kept for the root only: everybody, once.
    """

    SCHOOLS = "schools"
    CLASSES = "classes"
    PUPILS = "pupils"
    PARENTS = "parents"
    TEACHERS = "teachers"
    MEMBERS = "members"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class RoleOption:
    """A hat a person may put on, and the org where it was given; `org_id` is None for guardians."""

    role: Role
    org_id: int | None
    org_name: str


@dataclass(frozen=True, slots=True)
class GuardianData:
    """A guardian, their ward, and what they are to each other."""

    guardian_id: int
    ward_id: int
    relation: str


@dataclass(frozen=True, slots=True)
class NewOrg:
    """An org to be added under `parent_id`; None makes it the root of the installation."""

    parent_id: int | None
    type: OrgType
    name: str
    short_name: str = ""
    code: str = ""
    division_code: str = ""
    credit_code: str = ""
    is_rural: bool | None = None
    grade: str = ""
    sourced_id: str = ""
    begin_date: date | None = None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be added; `national_id` is sealed at once and never stored in the clear."""

    name: str
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    national_id: str = ""
    pupil_number: str = ""
    staff_number: str = ""
    email: str = ""
    phone: str = ""
    grade: str = ""
    sourced_id: str = ""
    is_synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What a write made (its row id), and warnings about values that were taken although they look wrong."""

    id: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A line of a list of people: who, and as what and where they appear in it."""

    id: int
    public_id: str
    number: str
    name: str
    sex: Sex
    role: Role | None
    org_id: int | None
    org_public_id: str
    org_name: str
