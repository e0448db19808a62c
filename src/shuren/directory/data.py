"""Records and words of the directory that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

# So long the last roster may be undone; what others build on its rows waits for it.
ROSTER_UNDO_WINDOW = timedelta(hours=24)


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
    DEVELOP_APPS = "develop_apps"
    APPROVE_APPS = "approve_apps"
    CHOOSE_APPS = "choose_apps"
    ISSUE_CERTIFICATES = "issue_certificates"
    MANAGE_KEYS = "manage_keys"
    MANAGE_SIGN_IN = "manage_sign_in"
    ANSWER_SUBJECTS = "answer_subjects"
    BREAK_GLASS = "break_glass"
    INVITE_GUARDIANS = "invite_guardians"
    REVIEW_ACCESS = "review_access"
    VIEW_CASES = "view_cases"
    DEFINE_CASEWORK = "define_casework"
    VIEW_QUALITY = "view_quality"
    VIEW_STATEMENTS = "view_statements"
    ISSUE_COLLECTIONS = "issue_collections"
    OPEN_DATA = "open_data"
    FILE_STATISTICS = "file_statistics"
    VIEW_REGISTERS = "view_registers"
    KEEP_REGISTERS = "keep_registers"


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
    """A role given on a branch of the tree, for a purpose and a time, by somebody who may delegate it.

    `is_waiting` marks a strong role that nobody has confirmed yet: it is not in force.
    """

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
    confirm_by: datetime | None = None
    certify_by: datetime | None = None
    is_waiting: bool = False


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
    """An org to be added under `parent_id`; None makes it the root of the installation.

    With `is_apart` it is the top of a tree of its own beside the region's: a school of synthetic people.
    """

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
    is_apart: bool = False


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


class ConsentDecision(StrEnum):
    """What somebody answered; a refusal is an answer too, and breaks nothing."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ConsentState(StrEnum):
    """Where a person stands towards a purpose and a recipient.

    `WAITING`: asked, not everybody who must answer has; `OUTDATED`: the answer was to a version that asked for less, or
    was given for somebody who must now answer themself; `UNASKED`: no notice is in force.
    """

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    WAITING = "waiting"
    OUTDATED = "outdated"
    UNASKED = "unasked"


class DecidedAs(StrEnum):
    """In which right somebody answers."""

    SELF = "self"
    GUARDIAN = "guardian"


class ConsentWay(StrEnum):
    """How an answer came."""

    PAGE = "page"
    PAPER = "paper"


class HousePurpose(StrEnum):
    """What a page or a file of the house itself is for; the route says it, nobody chooses it.

    `TEACHING`: lists, classes, search, whoever meets a person in their daily work; `ADMINISTRATION`: keeping the roster;
    `OWN_DATA`: the person's and the guardians' own look; `IDENTITY_CHECK`: one look at what is graded L4.
    """

    TEACHING = "teaching"
    ADMINISTRATION = "administration"
    OWN_DATA = "own_data"
    IDENTITY_CHECK = "identity_check"


class Standing(StrEnum):
    """How a reader in the house stands to a person they may see.

    `KEEPER`: holds `VIEW_SENSITIVE` on them; `VIEWER`: may see them and no more.
    """

    SELF = "self"
    FAMILY = "family"
    KEEPER = "keeper"
    VIEWER = "viewer"


class Withheld(StrEnum):
    """Why a recipient is not shown an element, or only its mask.

    `NOT_ASKED_FOR`: no notice in force for this purpose and recipient names it; `OFF`: a purpose that is off until it is
    agreed to; `EMPTY`: nothing is on file. To readers in the house: `NOT_NEEDED`, the purpose does without it; `ON_REQUEST`,
    shown one at a time to whoever may ask, and written down.
    """

    EMPTY = "empty"
    NOT_NEEDED = "not_needed"
    ON_REQUEST = "on_request"
    NOT_ASKED_FOR = "not_asked_for"
    NO_CONSENT = "no_consent"
    OUTDATED = "outdated"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class NewConsentText:
    """A notice to be published for the branch of `org_id`; `elements` are codes of `standards`.

    `recipient` is the id of an app (empty: the house itself) and `recipient_name` what people call it.
    """

    org_id: int
    purpose: str
    elements: tuple[str, ...]
    title_zh: str
    body_zh: str
    recipient: str = ""
    recipient_name: str = ""
    title_en: str = ""
    body_en: str = ""


@dataclass(frozen=True, slots=True)
class ConsentTextData:
    """A version of a notice; `end_at` is set when a later one took its place."""

    id: int
    public_id: str
    org_id: int
    org_path: str
    purpose: str
    recipient: str
    recipient_name: str
    version: int
    elements: tuple[str, ...]
    title_zh: str
    body_zh: str
    title_en: str
    body_en: str
    begin_at: datetime
    end_at: datetime | None
    base_id: int

    def title(self, language: str) -> str:
        return self.title_en if language.startswith("en") and self.title_en else self.title_zh

    def body(self, language: str) -> str:
        return self.body_en if language.startswith("en") and self.body_en else self.body_zh


@dataclass(frozen=True, slots=True)
class PersonConsent:
    """Where a person stands, and which elements the consent covers while it is given."""

    person_id: int
    purpose: str
    recipient: str
    state: ConsentState
    elements: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DisclosedPerson:
    """What a recipient may be told of a person.

    `values` holds what may be told, by element code: whole, or masked where `masked` names it. `withheld` gives the reason
    for every element that is masked or missing.
    """

    person_id: int
    public_id: str
    values: Mapping[str, str]
    masked: frozenset[str]
    withheld: Mapping[str, Withheld]


@dataclass(frozen=True, slots=True)
class BreakGlassData:
    """Access taken in an emergency to a person (`subject_id`) or else to the branch `path`."""

    id: int
    public_id: str
    holder_id: int
    holder_name: str
    role: Role
    subject_id: int | None
    subject_name: str
    org_name: str
    path: str
    reason: str
    begin_at: datetime
    end_at: datetime
    closed_at: datetime | None
    review_by: datetime
    reviewed_at: datetime | None
    is_justified: bool | None
    finding: str


class SubjectKind(StrEnum):
    """What somebody asks about their own data, or a ward's; seeing and taking a copy needs no asking."""

    CORRECT = "correct"
    DELETE = "delete"


class SubjectState(StrEnum):
    """`PROPOSED`: one of the two who must agree to a deletion has."""

    OPEN = "open"
    PROPOSED = "proposed"
    DONE = "done"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class RequestLeft:
    """A request about somebody's data that was made before requests were cases."""

    id: int
    subject_id: int
    asked_by_id: int
    kind: SubjectKind
    body: str


@dataclass(frozen=True, slots=True)
class CompetingData:
    """Why a write competes with an element's source: whose it is, where its values come from, where to object."""

    element: str
    name: str
    owner: str
    comes_from: str
    link: str


class RosterTable(StrEnum):
    """What a standing roster is read by, for exchange with other systems."""

    SESSIONS = "sessions"
    ORGS = "orgs"
    COURSES = "courses"
    CLASSES = "classes"
    PEOPLE = "people"
    ENROLLMENTS = "enrollments"


@dataclass(frozen=True, slots=True)
class RosterTie:
    """A role as a roster file speaks of it: by the sourced ids of person and org. `holds` is false once it has ended."""

    sourced_id: str
    person: str
    org: str
    org_path: str
    role: str
    holds: bool


@dataclass(frozen=True, slots=True)
class RosterTest:
    """One comparison of a cell: `=`, `!=`, `<`, `<=`, `>`, `>=`, `~` (contains), or `in` for a set of values."""

    cell: str
    operator: str
    value: str | int | bool | date | datetime | tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class RosterQuery:
    """Rows of a table inside branches: those that pass the tests (all, or any with `is_any`), in order of a cell or of age.

    `narrowed` are cells that must be as said whatever the tests are. `after` and `skip` place a page in the order of ids.
    """

    table: RosterTable
    paths: tuple[str, ...]
    narrowed: tuple[RosterTest, ...] = ()
    tests: tuple[RosterTest, ...] = ()
    is_any: bool = False
    order: str = ""
    is_descending: bool = False
    after: int = 0
    skip: int = 0
    size: int = 100


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A row by its cells. `is_gone` marks what holds no more and is kept so that others learn of it."""

    id: int
    modified_at: datetime
    is_gone: bool
    cells: Mapping[str, object]


class TallySubject(StrEnum):
    """What is counted: pupils of homerooms, people who work somewhere (each once), homerooms, or orgs."""

    PUPILS = "pupils"
    STAFF = "staff"
    CLASSES = "classes"
    ORGS = "orgs"


@dataclass(frozen=True, slots=True)
class TallyAsked:
    """What holds on `day` in each of `units` (paths of branches that do not lie in one another).

    `ages` are the completed years at which a band of age begins. `since` tells apart whose tie began on that day or later.
    """

    subject: TallySubject
    day: date
    units: tuple[str, ...]
    ages: tuple[int, ...] = ()
    since: date | None = None


@dataclass(frozen=True, slots=True)
class TallyCondition:
    """What counts: one of each set that is not empty, in the half-open ranges of age and size."""

    grades: frozenset[str] = frozenset()
    sexes: frozenset[Sex] = frozenset()
    roles: frozenset[Role] = frozenset()
    types: frozenset[OrgType] = frozenset()
    age_from: int | None = None
    age_below: int | None = None
    size_from: int | None = None
    size_below: int | None = None
    is_new: bool | None = None


@dataclass(frozen=True, slots=True)
class TallyRow:
    """So many in the unit `unit` that are alike. `age` is the beginning of their band, None where the birth date is unknown."""

    unit: str
    count: int
    grade: str = ""
    sex: Sex = Sex.UNKNOWN
    roles: frozenset[Role] = frozenset()
    type: OrgType | None = None
    age: int | None = None
    size: int = 0
    is_new: bool = False
