"""Statements over HTTP: kept whole or not at all, once, and found again (1.0.3 Communication 2.1, 2.0 5.2.1)."""

import json
from typing import Any
from uuid import uuid4

import pytest

from shuren.records.tests.lrs_client import NEW, OLD, LrsClient, new_client
from shuren.records.tests.sample_statements import ACTIVITY, AGENT, COURSE, TEACHER, TEAM, VERB, about, small, voiding, whole

VERSIONS = pytest.mark.parametrize("version", [OLD, NEW])


def posted(client: LrsClient, *statements: dict[str, Any]) -> list[str]:
    response = client.call("POST", "statements", body=list(statements))
    assert response.status_code == 200, response.content
    found: list[str] = response.json()
    return found


def ids_found(client: LrsClient, **params: Any) -> list[str]:
    response = client.call("GET", "statements", params)
    assert response.status_code == 200, response.content
    return [one["id"] for one in response.json()["statements"]]


@VERSIONS
def test_what_was_put_is_handed_out_with_what_the_service_adds(db: None, version: str) -> None:
    client, statement = new_client(version=version), whole()
    assert client.call("PUT", "statements", {"statementId": statement["id"]}, statement).status_code == 204
    response = client.call("GET", "statements", {"statementId": statement["id"]})
    kept = response.json()
    assert response.status_code == 200
    assert response["X-Experience-API-Version"] == version
    assert "X-Experience-API-Consistent-Through" in response
    assert "Last-Modified" in response
    assert kept["authority"]["account"]["name"] == client.client_id
    assert kept["stored"].endswith("Z")
    assert kept["version"] == ("1.0.0" if version == OLD else "2.0.0")
    assert kept["context"]["contextActivities"]["category"] == [{"id": "https://example.org/profile"}]
    assert {name: kept[name] for name in ("actor", "verb", "object", "result")} == {
        name: statement[name] for name in ("actor", "verb", "object", "result")
    }


@VERSIONS
def test_a_list_is_kept_whole_or_not_at_all(db: None, version: str) -> None:
    client = new_client(version=version)
    response = client.call("POST", "statements", body=[small(), small(verb={"id": "answered"})])
    assert response.status_code == 400
    assert "[1].verb.id" in response.json()["error"]["message"]
    assert ids_found(client) == []
    assert len(posted(client, small(), small())) == 2
    assert len(ids_found(client)) == 2


@VERSIONS
def test_the_same_id_twice_is_the_same_statement_or_a_conflict(db: None, version: str) -> None:
    client, statement = new_client(version=version), whole()
    assert posted(client, statement) == posted(client, statement) == [statement["id"]]
    same = statement | {"verb": {"id": VERB}, "timestamp": "2026-03-01T00:30:00.123Z"}
    assert posted(client, same) == [statement["id"]]
    assert posted(client, statement | {"id": statement["id"].upper()})
    for other in (small(id=statement["id"]), statement | {"result": {"success": False}}):
        assert client.call("POST", "statements", body=other).status_code == 409
        assert client.call("PUT", "statements", {"statementId": statement["id"]}, other).status_code == 409
    assert client.call("POST", "statements", body=[small(), small(id=statement["id"])]).status_code == 409
    assert ids_found(client) == [statement["id"]]
    assert client.call("POST", "statements", body=[statement, statement]).status_code == 400


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-03-01 08:30:00.601+08:00", "2026-03-01T00:30:00.601000Z"),
        ("2026-03-01 08:30:00Z", "2026-03-01T08:30:00Z"),
        ("2026-03-01T08:30:00.1234567Z", "2026-03-01T08:30:00.1234567Z"),
    ],
)
def test_timestamps_of_2_0_are_handed_out_in_utc(db: None, sent: str, kept: str) -> None:
    client = new_client(version=NEW)
    key = posted(client, small(timestamp=sent))[0]
    assert client.call("GET", "statements", {"statementId": key}).json()["timestamp"] == kept


def test_the_moment_told_with_a_space_is_compared_as_a_moment(db: None) -> None:
    client = new_client(version=NEW)
    first = small(id=str(uuid4()), timestamp="2026-03-01 08:30:00+08:00")
    posted(client, first)
    assert client.call("POST", "statements", body=first | {"timestamp": "2026-03-01T00:30:00Z"}).status_code == 200
    assert client.call("POST", "statements", body=first | {"timestamp": "2026-03-01 08:31:00+08:00"}).status_code == 409


@VERSIONS
def test_put_takes_one_statement_under_its_own_id(db: None, version: str) -> None:
    client, key = new_client(version=version), str(uuid4())
    assert client.call("PUT", "statements", body=small()).status_code == 400
    assert client.call("PUT", "statements", {"statementId": key}, small(id=str(uuid4()))).status_code == 400
    assert client.call("PUT", "statements", {"statementId": key}, [small()]).status_code == 400
    assert client.call("PUT", "statements", {"statementId": "1"}, small()).status_code == 400
    assert client.call("PUT", "statements", {"statementId": key}, small()).status_code == 204
    assert ids_found(client) == [key]


@VERSIONS
def test_a_voided_statement_is_read_as_such_and_no_longer_listed(db: None, version: str) -> None:
    client = new_client(version=version)
    (kept,) = posted(client, small())
    (void,) = posted(client, voiding(kept))
    assert ids_found(client) == [void]
    assert client.call("GET", "statements", {"statementId": kept}).status_code == 404
    assert client.call("GET", "statements", {"voidedStatementId": kept}).json()["id"] == kept
    assert client.call("GET", "statements", {"voidedStatementId": void}).status_code == 404
    posted(client, voiding(void))
    assert client.call("GET", "statements", {"statementId": void}).status_code == 200


@VERSIONS
def test_a_statement_may_be_voided_before_it_comes(db: None, version: str) -> None:
    client, key = new_client(version=version), str(uuid4())
    posted(client, voiding(key))
    posted(client, small(id=key))
    assert client.call("GET", "statements", {"statementId": key}).status_code == 404
    assert client.call("GET", "statements", {"voidedStatementId": key}).status_code == 200
    both = str(uuid4())
    posted(client, voiding(both), small(id=both))
    assert client.call("GET", "statements", {"voidedStatementId": both}).status_code == 200


@VERSIONS
def test_nobody_voids_what_another_said(db: None, version: str) -> None:
    writer, other = (new_client("statements/write", "statements/read", version=version) for _each in range(2))
    (kept,) = posted(writer, small())
    assert other.call("POST", "statements", body=[small(), voiding(kept)]).status_code == 403
    early = str(uuid4())
    (forestalled,) = posted(other, voiding(early))
    posted(writer, small(id=early))
    assert ids_found(writer) == [early, forestalled, kept]
    posted(writer, voiding(early))
    assert early not in ids_found(writer)
    keeper = new_client(version=version)
    (void,) = posted(keeper, voiding(kept))
    assert kept not in ids_found(keeper)
    # Of a voiding statement nothing comes, whoever it is of.
    posted(other, voiding(void))
    assert void in ids_found(other)


def test_every_filter_finds_what_it_asks_for(db: None) -> None:
    client = new_client()
    other = {"mbox": "mailto:other@example.org"}
    rich = whole()
    inner = {"objectType": "SubStatement", "actor": other, "verb": {"id": VERB}, "object": {"id": COURSE}}
    statements = {
        "rich": rich,
        "about_agent": small(actor=other, object=AGENT, verb={"id": "https://example.org/verbs/greeted"}),
        "by_team": small(actor=TEAM, object={"id": "https://example.org/activities/play"}),
        "inner": small(actor=TEACHER, object=inner),
    }
    keys = dict(zip(statements, posted(client, *statements.values()), strict=True))
    names = {key: name for name, key in keys.items()}

    def found(**params: Any) -> set[str]:
        return {names[key] for key in ids_found(client, **params)}

    assert found() == set(statements)
    assert found(agent=AGENT) == {"rich", "about_agent", "by_team"}
    assert found(agent=TEACHER) == {"by_team", "inner"}
    assert found(agent=TEACHER, related_agents="true") == {"rich", "by_team", "inner"}
    assert found(agent=other) == {"about_agent"}
    assert found(agent=other, related_agents="true") == {"about_agent", "inner"}
    assert found(activity=ACTIVITY) == {"rich"}
    assert found(activity=COURSE) == set()
    assert found(activity=COURSE, related_activities="true") == {"rich", "inner"}
    assert found(verb=VERB, agent=AGENT) == {"rich", "by_team"}
    assert found(registration=rich["context"]["registration"].upper()) == {"rich"}
    authority = {"account": {"homePage": "http://testserver", "name": client.client_id}}
    assert found(agent=authority) == set()
    assert found(agent=authority, related_agents="true") == set(statements)
    assert found(agent=AGENT, activity=COURSE, related_activities="true") == {"rich"}


def test_statements_about_a_statement_that_is_found_come_along(db: None) -> None:
    client = new_client()
    first, later = whole(), str(uuid4())
    (near,) = posted(client, about(first["id"], actor=TEACHER))
    (far,) = posted(client, about(near, actor=TEACHER))
    posted(client, first, about(later, actor=TEACHER, verb={"id": "https://example.org/verbs/unlike"}))
    assert set(ids_found(client, activity=ACTIVITY)) == {first["id"], near, far}
    posted(client, voiding(first["id"]))
    found = ids_found(client, activity=ACTIVITY)
    assert first["id"] not in found
    assert {near, far} <= set(found)
    assert len(found) == 3


def test_pages_lead_on_without_a_gap_while_others_write(db: None) -> None:
    client = new_client()
    keys = [key for _ in range(7) for key in posted(client, small())]
    for ascending, wanted in (("true", keys), ("false", keys[::-1])):
        seen = []
        response = client.call("GET", "statements", {"limit": "3", "ascending": ascending})
        while True:
            told = response.json()
            seen += [one["id"] for one in told["statements"]]
            if not told["more"]:
                break
            if ascending == "false":
                posted(client, small())
            assert told["more"].startswith("/xapi/statements?more=")
            response = client.call("GET", told["more"].removeprefix("/xapi/"))
        assert [key for key in seen if key in keys] == wanted
        assert len(seen) == 7
    assert client.call("GET", "statements", {"more": "made-up"}).status_code == 400


def test_since_and_until_speak_of_the_moment_of_storing(db: None) -> None:
    client = new_client()
    keys = [key for _ in range(3) for key in posted(client, small())]
    stored = [client.call("GET", "statements", {"statementId": key}).json()["stored"] for key in keys]
    if len(set(stored)) == 3:
        assert ids_found(client, since=stored[0], ascending="true") == keys[1:]
        assert ids_found(client, until=stored[1], ascending="true") == keys[:2]
    assert ids_found(client, since="2099-01-01T00:00:00Z") == []


@VERSIONS
@pytest.mark.parametrize(
    "params",
    [
        {"statementId": "nothing"},
        {"statementid": str(uuid4())},
        {"statementId": str(uuid4()), "voidedStatementId": str(uuid4())},
        {"statementId": str(uuid4()), "limit": "1"},
        {"agent": "me"},
        {"agent": "{}"},
        {"agent": json.dumps(TEAM)},
        {"agent": '{"mbox": "pupil@example.org"}'},
        {"verb": "answered"},
        {"activity": "fractions"},
        {"registration": "1"},
        {"since": "yesterday"},
        {"until": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"ascending": "yes"},
        {"related_agents": "1"},
        {"Related_Agents": "true"},
        {"attachments": "TRUE"},
        {"format": "short"},
        {"unknown": "1"},
    ],
)
def test_what_cannot_be_asked_is_a_bad_request(db: None, version: str, params: dict[str, str]) -> None:
    assert new_client(version=version).call("GET", "statements", params).status_code == 400


def test_who_reads_only_its_own_reads_nothing_else(db: None) -> None:
    writer, own = new_client(), new_client("statements/write", "statements/read/mine")
    (others,) = posted(writer, small())
    (mine,) = posted(own, small())
    assert ids_found(own) == [mine]
    assert own.call("GET", "statements", {"statementId": others}).status_code == 404
    assert set(ids_found(writer)) == {others, mine}
    assert new_client("statements/write").call("GET", "statements").status_code == 403
    assert new_client("statements/read").call("POST", "statements", body=small()).status_code == 403


def test_a_list_without_statements_stores_none_and_says_so(db: None) -> None:
    assert new_client().call("POST", "statements", body=[]).json() == []


def test_storing_leaves_one_entry_for_a_request(db: None, audited: Any) -> None:
    posted(new_client(), small(), small())
    assert audited() == ["records.statements_stored"]
