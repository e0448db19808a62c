"""What each role allows, who may give which role to whom, and which roles exclude one another."""

from datetime import datetime, timedelta

from shuren.directory.data import OrgType, Permission, Role

P = Permission

_READ = frozenset({P.VIEW_ORGS, P.VIEW_PEOPLE, P.VIEW_ASSESSMENTS, P.VIEW_REPORTS})
_MANAGE = frozenset(
    {
        P.VIEW_SENSITIVE,
        P.MANAGE_ORGS,
        P.MANAGE_PEOPLE,
        P.IMPORT_ROSTER,
        P.EXPORT_ROSTER,
        P.GRANT_ROLES,
        P.ISSUE_CREDENTIALS,
        P.VIEW_JOBS,
    }
)
_SCHOOL = frozenset(
    {
        P.CHOOSE_APPS,
        P.ISSUE_CERTIFICATES,
        P.ANSWER_SUBJECTS,
        P.VIEW_CASES,
        P.ISSUE_COLLECTIONS,
        P.VIEW_QUALITY,
        P.VIEW_STATEMENTS,
        P.FILE_STATISTICS,
    }
)
_OFFICER = (
    _READ
    | _MANAGE
    | _SCHOOL
    | {P.IMPORT_RESULTS, P.RUN_EVALUATION, P.APPROVE_APPS, P.BREAK_GLASS, P.DEFINE_CASEWORK, P.OPEN_DATA}
)

# Officers see classes, not children: a pupil's own report is for the pupil, the guardians and the school.
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PUPIL: frozenset({P.VIEW_ORGS, P.VIEW_PEOPLE, P.VIEW_PUPIL_REPORTS}),
    Role.PARENT: frozenset({P.VIEW_PEOPLE, P.VIEW_PUPIL_REPORTS}),
    Role.TEACHER: frozenset({P.VIEW_ORGS, P.VIEW_PEOPLE}),
    Role.CLASS_TEACHER: _READ | {P.VIEW_PUPIL_REPORTS, P.INVITE_GUARDIANS},
    Role.HEAD: _READ
    | _SCHOOL
    | {P.VIEW_SENSITIVE, P.EXPORT_ROSTER, P.GRANT_ROLES, P.VIEW_PUPIL_REPORTS, P.VIEW_JOBS, P.BREAK_GLASS, P.INVITE_GUARDIANS},
    Role.SCHOOL_ADMIN: _READ | _MANAGE | _SCHOOL | {P.IMPORT_RESULTS, P.INVITE_GUARDIANS, P.DEFINE_CASEWORK},
    Role.STAFF: frozenset({P.VIEW_ORGS}),
    Role.COUNTY_OFFICER: _OFFICER,
    Role.CITY_OFFICER: _OFFICER,
    Role.PROVINCE_OFFICER: _OFFICER,
    Role.EXPERT: frozenset({P.VIEW_ORGS, P.VIEW_ASSESSMENTS, P.VIEW_REPORTS}),
    Role.VENDOR: frozenset({P.VIEW_ORGS, P.DEVELOP_APPS}),
    Role.SYSTEM_ADMIN: frozenset({P.VIEW_ORGS, P.VIEW_JOBS, P.MANAGE_SIGN_IN}),
    Role.SECURITY_ADMIN: frozenset({P.VIEW_ORGS, P.GRANT_ROLES, P.MANAGE_SIGN_IN, P.MANAGE_KEYS, P.REVIEW_ACCESS}),
    Role.AUDIT_ADMIN: frozenset({P.VIEW_ORGS, P.VIEW_AUDIT}),
}

ADMINS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
# A role that reaches whole districts or the house itself waits for a second pair of eyes.
STRONG = ADMINS | {Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER}
CONFIRM_WITHIN = timedelta(days=7)
# An office gives to one hand, and that one to another; whoever is third gives nothing on.
HANDS = 3
REMIND_BEFORE = timedelta(days=14)
CERTIFY_WITHIN = timedelta(days=30)
# What an emergency opens; everything of it is looked into afterwards.
EMERGENCY = frozenset({P.VIEW_PEOPLE, P.VIEW_SENSITIVE})
EMERGENCY_HOURS = 4
REVIEW_WITHIN = timedelta(days=3)
# Of tokens alone: people reach a register by the roles that it names.
APPS_ONLY = frozenset({P.VIEW_REGISTERS, P.KEEP_REGISTERS})
# Pupils, parents and teachers of a class become so in the roster, where the evidence is; a grant would be a back door.
ROSTER_ONLY = frozenset({Role.PUPIL, Role.PARENT})
# Roles whose affiliation at an org reaches the whole branch; a teacher's reach is their classes, a pupil's themself.
BRANCH_ROLES = frozenset(
    {Role.HEAD, Role.SCHOOL_ADMIN, Role.STAFF, Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER}
)
# Of these only whoever may give them enters or ends one.
GIVEN_ROLES = BRANCH_ROLES - {Role.STAFF}
# What a person may be entered as, by the level of the org; a place in a class is an enrollment.
_OFFICES = {
    OrgType.PROVINCE: Role.PROVINCE_OFFICER,
    OrgType.CITY: Role.CITY_OFFICER,
    OrgType.COUNTY: Role.COUNTY_OFFICER,
}
_ENTERED_AT_SCHOOLS = (Role.PUPIL, Role.TEACHER, Role.STAFF, Role.HEAD, Role.SCHOOL_ADMIN, Role.PARENT)

_SCHOOL_ROLES = frozenset({Role.TEACHER, Role.CLASS_TEACHER, Role.STAFF})
_COUNTY_ROLES = _SCHOOL_ROLES | {Role.HEAD, Role.SCHOOL_ADMIN, Role.EXPERT, Role.VENDOR}
_INFERIORS: dict[Role, frozenset[Role]] = {
    Role.HEAD: _SCHOOL_ROLES | {Role.SCHOOL_ADMIN},
    Role.SCHOOL_ADMIN: _SCHOOL_ROLES,
    Role.COUNTY_OFFICER: _COUNTY_ROLES,
    Role.CITY_OFFICER: _COUNTY_ROLES | {Role.COUNTY_OFFICER},
    Role.PROVINCE_OFFICER: _COUNTY_ROLES | {Role.COUNTY_OFFICER, Role.CITY_OFFICER},
    Role.SECURITY_ADMIN: frozenset(Role) - ROSTER_ONLY - ADMINS,
}


def may_give(held: Role, given: Role) -> bool:
    """Whether somebody who holds `held` with the right to delegate may give `given` (the same or an inferior role)."""
    if given in ROSTER_ONLY:
        return False
    return held == given or given in _INFERIORS.get(held, frozenset())


def givable_roles(held: Role) -> tuple[Role, ...]:
    return tuple(role for role in Role if may_give(held, role))


def roles_at(kind: OrgType) -> tuple[Role, ...]:
    """The roles a person may be entered in at an org of this level."""
    if kind in (OrgType.GRADE, OrgType.CLASS):
        return ()
    return (Role.STAFF, _OFFICES[kind]) if kind in _OFFICES else _ENTERED_AT_SCHOOLS


def choosers_at(kind: OrgType) -> frozenset[Role]:
    """Who chooses apps for an org of this level: what they may not do there, no app does there in its own name."""
    return frozenset(role for role in roles_at(kind) if P.CHOOSE_APPS in ROLE_PERMISSIONS[role])


def excluded_by(role: Role, held: frozenset[Role]) -> Role | None:
    """The held role that forbids `role`: no one may combine system, security and audit administration (三员分立).

    An administrator also holds no role that reads people's data, and the other way round.
    """
    readers = frozenset(other for other in Role if P.VIEW_PEOPLE in ROLE_PERMISSIONS[other]) - ROSTER_ONLY - {Role.TEACHER}
    rivals = (ADMINS - {role}) | readers if role in ADMINS else ADMINS if role in readers else frozenset()
    return next((other for other in Role if other in held and other in rivals), None)


def excluded_from_administering() -> tuple[Role, ...]:
    """The roles that no system, security or audit administrator may hold besides."""
    return tuple(role for role in Role if role not in ADMINS and excluded_by(role, ADMINS) is not None)


def is_within(begin: datetime, end: datetime | None, *, outer_begin: datetime, outer_end: datetime | None) -> bool:
    """Whether a half-open period lies inside another one; an open end lies only inside an open end."""
    ends_inside = outer_end is None or (end is not None and end <= outer_end)
    return outer_begin <= begin and ends_inside


def wider_path(path: str) -> str:
    """The branch one level up, which an emergency may reach; the root stays itself."""
    head = path.rstrip("/").rpartition("/")[0]
    return f"{head}/" if head else path
