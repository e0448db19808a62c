"""What no page of ours would send is answered as a fault of whoever sent it, never as one of ours."""

import pytest
from django.test import Client
from tests.cast import Cast

pytestmark = pytest.mark.django_db
GRANT = "/api/v1/sharing/grants/aaaaaaaaaaaaa"


def test_text_that_no_database_keeps_is_refused_before_anybody_works_with_it(cast: Cast) -> None:
    client = cast.client("county_officer")
    for body in (r'{"sql": "\ud800"}', r'{"sql": "a\u0000b"}', r'{"\udfff": 1}', b'{"sql": "\xed\xa0\x80"}'):
        answer = client.post(f"{GRANT}/query", body, content_type="application/json")
        assert answer.status_code == 400, body
        assert "不能保存" in answer.json()["error"]["message"]
    assert client.get("/api/v1/sharing/datasets", {"search": "a\x00"}).status_code == 400
    assert client.post(f"{GRANT}/query", "[" * 9_000, content_type="application/json").status_code == 400


def test_a_moment_without_its_zone_is_refused(cast: Cast) -> None:
    answer = cast.client("county_officer").get(f"{GRANT}/rows", {"as_of": "2026-06-01T00:00:00"})
    assert (answer.status_code, "as_of" in answer.json()["error"]["remedy"]) == (422, True)


def test_pages_that_nobody_can_count_to_are_answered(cast: Cast) -> None:
    officer, stranger = cast.client("county_officer"), Client()
    for number in ("²", "٣", "9" * 4_000, "-1", "9" * 12):
        assert officer.get("/statistics/", {"year": number}).status_code == 200, number
        assert officer.get("/search/", {"q": "张", "page": number}).status_code == 200, number
        assert stranger.get("/hall/open/", {"page": number}).status_code == 200, number
    for path in ("/api/v1/workbench/questions", "/api/v1/sharing/grants"):
        assert officer.get(path, {"page": 10**30}).status_code == 200, path
