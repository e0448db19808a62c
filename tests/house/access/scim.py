"""The SCIM service: only clients with a token of their own; a session, whoever's, is not one."""

from dataclasses import replace

from tests.cast import Cast
from tests.house.access.frame import NOBODY, Address, Area

_GET = Address(near=NOBODY, denied=frozenset({401}), stranger=401)
_BOTH = replace(_GET, methods=("GET", "POST"))
_ROW = replace(_GET, methods=("GET", "PUT", "PATCH", "DELETE"))

SCIM: dict[str, Address] = {
    "interop:scim_config": _GET,
    "interop:scim_types": _GET,
    "interop:scim_type": replace(_GET, objects={"name": "name"}),
    "interop:scim_schemas": _GET,
    "interop:scim_schema": replace(_GET, objects={"name": "name"}),
    "interop:scim_users": _BOTH,
    "interop:scim_user": replace(_ROW, objects={"user_id": "user"}),
    "interop:scim_search_users": _BOTH,
    "interop:scim_groups": _BOTH,
    "interop:scim_group": replace(_ROW, objects={"group_id": "group"}),
    "interop:scim_search_groups": _BOTH,
    "interop:scim_me": _GET,
    "interop:scim_bulk": _BOTH,
    "interop:scim_search": _BOTH,
    "interop:scim_nothing": replace(_ROW, objects={"rest": "name"}),
}


def scim_places(cast: Cast) -> dict[str, tuple[str, str]]:
    return {
        "name": ("User", "Group"),
        "user": (cast.people["pupil"].public_id, cast.people["far_pupil"].public_id),
        "group": (cast.orgs["class"].public_id, cast.orgs["far_class"].public_id),
    }


AREA = Area(SCIM, scim_places)
