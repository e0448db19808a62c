"""Registers of objects and inspectors in the county of the cast, and a kind of draw over them."""

from datetime import timedelta
from typing import Any

from tests.cast import Cast

from shuren.casework.models import Definition, Draw, Entry
from shuren.casework.services.draws.commit import Contributor, commit_draw
from shuren.casework.services.draws.contribute import contribute_to_draw
from shuren.casework.services.draws.prepare import prepare_draw
from shuren.casework.services.draws.run import run_draw
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM

SECTION = {"key": "main", "title": "基本"}
OBJECTS = {
    "key": "sup.canteens",
    "title": "食堂",
    "at": ["school"],
    "label": "name",
    "identity": ["name"],
    "sections": [
        {
            **SECTION,
            "fields": [
                {"key": "name", "title": "名称", "type": "text", "grade": "L1"},
                {"key": "kind", "title": "类别", "type": "text", "grade": "L1"},
                {"key": "owner", "title": "法人", "type": "text", "grade": "L3"},
            ],
        }
    ],
}
INSPECTORS = {
    "key": "sup.inspectors",
    "title": "检查人员",
    "at": ["school", "county"],
    "label": "name",
    "identity": ["name"],
    "sections": [
        {
            **SECTION,
            "fields": [
                {"key": "name", "title": "姓名", "type": "text"},
                {"key": "kin", "title": "近亲属", "type": "text", "grade": "L3"},
            ],
        }
    ],
}
DRAW = {
    "key": "sup.canteen_draw",
    "title": {"zh": "食堂安全双随机抽查", "en": "Canteen draw"},
    "rows": ["SUP-02"],
    "objects": "sup.canteens",
    "inspectors": "sup.inspectors",
    "object_filter": "kind != '停用'",
    "percent": 50,
    "strata": "kind",
    "inspectors_each": 2,
    "conflicts": [
        {"same_org": True, "reason": "同一单位"},
        {"when": "object.owner == inspector.kin", "reason": "亲属关系"},
    ],
}


PEOPLE = ("staff", "teacher", "expert", "city_officer", "province_officer", "class_teacher", "far_head", "vendor")


def put_registers(cast: Cast, define: Any, *, has_people: bool = False, **changes: Any) -> Definition:
    """Ten canteens of two schools in two kinds and one that is out of use; eight inspectors, one of them kin to an owner."""
    objects, inspectors = define("register", OBJECTS), define("register", INSPECTORS)
    for number in range(11):
        kind = "停用" if number == 10 else ("小学", "幼儿园")[number % 2]
        owner = "钱进" if number == 2 else f"法人{number}"
        org = "school" if number % 3 else "other_school"
        _put(cast, objects, org, f"食堂{number}", {"kind": kind, "owner": owner})
    for number in range(8):
        org = "school" if number == 0 else "county"
        _put(
            cast,
            inspectors,
            org,
            f"检查员{number}",
            {"kin": "钱进" if number == 1 else "无"},
            PEOPLE[number] if has_people else "",
        )
    definition: Definition = define("draw", DRAW | changes)
    return definition


def _put(cast: Cast, register: Definition, org: str, name: str, data: dict[str, str], person: str = "") -> None:
    Entry.objects.create(
        register=register,
        org_id=cast.orgs[org].id,
        org_path=cast.orgs[org].path,
        subject_id=cast.people[person].id if person else None,
        label=name,
        identity=name,
        data={"name": name, **data},
        made_at=cast.now,
        changed_at=cast.now,
    )


def independent(cast: Cast, key: str = "head", **changes: Any) -> Contributor:
    told: dict[str, Any] = {
        "person_id": cast.people[key].id,
        "kind": "person",
        "due_at": cast.now + timedelta(hours=24),
        "reveal_due_at": cast.now + timedelta(hours=48),
    }
    return Contributor(**(told | changes))


def prepared(cast: Cast) -> Draw:
    return prepare_draw(
        actor=cast.actor("county_officer"), key="sup.canteen_draw", org_id=cast.orgs["county"].id, title="", now=cast.now
    )


def committed(cast: Cast) -> Draw:
    officer = cast.actor("county_officer")
    return commit_draw(actor=officer, draw_id=prepared(cast).pk, contributor=independent(cast), now=cast.now)


def drawn(cast: Cast) -> Draw:
    draw = committed(cast)
    later = cast.now + timedelta(hours=1)
    contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="18 24 33", now=later)
    return run_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, now=later + timedelta(minutes=5))


def second_officer(cast: Cast) -> None:
    """Somebody who shares the office of the county officer."""
    person_id = cast.people["staff"].id
    begun = day_of(cast.now) - timedelta(days=9)
    directory.affiliate(
        actor=SYSTEM, person_id=person_id, org_id=cast.orgs["county"].id, role=Role.COUNTY_OFFICER, begin_date=begun, now=cast.now
    )
