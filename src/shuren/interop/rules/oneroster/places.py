"""The addresses of the gradebook and of the resources: which method needs which scope."""

from collections.abc import Mapping, Sequence

from shuren.interop.rules.oneroster import scopes
from shuren.interop.rules.oneroster.marks import KINDS

Scopes = tuple[str, ...]
_ASSESSMENTS = frozenset({"assessmentLineItems", "assessmentResults"})
_OF_CLASS = frozenset({"categories", "lineItems", "results", "scoreScales"})
RESOURCE_OWNERS = frozenset({"classes", "courses", "users"})


def gradebook_scopes(place: Sequence[str]) -> Mapping[str, Scopes] | None:
    """Method → scopes of which one is enough; None where there is no such address."""
    match tuple(place):
        case (name,) if name in KINDS:
            return {"GET": scopes.ASSESSMENTS if name in _ASSESSMENTS else scopes.GRADES_CORE}
        case (name, _) if name in _ASSESSMENTS:
            return {
                "GET": scopes.ASSESSMENTS,
                "PUT": scopes.ASSESSMENTS_PUT,
                "DELETE": scopes.ASSESSMENTS_DELETE,
            }
        case (name, _) if name in KINDS:
            return {"GET": scopes.GRADES_CORE, "PUT": scopes.GRADES_PUT, "DELETE": scopes.GRADES_DELETE}
        case ("classes", _, "lineItems"):
            return {"GET": scopes.GRADES, "POST": scopes.GRADES_POST}
        case ("classes", _, name) if name in _OF_CLASS:
            return {"GET": scopes.GRADES}
        case ("schools", _, "lineItems") | ("lineItems", _, "results") | ("classes", _, "academicSessions", _, "results"):
            return {"POST": scopes.GRADES_POST}
        case ("schools", _, "scoreScales") | ("classes", _, "lineItems" | "students", _, "results"):
            return {"GET": scopes.GRADES}
    return None


def resource_scopes(place: Sequence[str]) -> Scopes | None:
    """The scopes of which an address of the resources needs one; None where there is no such address."""
    match tuple(place):
        case ("resources",) | ("resources", _):
            return scopes.RESOURCES_CORE
        case (owner, _, "resources") if owner in RESOURCE_OWNERS:
            return scopes.RESOURCES
    return None
