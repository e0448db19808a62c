"""The pages of learning records: sums and lines in the reader's branch, names for who may see them, and what was refused."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.kernel import clock, ids
from shuren.records.models import RefusedRequest
from shuren.records.services.count_refusals import forget_refusals
from shuren.records.services.write_lake import write_due_days
from shuren.records.tests.lrs_client import LrsClient, new_client
from shuren.records.tests.sample_statements import small, whole


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "lake"


@pytest.fixture
def lrs(cast: Cast) -> LrsClient:
    """A client that told of a pupil, of one far away and of somebody from elsewhere."""
    client = new_client()
    told = [
        whole(actor={"account": {"homePage": "http://testserver", "name": ids.encode("person", cast.people[key].id)}})
        for key in ("pupil", "far_pupil")
    ]
    assert client.call("POST", "statements", body=[*told, small(verb={"id": "https://e.cn/verbs/read"})]).status_code == 200
    write_due_days(now=clock.now())
    return client


def shown(browser: Client, path: str, **query: str) -> str:
    response = browser.get(path, query)
    assert response.status_code == 200, path
    return response.content.decode()


def exported(browser: Client, path: str) -> str:
    answer: Any = browser.get(path, {"export": "csv"})
    assert answer.status_code == 200
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode("utf-8-sig")


def test_arrivals_are_counted_in_the_readers_branch(cast: Cast, lrs: LrsClient) -> None:
    for role, count in (("province_officer", "3"), ("county_officer", "1"), ("head", "1")):
        text = exported(cast.client(role), "/records/")
        day = clock.day_of(clock.now()).isoformat()
        line = next(line for line in text.splitlines() if line.startswith(day))
        assert line.split(",")[1:3] == ["练习", count], role
    for role in ("teacher", "pupil", "parent", "expert"):
        assert "练习" not in shown(cast.client(role), "/records/")
    row = f"client={lrs.client_id}&amp;since="
    assert row not in shown(cast.client("province_officer"), "/records/", since="2020-01-01", until="2020-01-31")
    assert row in shown(cast.client("province_officer"), "/records/", since="so", client=lrs.client_id)


def test_lines_name_people_only_to_who_may_see_their_results(cast: Cast, lrs: LrsClient) -> None:
    pupil, far = cast.people["pupil"].name, cast.people["far_pupil"].name
    head = shown(cast.client("head"), "/records/statements/")
    assert pupil in head
    assert far not in head
    assert "answered" in head
    officer = shown(cast.client("province_officer"), "/records/statements/")
    assert pupil not in officer
    assert "read" in officer
    assert "分数" in officer
    assert "分数" not in shown(cast.client("province_officer"), "/records/statements/", verb="https://e.cn/verbs/read")
    assert pupil not in shown(cast.client("teacher"), "/records/statements/")
    assert pupil in exported(cast.client("head"), "/records/statements/")
    everything = exported(cast.client("province_officer"), "/records/statements/")
    assert pupil not in everything
    assert len(everything.strip().splitlines()) == 4


def test_what_is_refused_is_counted_for_who_sees_the_region(cast: Cast, lrs: LrsClient) -> None:
    for _turn in range(2):
        assert lrs.call("POST", "statements", body=small(verb={"id": "no iri"})).status_code == 400
    taken = whole()
    assert lrs.call("POST", "statements", body=taken).status_code == 200
    assert lrs.call("PUT", "statements", {"statementId": taken["id"]}, small()).status_code == 409
    assert lrs.call("GET", "statements", {"limit": "x"}).status_code == 400
    caliper = LrsClient(lrs.client_id, lrs.secret, base="/")
    assert caliper.call("POST", "caliper/", body={"\x00": 1}).status_code == 400
    assert caliper.call("POST", "caliper/", body=b"{}", content_type="text/plain").status_code == 415
    found = {row.status: (row.count, row.client_id) for row in RefusedRequest.objects.all()}
    assert found == {400: (3, lrs.client_id), 409: (1, lrs.client_id), 415: (1, lrs.client_id)}
    page = shown(cast.client("province_officer"), "/records/refused/")
    assert "练习" in page
    assert "another statement" in page
    assert "练习" not in shown(cast.client("county_officer"), "/records/refused/")
    assert "练习" not in shown(cast.client("province_officer"), "/records/refused/", until="2020-01-01")
    assert forget_refusals(now=clock.now()) == 0
    RefusedRequest.objects.update(day="2020-01-01")
    assert forget_refusals(now=clock.now()) == 3
