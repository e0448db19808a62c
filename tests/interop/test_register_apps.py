"""Registers and apps: an app reads and writes what its scope and the orgs that chose it allow, and sees nothing personal."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Entry
from shuren.casework.selectors.entries import access_entry, access_register
from shuren.casework.services.define import put_definition
from shuren.casework.services.registers.write import add_entry, remove_entry
from shuren.casework.tests.register_bodies import DEVICES, ROOMS, room
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.models import Client as ClientRow
from shuren.identity.services.oauth.families import own_access_token
from shuren.interop.models import App, AppVersion
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import install, listed_app
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM, Actor, AppReach
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry
from tests.cast import Cast, build_cast

READ, WRITE = "registers.read", "registers.write"
ROOMS_URL = "/registers/demo.rooms/entries"


@pytest.fixture
def cast(db: None) -> Cast:
    return with_rooms(build_cast())


def with_rooms(cast: Cast) -> Cast:
    put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=ROOMS, now=cast.now)
    for org in ("school", "other_school", "far_school"):
        data = room(name=org, keeper_phone="13800000000", keeper_id="440103201501011234")
        add_entry(actor=SYSTEM, register="demo.rooms", org_id=cast.orgs[org].id, data=data, now=cast.now)
    return cast


class Caller:
    """An app that calls in its own name."""

    def __init__(self, client_pk: int, *scopes: str) -> None:
        token = own_access_token(client_pk=client_pk, scopes=scopes, now=clock.now())
        self.words: dict[str, Any] = {"headers": {"authorization": f"Bearer {token}"}, "content_type": "application/json"}

    def ask(self, path: str, told: dict[str, Any] | None = None, method: str = "post") -> Any:
        if told is None:
            return Client().get(f"/api/v1{path}", headers=self.words["headers"])
        return getattr(Client(), method)(f"/api/v1{path}", told, **self.words)

    def names(self) -> set[str]:
        return {row["label"] for row in self.ask(ROOMS_URL).json()["rows"]}


def caller(cast: Cast, *scopes: str, org: str = "school") -> Caller:
    grants = frozenset({GrantType.CLIENT_CREDENTIALS})
    new = NewClient(name="资产系统", grant_types=grants, scopes=frozenset(scopes), org_id=cast.orgs[org].id)
    return Caller(identity.register_client(actor=SYSTEM, client=new, now=clock.now()).id, *scopes)


def entry_of(name: str) -> str:
    return ids.encode("entry", Entry.objects.get(label=name).pk)


def test_an_app_reads_its_branch_and_nothing_personal(cast: Cast) -> None:
    app = caller(cast, READ)
    assert [one["key"] for one in app.ask("/registers").json()] == ["demo.rooms"]
    assert app.ask("/registers").json()[0]["may_write"] is False
    assert app.names() == {"school"}
    assert caller(cast, READ, org="county").names() == {"school", "other_school"}
    told = app.ask(f"/entries/{entry_of('school')}").json()["data"]
    assert (told["keeper_phone"], told["keeper_id"], told["seats"]) == ("***", "***", 45)
    assert not AuditEntry.objects.filter(action="casework.sensitive_entry_read").exists()


def test_an_attacker_with_a_token_gets_no_further(cast: Cast) -> None:
    reader, stranger = caller(cast, READ), caller(cast, "directory.read")
    far, near = entry_of("far_school"), entry_of("school")
    told = {"org_id": cast.orgs["school"].public_id, "data": {"name": "新", "number": "X1"}}
    assert reader.ask(f"/entries/{far}").status_code == 404
    assert reader.ask(ROOMS_URL, told).status_code == 403
    assert reader.ask(f"/entries/{near}", {"revision": 1, "data": {"seats": 1}}, "patch").status_code == 403
    assert reader.ask(f"/entries/{near}/remove", {"revision": 1, "reason": "x"}).status_code == 403
    for path in ("/registers", ROOMS_URL, f"/entries/{near}", "/registers/demo.rooms/schema"):
        assert stranger.ask(path).status_code == 403
    writer = caller(cast, READ, WRITE)
    assert writer.ask(ROOMS_URL, told | {"org_id": cast.orgs["far_school"].public_id}).status_code == 404
    assert writer.ask(f"/entries/{far}", {"revision": 1, "data": {"seats": 1}}, "patch").status_code == 404
    assert writer.ask(f"/entries/{far}/remove", {"revision": 1, "reason": "x"}).status_code == 404
    remove_entry(actor=SYSTEM, entry_id=ids.decode("entry", far), reason="x", now=cast.now)
    assert writer.ask(f"/entries/{far}/restore", {"revision": 2, "reason": "x"}).status_code == 404
    assert writer.ask(f"{ROOMS_URL}?removed=true").json()["rows"] == []
    assert Entry.objects.filter(revision__gt=1).get().label == "far_school"


def test_an_app_writes_what_it_sees_and_no_star_comes_back(cast: Cast) -> None:
    writer = caller(cast, READ, WRITE)
    told = {"org_id": cast.orgs["school"].public_id, "data": {"name": "新", "number": "X1", "keeper_phone": "13900000000"}}
    made = writer.ask(ROOMS_URL, told)
    assert (made.status_code, made.json()["data"]["keeper_phone"]) == (201, "***")
    address = f"/entries/{made.json()['id']}"
    read = writer.ask(address).json()["data"]
    assert writer.ask(address, {"revision": 1, "data": read | {"seats": 30}}, "patch").status_code == 403
    assert writer.ask(address, {"revision": 1, "data": {"seats": 30}}, "patch").json()["data"]["seats"] == 30
    kept = Entry.objects.get(label="新")
    assert kept.data["keeper_phone"] == "13900000000"
    who = AuditEntry.objects.filter(action="casework.entry_changed", target=f"entry:{kept.pk}").get()
    assert who.details["client_id"]
    assert writer.ask(f"{address}/remove", {"revision": 2, "reason": "报废"}).json()["revision"] == 3
    assert writer.ask(f"{address}/restore", {"revision": 3, "reason": "误删"}).status_code == 200


def test_a_name_that_is_personal_is_hidden_from_an_app(cast: Cast) -> None:
    (section,) = ROOMS["sections"]
    fields = [field | {"grade": "L3"} if field["key"] == "name" else field for field in section["fields"]]
    put_definition(
        actor=SYSTEM, kind=DefinitionKind.REGISTER, body=ROOMS | {"sections": [section | {"fields": fields}]}, now=cast.now
    )
    app = caller(cast, READ)
    assert app.names() == {"***"}
    assert app.ask(f"{ROOMS_URL}?search=school").json()["total"] == 0
    assert "label" not in app.ask("/registers").json()[0]["sorts"]


@pytest.mark.parametrize("keep", [["province_officer"], ["teacher"]])
def test_an_app_reaches_no_register_that_those_who_chose_it_do_not(cast: Cast, keep: list[str]) -> None:
    put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=ROOMS | {"keep": keep, "see": keep}, now=cast.now)
    app = caller(cast, READ, WRITE)
    assert app.ask("/registers").json() == []
    assert app.ask(f"/entries/{entry_of('school')}").status_code == 404


def test_for_a_person_an_app_does_no_more_than_they_may(cast: Cast) -> None:
    reach = AppReach(client_id="app", permissions=frozenset({"view_registers"}), paths=(cast.orgs["province"].path,))
    head, teacher = (acting_for(cast.actor(who), reach) for who in ("head", "teacher"))
    found = access_register(actor=head, key="demo.rooms", now=cast.now).access
    assert (found.read_paths, found.write_paths, found.sensitive_paths) == ((cast.orgs["school"].path,), (), ())
    with pytest.raises(NotFound):
        access_register(actor=teacher, key="demo.rooms", now=cast.now)
    own = Entry.objects.get(label="school")
    Entry.objects.filter(pk=own.pk).update(subject_id=cast.people["teacher"].id)
    with pytest.raises(NotFound):
        access_entry(actor=teacher, id=own.pk, now=cast.now)


def acting_for(person: Actor, reach: AppReach) -> Actor:
    return replace(person, app=reach)


def test_only_orgs_that_agreed_to_the_scope_are_reached(stage: Stage, server: VendorServer) -> None:
    with_rooms(stage.cast)
    app_id = listed_app(stage, server)
    install(stage, app_id)
    client_id = App.objects.get(pk=app_id).client_id
    app = Caller(ClientRow.objects.get(client_id=client_id).pk, READ, WRITE, "directory.read")
    told = {"org_id": stage.cast.orgs["school"].public_id, "data": {"name": "新", "number": "X1"}}
    for agreed, names, written in ((["directory.read"], set(), 404), ([READ], {"school"}, 404), ([READ, WRITE], {"school"}, 201)):
        AppVersion.objects.filter(app_id=app_id).update(scopes=agreed)
        answer = app.ask(ROOMS_URL)
        assert {row["label"] for row in answer.json().get("rows", [])} == names
        assert answer.status_code == (200 if names else 404)
        assert app.ask(ROOMS_URL, told).status_code == written


def test_the_document_says_which_scope_opens_what(cast: Cast) -> None:
    paths = cast.client("head").get("/api/v1/openapi.json").json()["paths"]
    scopes = {
        method: [way["OAuth2"] for way in operation["security"] if "OAuth2" in way]
        for method, operation in paths["/api/v1/registers/{key}/entries"].items()
    }
    assert scopes == {"get": [[READ]], "post": [[WRITE]]}


def test_no_refusal_tells_an_app_the_name_that_it_does_not_see(cast: Cast) -> None:
    (section,) = ROOMS["sections"]
    fields = [field | {"grade": "L3"} if field["key"] == "name" else field for field in section["fields"]]
    hidden = ROOMS | {"sections": [section | {"fields": fields}]}
    for body in (hidden, DEVICES | {"keep": ["school_admin"]}):
        put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=body, now=cast.now)
    near, app = entry_of("school"), caller(cast, READ, WRITE)
    device = {"name": "投影仪", "serial": "SN-1", "room": {"id": near, "name": ""}}
    org = cast.orgs["school"]
    named = add_entry(actor=SYSTEM, register="demo.devices", org_id=org.id, data=device, now=cast.now)
    assert named.data["room"]["name"] == "school"
    refused = [
        app.ask(f"/entries/{near}", {"revision": 99, "data": {"seats": 1}}, "patch"),
        app.ask(f"/entries/{near}/remove", {"revision": 99, "reason": "x"}),
        app.ask(f"/entries/{near}/remove", {"revision": 1, "reason": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [409, 409, 409]
    assert not any("school" in answer.content.decode() for answer in refused)


def test_an_app_sees_whom_an_entry_names_by_id_and_takes_no_name_away(cast: Cast) -> None:
    teacher, near = cast.people["teacher"], entry_of("school")
    (section,) = DEVICES["sections"]
    more = {"key": "user", "title": "使用人", "type": "person"}
    body = DEVICES | {"keep": ["school_admin"], "sections": [section | {"fields": [*section["fields"], more]}]}
    put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=body, now=cast.now)
    user = {"id": teacher.public_id, "name": teacher.name}
    data = {"name": "投影仪", "serial": "SN-1", "room": {"id": near, "name": ""}, "user": user}
    kept = add_entry(actor=SYSTEM, register="demo.devices", org_id=cast.orgs["school"].id, data=data, now=cast.now)
    app, address = caller(cast, READ, WRITE), f"/entries/{ids.encode('entry', kept.pk)}"
    (listed,) = app.ask("/registers/demo.devices/entries").json()["rows"]
    read = app.ask(address).json()["data"]
    for shown in (listed["data"], read):
        assert (shown["user"], shown["room"]) == ({"id": teacher.public_id}, {"id": near})
    assert app.ask(address, {"revision": 1, "data": read | {"name": "新投影仪"}}, "patch").status_code == 200
    kept.refresh_from_db()
    assert (kept.data["name"], kept.data["user"], kept.data["room"]["name"]) == ("新投影仪", user, "school")
