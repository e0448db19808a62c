"""Documents and the people they are about: tokens for a person, merged entries, erased people."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.identity.data import Bearer
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.records.models import Document
from shuren.records.services.follow_people import follow_merge, forget_person
from shuren.records.tests.lrs_client import ACTIVITY, LrsClient, new_client
from shuren.records.views import asked

HOME = "https://region.example.cn"


def state_of(person_id: int) -> dict[str, Any]:
    agent = {"account": {"homePage": HOME, "name": ids.encode("person", person_id)}}
    return {"activityId": ACTIVITY, "agent": agent, "stateId": "bookmark"}


@pytest.fixture
def lrs(cast: Cast, settings: Any) -> LrsClient:
    settings.SHUREN_PUBLIC_URL = HOME
    return new_client("all")


@pytest.fixture
def for_pupil(cast: Cast, lrs: LrsClient, monkeypatch: pytest.MonkeyPatch) -> LrsClient:
    """A client that calls with a token for the pupil."""
    pupil = cast.people["pupil"]
    bearer = Bearer("an-app", "应用", frozenset({"state"}), pupil.id, 1, None, clock.now(), is_first_party=True)
    monkeypatch.setattr(asked, "bearer_of", lambda request: bearer)
    monkeypatch.setattr(asked, "admit_bearer", lambda request: True)
    monkeypatch.setattr(asked, "actor_of", lambda request: Actor(pupil.id, 1, "应用"))
    return LrsClient("an-app", "", headers={"authorization": "Bearer token"})


def test_a_token_for_a_person_reaches_that_person_alone(cast: Cast, for_pupil: LrsClient) -> None:
    own, other = state_of(cast.people["pupil"].id), state_of(cast.people["far_pupil"].id)
    assert for_pupil.call("PUT", "activities/state", own, {"page": 1}).status_code == 204
    assert for_pupil.call("GET", "activities/state", own).json() == {"page": 1}
    assert for_pupil.call("GET", "activities/state", other).status_code == 403
    stranger = {**own, "agent": {"mbox": "mailto:pupil@example.org"}}
    assert for_pupil.call("PUT", "activities/state", stranger, {"page": 1}).status_code == 403


def test_an_account_that_names_nobody_here_is_an_agent_as_any_other(lrs: LrsClient) -> None:
    assert lrs.call("PUT", "activities/state", state_of(9_000_000), {"page": 1}).status_code == 204
    assert Document.objects.get().person_id is None


def test_documents_follow_people(cast: Cast, lrs: LrsClient) -> None:
    pupil, other = cast.people["pupil"].id, cast.people["far_pupil"].id
    lrs.call("PUT", "activities/state", state_of(pupil), {"page": 1})
    lrs.call("PUT", "activities/state", state_of(other), {"page": 2})
    assert follow_merge(kept_id=pupil, dropped_id=other, now=cast.now) == 1
    assert follow_merge(kept_id=pupil, dropped_id=other, now=cast.now) == 0
    assert set(Document.objects.values_list("person_id", flat=True)) == {pupil}
    assert forget_person(person_id=pupil, now=cast.now) == 2
    assert not Document.objects.exists()
