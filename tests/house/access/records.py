"""Learning records: only clients with a secret or a token of their own, but for the pages, empty for who has no branch."""

from dataclasses import replace

from tests.cast import Cast
from tests.house.access.frame import (
    EVERYBODY,
    FAMILY_AND_SCHOOL,
    MANAGERS,
    NOBODY,
    ROOT,
    Address,
    Area,
    call,
    page,
    roles,
)

_WATCHING = MANAGERS | roles("head teacher class_teacher")
_NAMING = roles("head teacher class_teacher")
_FAMILY = FAMILY_AND_SCHOOL | roles("teacher")

# A request that names neither a version nor credentials is malformed before it is refused, whoever is signed in.
_GET = Address(near=NOBODY, denied=frozenset({400}), stranger=400)
_DOCUMENT = replace(_GET, methods=("GET", "PUT", "POST", "DELETE"))

RECORDS: dict[str, Address] = {
    "records:about": Address(near=EVERYBODY, stranger=200),
    "records:activities": _GET,
    "records:agents": _GET,
    "records:state": _DOCUMENT,
    "records:statements": replace(_GET, methods=("GET", "PUT", "POST")),
    "records:caliper": replace(_GET, methods=("POST",), denied=frozenset({401}), stranger=401),
    "records:activity_profile": _DOCUMENT,
    "records:agent_profile": _DOCUMENT,
    # Pupils and parents of one child are sent on to the page of that one.
    "records:my_learning": replace(page(EVERYBODY), granted=frozenset({200, 302})),
    "records:classes_learning": page(EVERYBODY),
    "records:learning_activities": page(_WATCHING, ROOT, org_id="class"),
    "records:learning_learners": page(_NAMING, org_id="class"),
    "records:learner": page(_FAMILY, person_id="pupil"),
    "api-v1:list_learning_activities": call(_WATCHING, ROOT, org_id="class"),
    "api-v1:list_learning_learners": call(_NAMING, org_id="class"),
    "api-v1:read_learning": call(_FAMILY, person_id="pupil"),
    "records:arrivals": page(EVERYBODY),
    "records:statement_lines": page(EVERYBODY),
    "records:refused": page(EVERYBODY),
}


def records_places(cast: Cast) -> dict[str, tuple[str, str]]:
    orgs, people = cast.orgs, cast.people
    return {
        "class": (orgs["class"].public_id, orgs["far_class"].public_id),
        "pupil": (people["pupil"].public_id, people["far_pupil"].public_id),
    }


AREA = Area(RECORDS, records_places)
