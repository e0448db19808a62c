"""The OneRoster service: only clients with a token of their own; a session, whoever's, is not one."""

from dataclasses import replace

from tests.cast import Cast
from tests.house.access.frame import NOBODY, Address, Area

_GET = Address(near=NOBODY, denied=frozenset({401}), stranger=401, objects={"place": "place"})

ONEROSTER: dict[str, Address] = {
    "interop:oneroster_rostering": _GET,
    "interop:oneroster_gradebook": replace(_GET, objects={"place": "marks"}, methods=("GET", "PUT", "POST", "DELETE")),
    "interop:oneroster_resources": replace(_GET, objects={"place": "resource"}),
    "interop:oneroster_nothing": replace(_GET, denied=frozenset({404}), stranger=404, objects={"place": "nowhere"}),
}


def oneroster_places(cast: Cast) -> dict[str, tuple[str, str]]:
    return {
        "place": (f"users/{cast.people['pupil'].public_id}", f"users/{cast.people['far_pupil'].public_id}"),
        "marks": ("lineItems", "results"),
        "resource": ("resources", "resources/none"),
        "nowhere": ("elsewhere", "nowhere"),
    }


AREA = Area(ONEROSTER, oneroster_places)
