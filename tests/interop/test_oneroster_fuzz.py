"""Whatever is asked of the OneRoster service, the answer is one that its description names."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import schemathesis
from django.core.cache import cache
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core import NotSet

from shuren.directory.data import RosterTable
from shuren.interop.rules.oneroster import fields, scopes
from shuren.interop.rules.oneroster.description import FILES, description
from shuren.interop.rules.oneroster.faults import Fault
from shuren.interop.rules.oneroster.fields import USER
from shuren.interop.rules.oneroster.filters import OPERATORS, Comparison, Filter, passes, read_filter
from shuren.interop.rules.oneroster.marks import KINDS
from shuren.interop.services.oneroster.read_roster import COLLECTIONS as ROSTER
from shuren.standards.api import load_registry
from tests.cast import Cast
from tests.interop.test_oneroster import COLLECTIONS, Peer, peer_of

ROOT = "/ims/oneroster"
DOCUMENTS = {service: description(service, f"http://testserver{ROOT}", "http://testserver/oauth/token/") for service in FILES}
RELAXED = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
}


def operations(service: str) -> list[Any]:
    loaded = schemathesis.openapi.from_dict(DOCUMENTS[service])
    return [found.ok() for found in loaded.get_all_operations()]


OPERATIONS = {service: operations(service) for service in FILES}


@pytest.fixture
def peer(cast: Cast) -> Iterator[Peer]:
    load_registry()
    cache.clear()
    yield peer_of(cast, *(scope.removeprefix(scopes.PREFIX) for scope in scopes.ALL))
    cache.clear()


def check(service: str, path: str, method: str, answer: Any) -> None:
    """The status is described, and the body has the form that the description gives it."""
    document = DOCUMENTS[service]
    responses = document["paths"][path][method.lower()]["responses"]
    status = str(answer.status_code)
    assert status in responses, (method, path, status, answer.content[:300])
    assert answer.status_code < 500
    if "content" in responses[status]:
        schema = responses[status]["content"]["application/json"]["schema"]
        jsonschema.validate(json.loads(answer.content), {**schema, "components": document["components"]})


@pytest.mark.parametrize("service", FILES)
def test_every_generated_request_is_answered_as_described(peer: Peer, cast: Cast, service: str) -> None:
    real = [cast.orgs["class"].public_id, cast.orgs["school"].public_id, cast.people["pupil"].public_id]

    @seed(20261130)
    @settings(max_examples=120 if service != "resources" else 20, **RELAXED)  # type: ignore[arg-type]
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS[service]))
        case = data.draw(operation.as_strategy())
        names = {key: data.draw(st.sampled_from(real)) for key in case.path_parameters or {}}
        path = operation.path.format(**(case.path_parameters or {}) | (names if data.draw(st.booleans()) else {}))
        assume("\0" not in path)
        answer = peer.client.generic(
            case.method,
            f"{ROOT}/{service}/v1p2{path}",
            "" if isinstance(case.body, NotSet) else json.dumps(case.body),
            "application/json",
            headers=peer.headers,
            query_params={key: str(value) for key, value in (case.query or {}).items()},
        )
        if "/" not in str(case.path_parameters) and "?" not in str(case.path_parameters):
            check(service, operation.path, case.method, answer)

    ask()


FIELDS = [*USER, "metadata.x", "shoeSize", "agents.sourcedId"]
VALUES = st.one_of(
    st.sampled_from(["张", "true", "active", "student", "2026-09-01T00:00:00Z", "2026-09-01", "", "7", "a,b"]),
    st.text(max_size=20),
)


@st.composite
def filters(draw: Any) -> str:
    def part() -> str:
        value = draw(VALUES).replace("'", "''")
        return f"{draw(st.sampled_from(FIELDS))}{draw(st.sampled_from(OPERATORS))}'{value}'"

    joined = draw(st.sampled_from(["", " AND ", " OR ", " XOR "]))
    return part() + (joined + part() if joined else "")


def test_every_filter_is_answered_or_refused(peer: Peer) -> None:
    @seed(20261130)
    @settings(max_examples=90, **RELAXED)  # type: ignore[arg-type]
    @given(name=st.sampled_from(COLLECTIONS), text=st.one_of(filters(), st.text(max_size=40)), sort=st.sampled_from(FIELDS))
    def ask(name: str, text: str, sort: str) -> None:
        answer = peer.ask(f"/{name}", filter=text, sort=sort, orderBy="desc", limit="5")
        assert answer.status_code in (200, 400), (name, text, answer.content)
        check("rostering", f"/{name}", "GET", answer)

    ask()


def fields_of(service: str, name: str) -> list[str]:
    """What the description says of the objects of a collection, and what else can be filtered by."""
    document = DOCUMENTS[service]
    schema = document["paths"][f"/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    [plural] = schema["properties"].values()
    told = document["components"]["schemas"][plural["items"]["$ref"].rsplit("/", 1)[-1]]["properties"]
    refs = [f"{field}.sourcedId" for field, form in told.items() if "$ref" in form]
    held = list(ROSTER[name][0].fields) if service == "rostering" else []
    return list(dict.fromkeys([*told, *refs, *held]))


LISTS = [("rostering", name) for name in COLLECTIONS] + [("gradebook", name) for name in KINDS]


def test_every_field_of_every_collection_is_filtered_sorted_and_chosen(peer: Peer) -> None:
    values = ("true", "2026-09-01T00:00:00Z", "2026-09-01", "'';--", "7", "张", "%_\\", "a,b", "")
    for service, name in LISTS:
        for at, field in enumerate([*fields_of(service, name), "metadata.x", "shoeSize"]):
            operator, value = OPERATORS[at % len(OPERATORS)], values[at % len(values)]
            query = {"filter": f"{field}{operator}'{value}'", "sort": field, "fields": field, "limit": "3"}
            answer = peer.client.get(f"{ROOT}/{service}/v1p2/{name}", headers=peer.headers, query_params=query)
            assert answer.status_code in ((400,) if field == "shoeSize" else (200, 400)), (name, field, operator, answer.content)
            if answer.status_code == 400:
                check(service, f"/{name}", "GET", answer)


@given(field=st.from_regex(r"[a-zA-Z]{1,8}", fullmatch=True), operator=st.sampled_from(OPERATORS), value=st.text(max_size=30))
def test_a_filter_is_read_as_it_was_written(field: str, operator: str, value: str) -> None:
    assume("\0" not in value)
    quoted = value.replace("'", "''")
    single = Comparison(field, operator, value)
    assert read_filter(f"{field}{operator}'{quoted}'") == Filter((single,))
    both = read_filter(f"{field}{operator}'{quoted}' OR {field} {operator} '{quoted}'")
    assert both == Filter((single, single), is_any=True)


@given(text=st.text(max_size=60))
def test_any_other_text_is_a_fault_and_nothing_worse(text: str) -> None:
    found = []
    try:
        read_filter(text)
    except Fault as fault:
        found.append((fault.status, fault.minor))
    assert found in ([], [(400, "invalid_filter_field")])


@given(value=st.text(max_size=30), held=st.text(max_size=30))
def test_equal_and_unequal_part_all_objects(value: str, held: str) -> None:
    told = {"name": held}
    same, other = (passes(Filter((Comparison("name", operator, value),)), told) for operator in ("=", "!="))
    assert same != other


@given(field=st.sampled_from(sorted(USER)), operator=st.sampled_from(OPERATORS), value=st.text(max_size=30))
def test_every_value_makes_a_test_or_a_fault(field: str, operator: str, value: str) -> None:
    found = []
    try:
        fields.test_of(Comparison(field, operator, value), USER, RosterTable.PEOPLE)
    except Fault as fault:
        found.append(fault.status)
    assert found in ([], [400])
