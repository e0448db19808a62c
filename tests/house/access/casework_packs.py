"""Packs and what forms ask: the former for everybody who is signed in, the latter for those who look into cases."""

from shuren.casework.models import Definition
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.packs.install import install_pack
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, Address, Area, page, roles

VIEWERS = MANAGERS | roles("head")

PACKS: dict[str, Address] = {
    "casework:packs": page(EVERYBODY),
    "casework:pack": page(EVERYBODY, EVERYBODY, pack_key="pack"),
    "casework:burden": page(VIEWERS),
    "casework:burden_of_form": page(VIEWERS, VIEWERS, definition_id="form"),
    # Without `?field=` there is nothing to object to, for whoever it may be.
    "casework:object_to": page(EVERYBODY, EVERYBODY, granted=404, case_id="case"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    form = ids.encode("definition", Definition.objects.get(kind="flow", key="core.objection").pk)
    cases = [
        ids.encode("case", file_case(actor=SYSTEM, flow="core.objection", org_id=cast.orgs[org].id, now=cast.now).pk)
        for org in ("school", "far_school")
    ]
    return {"pack": ("core", "core"), "form": (form, form), "case": (cases[0], cases[1])}


AREA = Area(addresses=PACKS, places=places)
