"""What the scopes of our own API open: permissions inside the branches of a client, or those of the person it acts for."""

from collections.abc import Iterable

from shuren.directory.data import Permission

# The names are those of OneRoster 1.2; which of its addresses each opens, the service itself knows.
_ONEROSTER = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
ONEROSTER_SCOPES = tuple(
    _ONEROSTER + name
    for name in (
        "roster-core.readonly",
        "roster.readonly",
        "roster-demographics.readonly",
        "gradebook-core.readonly",
        "gradebook.readonly",
        "gradebook.createput",
        "gradebook.createpost",
        "gradebook.delete",
        "assessment.readonly",
        "assessment.createput",
        "assessment.delete",
        "resource-core.readonly",
        "resource.readonly",
    )
)
_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "directory.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_PEOPLE}),
    "assessments.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_ASSESSMENTS}),
    "reports.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_ASSESSMENTS, Permission.VIEW_REPORTS}),
    "registers.read": frozenset({Permission.VIEW_REGISTERS}),
    "registers.write": frozenset({Permission.VIEW_REGISTERS, Permission.KEEP_REGISTERS}),
    "scim.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_PEOPLE}),
    "scim.write": frozenset({Permission.VIEW_ORGS, Permission.VIEW_PEOPLE, Permission.ISSUE_CREDENTIALS}),
    "scim.people": frozenset(
        {
            Permission.VIEW_ORGS,
            Permission.VIEW_PEOPLE,
            Permission.ISSUE_CREDENTIALS,
            Permission.MANAGE_PEOPLE,
            Permission.MANAGE_ORGS,
        }
    ),
    **dict.fromkeys(ONEROSTER_SCOPES, frozenset({Permission.VIEW_ORGS, Permission.VIEW_PEOPLE})),
}
API_SCOPES = tuple(_PERMISSIONS)
# Of a person's own certificates: the names are those of Open Badges 3.0 § 7.1.2.
BADGE_SCOPES = (
    "https://purl.imsglobal.org/spec/ob/v3p0/scope/credential.readonly",
    "https://purl.imsglobal.org/spec/ob/v3p0/scope/profile.readonly",
)
# Of learning records: the names of xAPI (Communication 4.2), but for its `profile`, which OpenID Connect means otherwise.
_STATEMENTS = ("statements/write", "statements/read/mine", "statements/read")
RECORD_SCOPES = (*_STATEMENTS, "state", "define", "profiles", "all/read", "all")


def permissions_in(scopes: Iterable[str]) -> frozenset[str]:
    """Permissions by value that a token with these scopes carries at most; scopes of other apps carry none."""
    return frozenset(permission.value for scope in scopes for permission in _PERMISSIONS.get(scope, frozenset()))
