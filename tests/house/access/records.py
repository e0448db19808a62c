"""Learning records: only clients with a secret or a token of their own, but for the pages, empty for who has no branch."""

from dataclasses import replace

from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, NOBODY, Address, Area, page

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
    "records:arrivals": page(EVERYBODY),
    "records:statement_lines": page(EVERYBODY),
    "records:refused": page(EVERYBODY),
}


def records_places(cast: Cast) -> dict[str, tuple[str, str]]:
    return {}


AREA = Area(RECORDS, records_places)
