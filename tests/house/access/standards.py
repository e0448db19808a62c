"""The registry of standards: everybody who is signed in reads it, officers of the whole region bring editions."""

from datetime import UTC, datetime

from shuren.kernel.data import SYSTEM
from shuren.standards import api as standards
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, ROOT, Address, Area, act, call, page

STANDARDS: dict[str, Address] = {
    "front:standards": page(EVERYBODY),
    "front:code_set": page(EVERYBODY, EVERYBODY, code="code_set"),
    "front:standard_elements": page(EVERYBODY),
    "front:standard_element": page(EVERYBODY, EVERYBODY, code="element"),
    "front:standard_formats": page(EVERYBODY),
    "front:standard_format": page(EVERYBODY, EVERYBODY, code="format"),
    "front:standard_schema": page(EVERYBODY, EVERYBODY, code="format"),
    "front:standard_editions": page(EVERYBODY),
    "front:standard_edition": page(EVERYBODY, EVERYBODY, number="edition"),
    "front:undo_edition": act(ROOT, ROOT, denied=403, number="edition"),
    "api-v1:list_data_elements": call(EVERYBODY),
    "api-v1:get_data_element": call(EVERYBODY, EVERYBODY, code="element"),
    "api-v1:list_code_sets": call(EVERYBODY),
    "api-v1:get_code_set": call(EVERYBODY, EVERYBODY, code="code_set"),
    "api-v1:list_codes": call(EVERYBODY, EVERYBODY, code="code_set"),
    "api-v1:list_editions": call(EVERYBODY),
    "api-v1:list_formats": call(EVERYBODY),
    "api-v1:get_schema": call(EVERYBODY, EVERYBODY, code="format"),
}


def standards_places(cast: Cast) -> dict[str, tuple[str, str]]:
    standards.load_registry()
    number = standards.take_edition(
        actor=SYSTEM,
        title="学期.csv",
        code_sets=[standards.code_set("jyt.xq")],
        base=standards.editions_base(),
        counts={"code_set": 1, "code": 4},
        breaks={},
        now=datetime(2026, 9, 1, tzinfo=UTC),
    )
    return {
        "code_set": ("jyt.xl", "sex"),
        "element": ("person.sex", "org.name"),
        "format": ("oneroster.users", "oneroster.orgs"),
        "edition": (str(number), str(number)),
    }


AREA = Area(STANDARDS, standards_places)
