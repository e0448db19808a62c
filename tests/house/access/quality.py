"""The quality of data: scores, rules and failing rows, each in the reader's own branch."""

from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, ROOT, Address, Area, page, roles
from tests.house.access.portal import portal_places

_READERS = MANAGERS | roles("head")
QUALITY: dict[str, Address] = {
    "datahub:quality": page(EVERYBODY),
    "datahub:quality_of_org": page(_READERS, ROOT, public_id="org"),
    "datahub:quality_rows": page(_READERS, ROOT, public_id="org", rule_code="rule"),
}


def quality_places(cast: Cast) -> dict[str, tuple[str, str]]:
    return {"rule": ("org.code", "member.name"), "org": portal_places(cast)["org"]}


AREA = Area(QUALITY, quality_places)
