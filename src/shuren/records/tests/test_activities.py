"""What several clients tell of one activity becomes one definition."""

import json
from typing import Any

import pytest

from shuren.kernel import clock
from shuren.records.selectors.activities import activity_object
from shuren.records.services.define_activities import forget_told, keep_definitions
from shuren.records.tests.lrs_client import ACTIVITY, new_client
from shuren.records.tests.sample_statements import small

pytestmark = pytest.mark.django_db


def test_a_definition_is_answered_with_its_activity() -> None:
    forget_told()
    keep_definitions({ACTIVITY: {"name": {"zh": "分数"}}}, now=clock.now())
    found = new_client("state").call("GET", "activities", {"activityId": ACTIVITY}).json()
    assert found == {"objectType": "Activity", "id": ACTIVITY, "definition": {"name": {"zh": "分数"}}}


@pytest.mark.parametrize(
    ("first", "then", "known"),
    [
        ({"name": {"zh": "分数"}}, {"name": {"en": "Fractions"}}, {"name": {"zh": "分数", "en": "Fractions"}}),
        ({"name": {"zh": "旧"}}, {"name": {"zh": "新"}}, {"name": {"zh": "新"}}),
        ({"moreInfo": "https://example.org/a"}, {"type": "https://example.org/t"}, None),
        ({"extensions": {"https://example.org/x": 1}}, {"extensions": {"https://example.org/y": "\ud800\x00"}}, None),
        (
            {"interactionType": "choice", "choices": [{"id": "a"}], "correctResponsesPattern": ["a"]},
            {"interactionType": "true-false", "correctResponsesPattern": ["true"]},
            {"interactionType": "true-false", "correctResponsesPattern": ["true"]},
        ),
    ],
)
def test_definitions_are_laid_over_each_other(first: dict[str, Any], then: dict[str, Any], known: dict[str, Any] | None) -> None:
    forget_told()
    keep_definitions({ACTIVITY: first}, now=clock.now())
    keep_definitions({ACTIVITY: then}, now=clock.now())
    found = activity_object(ACTIVITY)["definition"]
    assert json.loads(json.dumps(found)) == (known or {**first, **then, **_joined(first, then)})


def test_one_request_may_tell_of_an_activity_in_pieces() -> None:
    forget_told()
    lrs = new_client("all")
    names = ({"zh": "分数"}, {"fr": "fraction"})
    pieces = [small(object={"id": ACTIVITY, "definition": {"name": name}}) for name in names]
    assert lrs.call("POST", "statements", body=pieces).status_code == 200
    assert activity_object(ACTIVITY)["definition"] == {"name": {"zh": "分数", "fr": "fraction"}}


def _joined(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    return {name: {**first[name], **then[name]} for name in first if isinstance(first[name], dict) and name in then}
