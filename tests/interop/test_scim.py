"""SCIM as Entra, Okta and strict clients speak it, through the whole server."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import NewPerson, Role
from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.services.oauth.families import own_access_token
from shuren.kernel import audit, clock
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry
from tests.cast import Cast

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class Peer:
    """A client of the school with a token."""

    cast: Cast
    headers: dict[str, str]
    client: Client

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        kind = "application/scim+json"
        sent = json.dumps(body) if body is not None else ""
        return self.client.generic(method, f"/scim/v2{path}", sent, kind, headers=self.headers | headers)

    def told(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def patch(self, path: str, *operations: dict[str, object]) -> Any:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def user(self, key: str) -> str:
        return f"/Users/{self.cast.people[key].public_id}"


def peer_of(cast: Cast, scope: str, *, org: str = "school", is_first_party: bool = True) -> Peer:
    client = NewClient(
        name="人事系统",
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
        scopes=frozenset({scope}),
        is_first_party=is_first_party,
        org_id=cast.orgs[org].id,
    )
    made = identity.register_client(actor=SYSTEM, client=client, now=clock.now())
    token = own_access_token(client_pk=made.id, scopes=(scope,), now=clock.now())
    return Peer(cast, {"Authorization": f"Bearer {token}"}, Client())


@pytest.fixture
def people(cast: Cast) -> Peer:
    load_registry()
    return peer_of(cast, "scim.people")


def new_staff(peer: Peer, name: str, **facts: object) -> dict[str, Any]:
    made = peer.ask("POST", "/Users", {"userName": name, "displayName": "新老师", "active": True, **facts})
    assert made.status_code == 201, made.content
    found: dict[str, Any] = made.json()
    return found


def test_discovery_is_a_list_that_nobody_writes(people: Peer) -> None:
    for path in ("/Schemas", "/ResourceTypes"):
        told = people.told(path)
        assert told["totalResults"] == len(told["Resources"]) > 0
        assert people.ask("POST", path, {}).status_code == 405
    assert people.told("/ServiceProviderConfig")["patch"]["supported"] is True
    assert people.ask("GET", "/Schemas")["Content-Type"] == "application/scim+json"


def test_a_stranger_and_a_token_without_scope_are_refused(cast: Cast) -> None:
    answer = Client().get("/scim/v2/Users")
    assert (answer.status_code, answer.json()["schemas"]) == (401, [ERROR])
    assert cast.client("province_officer").get("/scim/v2/Users").status_code == 401
    assert peer_of(cast, "directory.read").ask("GET", "/Users").status_code == 403


def test_reach_is_the_branch_and_out_of_reach_is_404(people: Peer) -> None:
    names = {user["displayName"] for user in people.told("/Users")["Resources"]}
    assert {"张三", "李晓敏"} <= names
    assert "张远山" not in names
    assert people.told("/Users")["totalResults"] == len(names)
    far = people.ask("GET", people.user("far_pupil"))
    assert (far.status_code, far.json()["schemas"]) == (404, [ERROR])
    assert people.ask("GET", f"/Groups/{people.cast.orgs['far_class'].public_id}").status_code == 404
    assert people.told('/Users?filter=displayName eq "张远山"')["totalResults"] == 0


def test_every_resource_says_when_where_and_which_version(people: Peer) -> None:
    for path in ("/Users", "/Groups"):
        for told in people.told(path)["Resources"]:
            assert {"created", "lastModified", "location", "version", "resourceType"} <= set(told["meta"])
            assert people.client.get(told["meta"]["location"], headers=people.headers).status_code == 200


FILTERS = {
    'userName eq "PUPIL"': {"张三"},
    'displayName eq "张三"': {"张三"},
    'displayName sw "张" and not (displayName co "父")': {"张三", "张小雨"},
    'userName eq "pupil" or userName eq "head"': {"张三", "陈立新"},
    'active eq true and userName ew "upil"': {"张三", "刘洋"},
    'displayName ne "张三" and userName co "pupil" and emails.value pr': set(),
    'emails[type eq "work" and value eq "x@example.cn"]': set(),
    'meta.lastModified gt "2000-01-01T00:00:00Z" and userName eq "pupil"': {"张三"},
    'meta.lastModified le "2000-01-01T00:00:00Z"': set(),
}


@pytest.mark.parametrize("condition", FILTERS)
def test_filters(people: Peer, condition: str) -> None:
    answer = people.client.get("/scim/v2/Users", {"filter": condition}, headers=people.headers)
    assert answer.status_code == 200, answer.content
    assert {user["displayName"] for user in answer.json()["Resources"]} == FILTERS[condition]


@pytest.mark.parametrize("condition", ["userName eq", 'userName xx "a"', 'nothing eq "a"', '(userName eq "a"'])
def test_a_wrong_filter_is_400(people: Peer, condition: str) -> None:
    answer = people.client.get("/scim/v2/Users", {"filter": condition}, headers=people.headers)
    assert (answer.status_code, answer.json()["scimType"]) in ((400, "invalidFilter"), (400, "invalidPath"))


def test_pages_are_counted_from_one_and_join(people: Peer) -> None:
    whole = people.told("/Users")
    seen: list[str] = []
    while len(seen) < whole["totalResults"]:
        part = people.told(f"/Users?startIndex={len(seen) + 1}&count=3")
        assert part["startIndex"] == len(seen) + 1
        seen += [user["id"] for user in part["Resources"]]
    assert seen == [user["id"] for user in whole["Resources"]]
    nothing = people.told("/Users?count=0")
    assert (nothing["totalResults"], nothing["Resources"]) == (whole["totalResults"], [])
    assert people.told("/Users?startIndex=0&count=1")["startIndex"] == 1
    ordered = [user["displayName"] for user in people.told("/Users?sortBy=displayName&sortOrder=descending")["Resources"]]
    assert ordered == sorted(ordered, reverse=True)


def test_nobody_is_invented_with_scim_write(cast: Cast) -> None:
    load_registry()
    writer = peer_of(cast, "scim.write")
    assert writer.ask("POST", "/Users", {"userName": "nobody", "displayName": "谁"}).status_code == 403
    missing = writer.ask("POST", "/Users", {"displayName": "谁"})
    assert (missing.status_code, missing.json()["scimType"]) == (400, "invalidValue")
    taken = writer.ask("POST", "/Users", {"userName": "pupil", "displayName": "张三"})
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")
    far = writer.ask("POST", "/Users", {"userName": cast.people["far_pupil"].number, "displayName": "张远山"})
    assert far.status_code == 409
    renamed = writer.patch(writer.user("pupil"), {"op": "replace", "path": "displayName", "value": "李四"})
    assert renamed.status_code == 403
    assert (
        peer_of(cast, "scim.read").patch(writer.user("pupil"), {"op": "replace", "path": "active", "value": False}).status_code
        == 403
    )
    assert identity.accounts_of_people([cast.people["pupil"].id])[cast.people["pupil"].id].is_active


def test_an_account_is_opened_for_somebody_of_the_roster(cast: Cast) -> None:
    load_registry()
    new = NewPerson(name="周新", staff_number="T2026")
    person_id = directory.add_person(actor=SYSTEM, person=new, now=cast.now).id
    directory.affiliate(actor=SYSTEM, person_id=person_id, org_id=cast.orgs["school"].id, role=Role.TEACHER, now=cast.now)
    writer = peer_of(cast, "scim.write")
    made = writer.ask("POST", "/Users", {"userName": "T2026", "displayName": "周新", "externalId": "hr-7"})
    assert made.status_code == 201, made.content
    assert (made.json()["active"], made.json()["externalId"], made.json()["userType"]) == (True, "hr-7", "teacher")
    assert made["Location"] == made.json()["meta"]["location"]
    assert not identity.accounts_of_people([person_id])[person_id].is_usable
    assert writer.told('/Users?filter=externalId eq "hr-7"')["Resources"][0]["id"] == made.json()["id"]
    assert writer.ask("POST", "/Users", {"userName": "T2026"}).status_code == 409
    other = peer_of(cast, "scim.read")
    assert "externalId" not in other.told(f"/Users/{made.json()['id']}")


def test_active_false_as_entra_says_it_lets_the_account_sleep(cast: Cast) -> None:
    load_registry()
    writer, pupil = peer_of(cast, "scim.write"), cast.people["pupil"].id
    answer = writer.patch(writer.user("pupil"), {"op": "Replace", "path": "active", "value": "False"})
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert not identity.accounts_of_people([pupil])[pupil].is_active
    woken = writer.patch(writer.user("pupil"), {"op": "replace", "value": {"active": True}})
    assert woken.json()["active"] is True
    assert identity.accounts_of_people([pupil])[pupil].is_active
    actions = list(audit.entries(action="identity.account_").values_list("action", flat=True))
    assert {"identity.account_slept", "identity.account_woken"} <= set(actions)


def test_nobody_with_wider_duties_is_suspended(cast: Cast) -> None:
    load_registry()
    directory.affiliate(
        actor=SYSTEM,
        person_id=cast.people["city_officer"].id,
        org_id=cast.orgs["school"].id,
        role=Role.PARENT,
        now=cast.now,
    )
    writer = peer_of(cast, "scim.write")
    answer = writer.patch(writer.user("city_officer"), {"op": "replace", "path": "active", "value": False})
    assert answer.status_code == 403


def test_an_app_of_others_reads_masked_and_never_writes(cast: Cast) -> None:
    load_registry()
    other = peer_of(cast, "scim.write", is_first_party=False)
    told = other.told(other.user("pupil"))
    assert told["userName"] == told["id"]
    assert "张三" not in json.dumps(told, ensure_ascii=False)
    assert other.told('/Users?filter=userName eq "pupil"')["totalResults"] == 0
    assert other.told('/Users?filter=displayName eq "张三"')["totalResults"] == 0
    assert other.patch(other.user("pupil"), {"op": "replace", "path": "active", "value": False}).status_code == 403


def test_addresses_come_in_every_dialect(people: Peer) -> None:
    made = new_staff(people, "wang", emails=[{"value": "a@x.cn", "type": "home", "primary": True}])
    path = f"/Users/{made['id']}"
    assert made["emails"] == [{"value": "a@x.cn", "type": "work"}]
    for operation, wanted in (
        ({"op": "Add", "path": 'emails[type eq "work"].value', "value": "b@x.cn"}, "b@x.cn"),
        ({"op": "replace", "value": {'emails[type eq "home"].value': "c@x.cn"}}, "c@x.cn"),
        ({"op": "replace", "value": {"emails": [{"value": "d@x.cn", "primary": True}]}}, "d@x.cn"),
        ({"op": "REPLACE", "path": "emails", "value": [{"value": "e@x.cn", "type": "other"}]}, "e@x.cn"),
    ):
        answer = people.patch(path, operation)
        assert (answer.status_code, answer.json()["emails"][0]["value"]) == (200, wanted)
    assert people.told('/Users?filter=emails.value eq "E@x.cn"')["totalResults"] == 1
    assert people.patch(path, {"op": "replace", "path": "userName", "value": "other"}).json()["scimType"] == "mutability"
    assert people.patch(path, {"op": "remove"}).json()["scimType"] == "noTarget"
    assert people.patch(path, {"op": "jump", "path": "active"}).json()["scimType"] == "invalidValue"


def test_deleted_is_gone_and_comes_back_by_post(people: Peer) -> None:
    made = new_staff(people, "li")
    path = f"/Users/{made['id']}"
    assert people.ask("DELETE", path).status_code == 204
    assert people.ask("GET", path).status_code == 404
    assert people.ask("DELETE", path).status_code == 404
    assert people.told('/Users?filter=userName eq "li"')["totalResults"] == 0
    assert new_staff(people, "li")["id"] == made["id"]
    assert people.told(path)["active"] is True


def test_a_changed_version_is_412(people: Peer) -> None:
    made = new_staff(people, "sun")
    path, version = f"/Users/{made['id']}", made["meta"]["version"]
    assert people.ask("GET", path, **{"If-None-Match": version}).status_code == 304
    body = {"userName": "sun", "displayName": "孙一", "active": True}
    done = people.ask("PUT", path, body, **{"If-Match": version})
    assert (done.status_code, done["ETag"]) == (200, done.json()["meta"]["version"])
    assert done["ETag"] != version
    assert people.ask("PUT", path, body, **{"If-Match": version}).status_code == 412
    assert people.ask("DELETE", path, **{"If-Match": version}).status_code == 412


def test_members_leave_only_when_named(people: Peer) -> None:
    ids = [new_staff(people, name)["id"] for name in ("m1", "m2", "m3")]
    body = {"displayName": "教务处", "members": [{"value": ids[0]}, {"value": ids[1]}]}
    group = people.ask("POST", "/Groups", body)
    assert group.status_code == 201, group.content
    path = f"/Groups/{group.json()['id']}"

    def members() -> set[str]:
        return {member["value"] for member in people.told(path).get("members", [])}

    added = {"op": "Add", "path": "members", "value": [{"value": ids[2], "displayName": "新老师"}]}
    assert people.patch(path, added).status_code == 200
    assert members() == set(ids)
    assert people.patch(path, {"op": "Remove", "path": "members", "value": [{"value": ids[0]}]}).status_code == 200
    assert members() == {ids[1], ids[2]}
    assert people.patch(path, {"op": "remove", "path": f'members[value eq "{ids[1]}"]'}).status_code == 200
    assert members() == {ids[2]}
    found = people.told(f'/Groups?filter=members.value eq "{ids[2]}" and displayName eq "教务处"')
    assert found["totalResults"] == 1
    assert "members" not in people.told(f"{path}?excludedAttributes=members")
    okta = {"displayName": "教务中心", "members": [{"value": ids[0]}]}
    assert people.ask("PUT", path, okta).json()["displayName"] == "教务中心"
    assert members() == {ids[0]}
    assert people.ask("PUT", path, {"displayName": "教务中心"}).status_code == 200
    assert members() == {ids[0]}
    assert people.ask("DELETE", path).status_code == 204
    assert people.ask("GET", path).status_code == 404


def test_classes_are_the_rosters(people: Peer) -> None:
    path = f"/Groups/{people.cast.orgs['class'].public_id}"
    held = {member["value"] for member in people.told(path)["members"]}
    assert people.cast.people["pupil"].public_id in held
    gone = people.patch(path, {"op": "remove", "path": "members"})
    assert (gone.status_code, gone.json()["scimType"]) == (400, "mutability")
    assert {member["value"] for member in people.told(path)["members"]} == held
    assert people.ask("DELETE", path).status_code == 403


def test_bulk_names_what_it_made(people: Peer) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "bulk", "displayName": "新人"}},
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "g",
            "data": {"displayName": "后勤处", "members": [{"value": "bulkId:u"}]},
        },
        {"method": "POST", "path": "/Users", "bulkId": "x", "data": {"displayName": "没有名字"}},
        {"method": "DELETE", "path": "/Users/bulkId:u"},
    ]
    answer = people.ask("POST", "/Bulk", {"failOnErrors": 2, "Operations": operations})
    assert [one["status"] for one in answer.json()["Operations"]] == ["201", "201", "400", "204"]
    assert people.told('/Users?filter=userName eq "bulk"')["totalResults"] == 0
    stopped = people.ask("POST", "/Bulk", {"failOnErrors": 1, "Operations": operations[2:]})
    assert len(stopped.json()["Operations"]) == 1
    assert people.ask("POST", "/Bulk", {"Operations": [{}] * 101}).status_code == 413


def test_me_is_a_person_and_broken_bodies_are_400(people: Peer) -> None:
    assert people.ask("GET", "/Me").status_code == 404
    broken = people.client.generic("POST", "/scim/v2/Users", "{", "application/scim+json", headers=people.headers)
    assert (broken.status_code, broken.json()["scimType"]) == (400, "invalidSyntax")
    assert people.ask("GET", "/Nothing").json()["schemas"] == [ERROR]
    found = people.ask("POST", "/Users/.search", {"filter": 'userName eq "pupil"', "attributes": ["userName"]}).json()
    assert (found["totalResults"], found["Resources"][0]["userName"]) == (1, "pupil")
    assert "displayName" not in found["Resources"][0]
    assert people.ask("POST", "/.search", {}).status_code == 501
