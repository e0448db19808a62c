import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from tests.cast import Cast

from shuren.front import errors
from shuren.front.urls import urlpatterns as portal
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused

FAILURES = {"refused": Refused, "missing": NotFound, "moved": Conflict, "invalid": Invalid}


def fail(request: HttpRequest, kind: str) -> HttpResponse:
    if kind == "broken":
        raise RuntimeError("secret detail")
    raise FAILURES[kind]("发生了这件事。", remedy="请这样做。")


urlpatterns = [*portal, path("fail/<str:kind>/", fail), path("api/v1/fail/<str:kind>/", fail)]
handler404, handler500 = errors.not_found, errors.server_error


@pytest.mark.django_db
class TestHeaders:
    def test_browsers_are_told_what_they_may_load(self) -> None:
        first, second = Client().get("/sign-in/"), Client().get("/sign-in/")
        policy = first.headers["Content-Security-Policy"]
        nonce = re.search(r"script-src 'self' 'nonce-([\w-]{20,})'", policy)
        assert nonce
        assert nonce[1] not in second.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert "unsafe-eval" not in policy
        assert first.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in first.headers["Permissions-Policy"]
        assert first.headers["X-Content-Type-Options"] == "nosniff"
        assert first.headers["X-Frame-Options"] == "DENY"

    def test_pages_for_people_are_not_kept_by_others(self, cast: Cast) -> None:
        assert "private" in cast.client("head").get("/").headers["Cache-Control"]

    def test_no_page_holds_an_inline_script(self, cast: Cast) -> None:
        client = cast.client("city_officer")
        for url in ("/", "/sign-in/", "/imports/", "/search/?q=张", "/jobs/", "/account/", "/notices/", "/orgs/", "/people/"):
            page = client.get(url, follow=True).content.decode()
            assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", page), url
            assert not re.search(r"\son\w+=", page), url

    def test_health_tells_nothing_else(self) -> None:
        answer = Client().get("/health/")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
class TestDoor:
    def test_strangers_are_asked_to_sign_in_and_come_back(self) -> None:
        assert Client().get("/search/?q=a").headers["Location"] == "/sign-in/?next=%2Fsearch%2F%3Fq%3Da"
        assert Client().get("/").headers["Location"] == "/sign-in/"
        assert Client().post("/imports/new/roster/").headers["Location"] == "/sign-in/"

    def test_a_part_of_a_page_sends_the_whole_page_to_the_door(self) -> None:
        answer = Client().get("/jobs/", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in/")

    def test_programs_get_json(self) -> None:
        answer = Client().get("/api/v1/me/")
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, 401)

    def test_writes_of_programs_need_the_forgery_token(self, cast: Cast) -> None:
        client = Client(enforce_csrf_checks=True)
        client.cookies = cast.client("head").cookies
        answer = client.post("/role/", {"role": "head"})
        assert answer.status_code == 403
        assert client.get("/api/v1/me/").status_code == 200


@pytest.mark.django_db
@pytest.mark.urls(__name__)
class TestErrors:
    @pytest.mark.parametrize(("kind", "status"), [("refused", 403), ("missing", 404), ("moved", 409), ("invalid", 400)])
    def test_expected_failures_say_what_and_what_to_do(self, cast: Cast, kind: str, status: int) -> None:
        client = cast.client("head")
        page = client.get(f"/fail/{kind}/")
        assert page.status_code == status
        assert "发生了这件事。" in page.content.decode()
        assert "请这样做。" in page.content.decode()
        part = client.get(f"/fail/{kind}/", headers={"HX-Request": "true"})
        assert (part.status_code, "<html" in part.content.decode()) == (status, False)
        call = client.get(f"/api/v1/fail/{kind}/")
        assert call.json() == {"error": {"status": status, "message": "发生了这件事。", "remedy": "请这样做。"}}

    def test_what_breaks_tells_no_secrets(self, cast: Cast) -> None:
        client = cast.client("head")
        client.raise_request_exception = False
        page, call = client.get("/fail/broken/"), client.get("/api/v1/fail/broken/")
        assert (page.status_code, call.status_code) == (500, 500)
        assert "系统出错" in page.content.decode()
        assert "secret detail" not in page.content.decode() + call.content.decode()

    def test_unknown_addresses(self, cast: Cast) -> None:
        page = cast.client("head").get("/nowhere/")
        assert (page.status_code, "没有找到" in page.content.decode()) == (404, True)
        assert Client().get("/nowhere/").status_code == 404


def test_a_bad_request_has_a_page(rf: RequestFactory, db: None) -> None:
    request = rf.get("/api/v1/x/")
    assert errors.bad_request(request).status_code == 400
    assert errors.refused(request).status_code == 403
