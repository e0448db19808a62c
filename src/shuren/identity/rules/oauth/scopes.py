"""What the scopes of our own API open: permissions inside the branches of a client, or those of the person it acts for."""

from collections.abc import Iterable

from shuren.directory.data import Permission

_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "directory.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_PEOPLE}),
    "assessments.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_ASSESSMENTS}),
    "reports.read": frozenset({Permission.VIEW_ORGS, Permission.VIEW_ASSESSMENTS, Permission.VIEW_REPORTS}),
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
}
API_SCOPES = tuple(_PERMISSIONS)
# Of a person's own certificates: the names are those of Open Badges 3.0 § 7.1.2.
BADGE_SCOPES = (
    "https://purl.imsglobal.org/spec/ob/v3p0/scope/credential.readonly",
    "https://purl.imsglobal.org/spec/ob/v3p0/scope/profile.readonly",
)


def permissions_in(scopes: Iterable[str]) -> frozenset[str]:
    """Permissions by value that a token with these scopes carries at most; scopes of other apps carry none."""
    return frozenset(permission.value for scope in scopes for permission in _PERMISSIONS.get(scope, frozenset()))
