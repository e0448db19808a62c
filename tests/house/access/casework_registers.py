"""Registers: kept by schools and offices in their branch, one far register by the province alone, one open to everybody."""

from dataclasses import replace
from typing import Any

from shuren.casework.data import DefinitionKind
from shuren.casework.services.define import put_definition
from shuren.casework.services.registers.write import add_entry, remove_entry
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, NOBODY, ROOT, Address, Area, act, call, form, page, roles

KEEPERS = MANAGERS | roles("head")
UNREAD: dict[str, Any] = {"methods": ("POST",), "granted": frozenset({422}), "denied": frozenset({422})}

REGISTERS: dict[str, Address] = {
    "casework:registers": page(EVERYBODY),
    "casework:register": page(KEEPERS, ROOT, key="register"),
    "casework:register_map": page(KEEPERS, ROOT, key="register"),
    "casework:register_geojson": page(KEEPERS, ROOT, key="register"),
    "casework:register_parquet": page(KEEPERS, ROOT, key="register"),
    "casework:register_workbook": page(KEEPERS, ROOT, key="register"),
    "casework:register_labels": page(KEEPERS, ROOT, key="register"),
    "casework:register_template": page(KEEPERS, ROOT, key="register"),
    "casework:import_register": form(KEEPERS, ROOT, key="register"),
    "casework:new_entry": form(KEEPERS, ROOT, key="register"),
    # Where nothing is left to be changed it leads back to the list.
    "casework:edit_entries": replace(form(KEEPERS, ROOT, key="register"), granted=frozenset({200, 302})),
    "casework:ask_entry": form(KEEPERS, ROOT, key="asked_register"),
    "casework:entry": page(KEEPERS, ROOT, entry_id="entry"),
    "casework:change_entry": form(KEEPERS, ROOT, entry_id="entry"),
    "casework:move_entry": replace(form(KEEPERS, ROOT, entry_id="entry"), body=("to", "state"), granted=frozenset({200, 302})),
    "casework:remove_entry": form(KEEPERS, ROOT, entry_id="entry"),
    "casework:restore_entry": form(KEEPERS, ROOT, entry_id="removed_entry"),
    "casework:ask_change": act(KEEPERS, ROOT, entry_id="asked_entry"),
    "casework:open_register": Address(near=EVERYBODY, far=EVERYBODY, objects={"key": "register"}, stranger=200),
    "api-v1:list_registers": call(EVERYBODY),
    "api-v1:register_schema": call(KEEPERS, ROOT, key="register"),
    "api-v1:list_entries": call(KEEPERS, ROOT, key="register"),
    "api-v1:read_entry": call(KEEPERS, ROOT, entry_id="entry"),
    "api-v1:change_register_entry": call(KEEPERS, ROOT, entry_id="entry"),
    "api-v1:add_register_entry": call(KEEPERS, ROOT, key="register"),
    # Nobody is looked at before the body has the right form; `test_register_apps` and `test_register_pages` ask with one.
    "api-v1:remove_register_entry": replace(call(NOBODY, entry_id="entry"), **UNREAD),
    "api-v1:restore_register_entry": replace(call(NOBODY, entry_id="removed_entry"), **UNREAD),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """Registers that schools keep, and the same for the province alone; entries near and far in the former."""
    _flow(cast)
    near = {key: _register(cast, f"x.{key}", change_by) for key, change_by in (("rooms", ""), ("asked", "x.change"))}
    far = {
        key: _register(cast, f"x.far_{key}", change_by, keep=["province_officer"])
        for key, change_by in (("rooms", ""), ("asked", "x.change"))
    }
    return {
        "register": (near["rooms"], far["rooms"]),
        "asked_register": (near["asked"], far["asked"]),
        "entry": (_entry(cast, "x.rooms", "school"), _entry(cast, "x.rooms", "far_school")),
        "removed_entry": (_removed(cast, "school"), _removed(cast, "far_school")),
        "asked_entry": (_entry(cast, "x.asked", "school"), _entry(cast, "x.asked", "far_school")),
        "state": ("used", "used"),
    }


def _entry(cast: Cast, register: str, org: str) -> str:
    data = {"name": "教室"}
    entry = add_entry(actor=SYSTEM, register=register, org_id=cast.orgs[org].id, data=data, now=cast.now)
    return ids.encode("entry", entry.pk)


def _removed(cast: Cast, org: str) -> str:
    public_id = _entry(cast, "x.rooms", org)
    remove_entry(actor=SYSTEM, entry_id=ids.decode("entry", public_id), reason="拆除", now=cast.now)
    return public_id


def _sections() -> list[dict[str, Any]]:
    fields = [
        {"key": "name", "title": "名称", "type": "text", "required": True, "grade": "L1"},
        {"key": "spot", "title": "位置", "type": "place"},
    ]
    return [{"key": "basics", "title": "基本情况", "fields": fields}]


def _register(cast: Cast, key: str, change_by: str, keep: list[str] | None = None) -> str:
    body: dict[str, Any] = {
        "key": key,
        "title": "教室",
        "sections": _sections(),
        "place": "spot",
        "has_labels": True,
        "is_public": True,
        "change_by": change_by,
        "states": [{"key": "new", "title": "新建", "to": ["used"]}, {"key": "used", "title": "在用"}],
    }
    if keep:
        body |= {"keep": keep, "see": keep}
    put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=body, now=cast.now)
    return key


def _flow(cast: Cast) -> None:
    told = {"key": "x.change_form", "title": "变更", "sections": _sections()}
    put_definition(actor=SYSTEM, kind=DefinitionKind.FORM, body=told, now=cast.now)
    outcomes = [{"key": "agree", "title": "同意", "to": "end:done"}, {"key": "refuse", "title": "不同意", "to": "end:refused"}]
    flow = {
        "key": "x.change",
        "title": "变更",
        "form": "x.change_form",
        "filed_by": {"roles": sorted(KEEPERS)},
        "stages": [{"key": "review", "title": "审核", "who": {"role": "county_officer", "at": "county"}, "outcomes": outcomes}],
        "ends": [
            {"key": "done", "title": "通过", "result": "granted"},
            {"key": "refused", "title": "未通过", "result": "refused"},
        ],
    }
    put_definition(actor=SYSTEM, kind=DefinitionKind.FLOW, body=flow, now=cast.now)


AREA = Area(addresses=REGISTERS, places=places)
