"""Whom a form may name: every org of the region, people and entries within the asker's reach alone."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Entry
from shuren.casework.rules.specs.form import FieldSpec
from shuren.casework.selectors.parties import known_party
from shuren.casework.services.registers.write import add_entry, remove_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.register_bodies import DEVICES, ROOMS, room
from shuren.kernel import ids
from shuren.search import api as search
from shuren.search.data import Document


@pytest.fixture
def rooms(cast: Cast, define: Define) -> dict[str, Entry]:
    define("register", ROOMS | {"is_identity_global": False})
    define("register", DEVICES)
    found = {}
    for who, org, name in (
        ("school_admin", "school", "科学教室甲"),
        ("school_admin", "school", "科学教室乙"),
        ("far_head", "far_school", "科学教室远"),
    ):
        actor = cast.actor(who)
        found[name] = add_entry(
            actor=actor, register="demo.rooms", org_id=cast.orgs[org].id, data=room(name=name, number=name), now=cast.now
        )
    return found


def names(cast: Cast, who: str, **asked: str) -> list[str]:
    answer = cast.client(who).get("/parties/", asked)
    assert answer.status_code == 200
    return [row["name"] for row in answer.json()["rows"]]


@pytest.fixture
def indexed(cast: Cast) -> None:
    """The search index as its jobs keep it."""
    people = [(cast.people[key], cast.orgs[org]) for key, org in (("pupil", "class"), ("far_pupil", "far_class"))]
    documents = [Document(kind="person", object_id=one.id, path=org.path, title=one.name) for one, org in people]
    documents += [Document(kind="org", object_id=org.id, path=org.path, title=org.name) for org in cast.orgs.values()]
    search.index_documents(documents)


@pytest.mark.usefixtures("indexed")
def test_people_are_found_within_the_askers_branch_only(cast: Cast) -> None:
    assert names(cast, "school_admin", kind="person", q="张") == ["张三"]
    assert names(cast, "far_head", kind="person", q="张") == ["张远山"]
    assert names(cast, "parent", kind="person", q="张远") == []


@pytest.mark.usefixtures("indexed")
def test_every_school_is_found_and_no_class(cast: Cast) -> None:
    assert names(cast, "parent", kind="org", q="城北区重庆路") == ["城北区重庆路小学"]
    assert names(cast, "school_admin", kind="org", q="四年级1班") == []


@pytest.mark.usefixtures("rooms")
def test_entries_are_found_where_their_register_is_read(cast: Cast) -> None:
    asked = {"kind": "entry", "register": "demo.rooms", "q": "科学"}
    assert names(cast, "school_admin", **asked) == ["科学教室乙", "科学教室甲"]
    assert names(cast, "far_head", **asked) == ["科学教室远"]
    assert names(cast, "parent", **asked) == []
    assert names(cast, "school_admin", **asked | {"register": "demo.devices"}) == []
    assert names(cast, "school_admin", **asked | {"register": "demo.nothing"}) == []


def test_a_removed_entry_is_offered_no_more(cast: Cast, rooms: dict[str, Entry]) -> None:
    remove_entry(actor=cast.actor("school_admin"), entry_id=rooms["科学教室甲"].pk, reason="拆了", now=cast.now)
    assert names(cast, "school_admin", kind="entry", register="demo.rooms", q="科学") == ["科学教室乙"]


def named(cast: Cast, who: str, told: object, kind: str = "entry", **more: Any) -> dict[str, str] | None:
    field = FieldSpec.model_validate({"key": "x", "title": "某", "type": kind} | more)
    return known_party(field, told, actor=cast.actor(who), now=cast.now)


def test_an_entry_is_known_by_id_or_by_its_name_if_one_alone_has_it(cast: Cast, rooms: dict[str, Entry]) -> None:
    one = {"id": ids.encode("entry", rooms["科学教室甲"].pk), "name": "科学教室甲"}
    register = {"register": "demo.rooms"}
    assert named(cast, "school_admin", "科学教室甲", **register) == one
    assert named(cast, "school_admin", f"{one['id']}|随便写的", **register) == one
    assert named(cast, "school_admin", {"id": one["id"]}, **register) == one
    assert named(cast, "far_head", one, **register) is None
    assert named(cast, "school_admin", one, register="demo.devices") is None
    assert named(cast, "school_admin", "科学教室", **register) is None


def test_people_beyond_reach_are_not_known_by_their_id_either(cast: Cast) -> None:
    pupil = cast.people["pupil"]
    told = {"id": ids.encode("person", pupil.id), "name": "别的名字"}
    assert named(cast, "school_admin", told, "person") == {"id": told["id"], "name": pupil.name}
    assert named(cast, "far_head", told, "person") is None
    assert named(cast, "school_admin", "x|张三", "person") is None


def test_orgs_are_known_by_id_to_everybody(cast: Cast) -> None:
    school = cast.orgs["far_school"]
    assert named(cast, "parent", {"id": school.public_id}, "org") == {"id": school.public_id, "name": school.name}
