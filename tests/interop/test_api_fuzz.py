"""Whatever is asked of the REST API, by its description or against it, the answer is one that the description names.

`SHUREN_FUZZ_REQUESTS` is the number of requests (5,000 in `make soak`, a seeded part of it otherwise).
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core import NotSet

from shuren.front.rest.root import api
from shuren.kernel import ids
from shuren.standards.api import load_registry
from tests.cast import Cast

REQUESTS = int(os.environ.get("SHUREN_FUZZ_REQUESTS", "150"))
DOCUMENT: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
# Words that mean something to parsers, databases or files.
TEXTS = st.one_of(
    st.sampled_from(["", "0", "-1", "1e9", "99999999999999999999", "null", "true", "2026-02-30", "2026-11-30T00:00:00Z"]),
    st.sampled_from(["'; --", "%00", "../..", "person.name", "infra.link", "张三", "\U0001f600", "a" * 300, "[]", "{}"]),
    st.text(max_size=20),
)
BODIES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


@pytest.fixture
def officer(cast: Cast) -> Iterator[Client]:
    load_registry()
    cache.clear()
    client = cast.client("province_officer")
    client.raise_request_exception = False
    yield client
    cache.clear()


def body_of(data: st.DataObject, case: Any) -> str:
    """As described, but for one field that is something else, or nothing of the kind."""
    sent = None if isinstance(case.body, NotSet) else case.body
    if sent is None or data.draw(st.integers(0, 3)) == 0:
        sent = data.draw(BODIES)
    elif isinstance(sent, dict) and sent and data.draw(st.booleans()):
        sent = {**sent, data.draw(st.sampled_from(sorted(sent))): data.draw(BODIES)}
    return json.dumps(sent, default=str)


def test_every_request_to_the_api_is_answered_as_described(officer: Client, cast: Cast) -> None:
    real = [cast.orgs["class"].public_id, cast.people["pupil"].public_id, ids.encode("dataset", 1), "person.name", "1"]

    @seed(20261130)
    @settings(
        max_examples=REQUESTS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS))
        case = data.draw(operation.as_strategy())
        names = {key: data.draw(st.one_of(st.sampled_from(real), TEXTS)) for key in case.path_parameters or {}}
        path = operation.path.format(**{**(case.path_parameters or {}), **(names if data.draw(st.booleans()) else {})})
        assume(path.startswith("/api/v1/") and not set(path) & set("?#") and "\0" not in path)
        query = {key: str(value) for key, value in (case.query or {}).items()}
        if query and data.draw(st.booleans()):
            query[data.draw(st.sampled_from(sorted(query)))] = data.draw(TEXTS)
        answer: Any = officer.generic(
            case.method, path, body_of(data, case) if case.method != "GET" else "", "application/json", query_params=query
        )
        said = (case.method, path, query, answer.status_code, answer.content[:300] if not answer.streaming else b"")
        assert answer.status_code < 500, said
        described = {str(status) for status in operation.definition.raw["responses"]}
        assert str(answer.status_code) in described | {"404", "405", "429"}, said

    ask()
