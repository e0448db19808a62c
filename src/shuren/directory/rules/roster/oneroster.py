"""OneRoster 1.2 CSV: which files, which columns in which order, which cells must be filled, and where each cell goes."""

from dataclasses import dataclass

BASE = ("sourcedId", "status", "dateLastModified")
BASE_CELLS = {"sourcedId": "sid", "status": "status", "dateLastModified": "modified"}

FILES_OF_MANIFEST = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courseResources",
    "courses",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One CSV file: its columns after the three common ones, the cells they fill, and the extension columns."""

    name: str
    table: str
    columns: tuple[str, ...]
    cells: dict[str, str]
    extensions: dict[str, str]
    required: tuple[str, ...]

    @property
    def header(self) -> tuple[str, ...]:
        return (*BASE, *self.columns)

    def heading_of(self, cell: str) -> str:
        """The column that fills a staged cell, for findings; an extension column only where no standard one does."""
        every = {**BASE_CELLS, **self.cells}
        for heading, filled in (*every.items(), *self.extensions.items()):
            if filled == cell:
                return heading
        return cell


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ORGS = FileSpec(
    "orgs",
    "org",
    _words("name type identifier parentSourcedId"),
    {"name": "name", "type": "roster_type", "identifier": "code", "parentSourcedId": "parent"},
    {
        "metadata.orgType": "type",
        "metadata.shortName": "short_name",
        "metadata.divisionCode": "division_code",
        "metadata.creditCode": "credit_code",
        "metadata.isRural": "is_rural",
        "metadata.grade": "grade",
        "metadata.beginDate": "begin_date",
        "metadata.endDate": "end_date",
    },
    ("name", "type"),
)
SESSIONS = FileSpec(
    "academicSessions",
    "session",
    _words("title type startDate endDate parentSourcedId schoolYear"),
    {
        "title": "title",
        "type": "type",
        "startDate": "begin_date",
        "endDate": "end_date",
        "parentSourcedId": "parent",
        "schoolYear": "school_year",
    },
    {"metadata.isPlaceholder": "placeholder"},
    _words("title type startDate endDate schoolYear"),
)
COURSES = FileSpec(
    "courses",
    "course",
    _words("schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes"),
    {
        "schoolYearSourcedId": "session",
        "title": "title",
        "courseCode": "code",
        "grades": "grades",
        "orgSourcedId": "org",
        "subjects": "subject",
    },
    {"metadata.isPlaceholder": "placeholder"},
    _words("title orgSourcedId"),
)
CLASSES = FileSpec(
    "classes",
    "org",
    _words(
        "title grades courseSourcedId classCode classType location schoolSourcedId termSourcedIds subjects subjectCodes periods"
    ),
    {
        "title": "name",
        "grades": "grade",
        "courseSourcedId": "course",
        "classCode": "class_code",
        "classType": "class_type",
        "schoolSourcedId": "school",
        "termSourcedIds": "terms",
    },
    {
        "metadata.parentSourcedId": "parent",
        "metadata.shortName": "short_name",
        "metadata.identifier": "code",
        "metadata.beginDate": "begin_date",
        "metadata.endDate": "end_date",
    },
    _words("title courseSourcedId classType schoolSourcedId termSourcedIds"),
)
USERS = FileSpec(
    "users",
    "person",
    _words(
        "enabledUser username userIds givenName familyName middleName identifier email sms phone agentSourcedIds grades password "
        "userMasterIdentifier preferredGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId pronouns"
    ),
    {
        "enabledUser": "enabled",
        "username": "username",
        "givenName": "given_name",
        "familyName": "family_name",
        "email": "email",
        "phone": "phone",
        "agentSourcedIds": "agents",
        "grades": "grade",
        "primaryOrgSourcedId": "primary_org",
    },
    {
        "metadata.fullName": "name",
        "metadata.username": "username",
        "metadata.pupilNumber": "pupil_number",
        "metadata.staffNumber": "staff_number",
        "metadata.nationalId": "national_id",
        "metadata.agentRelations": "relations",
        "metadata.isSynthetic": "synthetic",
        "metadata.sexCode": "sex",
    },
    _words("enabledUser username givenName familyName"),
)
ROLES = FileSpec(
    "roles",
    "affiliation",
    _words("userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId"),
    {
        "userSourcedId": "person",
        "roleType": "is_primary",
        "role": "roster_role",
        "beginDate": "begin_date",
        "endDate": "end_date",
        "orgSourcedId": "org",
    },
    {"metadata.role": "role"},
    _words("userSourcedId roleType role orgSourcedId"),
)
ENROLLMENTS = FileSpec(
    "enrollments",
    "enrollment",
    _words("classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate"),
    {
        "classSourcedId": "org",
        "schoolSourcedId": "school",
        "userSourcedId": "person",
        "role": "role",
        "primary": "is_primary",
        "beginDate": "begin_date",
        "endDate": "end_date",
    },
    {},
    _words("classSourcedId schoolSourcedId userSourcedId role"),
)
DEMOGRAPHICS = FileSpec(
    "demographics",
    "demographic",
    _words(
        "birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican nativeHawaiianOrOtherPacificIslander white "
        "demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth "
        "publicSchoolResidenceStatus"
    ),
    {"birthDate": "birth_date", "sex": "sex"},
    {},
    (),
)
FILES = {spec.name: spec for spec in (ORGS, SESSIONS, COURSES, CLASSES, USERS, ROLES, ENROLLMENTS, DEMOGRAPHICS)}
# Without these a roster says nothing.
ORG_TYPES = ("department", "district", "local", "national", "school", "state")
ROLE_WORDS = (
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
)
