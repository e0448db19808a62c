"""Parents' codes: made by the school, typed by anybody."""

from tests.cast import Cast
from tests.house.access.frame import NOBODY, Address, Area, act, page, public, roles

MAKERS = roles("class_teacher head school_admin")
BINDING: dict[str, Address] = {
    "identity:bind": public("GET"),
    "identity:bind_to": public("GET", granted=302, stranger=302),
    "identity:binding": page(MAKERS, denied=403, granted=302),
    "identity:binding_of_org": page(MAKERS, NOBODY, org_id="org"),
    "identity:make_binding_codes": act(MAKERS, NOBODY, org_id="org"),
    "identity:revoke_binding_codes": act(MAKERS, NOBODY, org_id="org"),
}


def binding_places(cast: Cast) -> dict[str, tuple[str, str]]:
    return {"org": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id)}


AREA = Area(BINDING, binding_places)
