"""Pages and the HTTP face: what they show, to whom, at how many queries."""

import csv
import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from pytest_django import DjangoAssertNumQueries

from shuren.assessment import api, rest
from shuren.assessment.models import Assessment
from shuren.assessment.tests.conftest import Cast
from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db
Stored = tuple[Cast, int]
Get = Callable[..., HttpResponse]


def asked(cast: Cast, key: str, path: str, **query: str) -> HttpRequest:
    request = RequestFactory().get(path, query)
    request.user = AnonymousUser()
    request.session = SessionBase()
    request.actor = cast.actor(key)  # type: ignore[attr-defined]
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def page(cast: Cast, key: str, path: str, **query: str) -> str:
    request = asked(cast, key, path, **query)
    match = resolve(request.path)
    response = match.func(request, *match.args, **match.kwargs)
    assert response.status_code == 200
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def address(tail: str = "") -> str:
    return f"/assessments/{ids.encode('assessment', api.assessment_id_of_code('math-2026') or 0)}/{tail}"


def test_the_list_names_the_test_and_where_its_data_come_from(stored: Stored) -> None:
    text = page(stored[0], "officer", "/assessments/")
    assert "四年级数学监测" in text
    assert "真实作答" in text
    assert address() in text


def test_nobody_else_s_tests_are_listed(stored: Stored) -> None:
    assert "四年级数学监测" not in page(stored[0], "c1-01", "/assessments/")
    assert "还没有测验" in page(stored[0], "pupilless", "/assessments/")


def test_a_list_can_be_searched_and_filtered(stored: Stored) -> None:
    cast = stored[0]
    assert "四年级数学监测" in page(cast, "officer", "/assessments/", q="数学")
    assert address() not in page(cast, "officer", "/assessments/", q="语文")
    assert address() in page(cast, "officer", "/assessments/", subject="数学")


@pytest.mark.parametrize(
    ("tail", "shown"),
    [("", ("M1", "图形与几何", "区分度")), ("participation/", ("east区教育局", "36")), ("codebook/", ("Q1", "家里的书"))],
)
def test_every_page_of_a_test_shows_its_source(stored: Stored, tail: str, shown: tuple[str, ...]) -> None:
    text = page(stored[0], "officer", address(tail))
    assert "测试数据" in text
    for word in shown:
        assert word in text


def test_a_simulated_test_is_marked(stored: Stored) -> None:
    Assessment.objects.update(is_simulated=True)
    assert "模拟" in page(stored[0], "officer", "/assessments/")
    assert "模拟" in page(stored[0], "officer", address())


@pytest.mark.parametrize("tail", ["", "participation/", "codebook/"])
def test_out_of_scope_does_not_exist(stored: Stored, tail: str) -> None:
    for key in ("c1-01", "pupilless"):
        with pytest.raises(NotFound):
            page(stored[0], key, address(tail))
    with pytest.raises(NotFound):
        page(stored[0], "officer", f"/assessments/0000000000000/{tail}")


def test_participation_stays_within_the_scope(stored: Stored) -> None:
    text = page(stored[0], "head3", address("participation/"), level="class")
    assert "四年级c4班" in text
    assert "四年级c1班" not in text


def test_items_are_filtered_sorted_and_exported_with_an_audit_entry(stored: Stored) -> None:
    cast = stored[0]
    text = page(cast, "officer", address(), export="csv", content="数与代数", sort="-mean_share")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("﻿"))))
    assert {row["题号"] for row in rows} == {"M1", "M2"}
    assert float(rows[0]["得分率"]) >= float(rows[1]["得分率"])
    assert AuditEntry.objects.filter(action="assessment.list_exported").count() == 1


@pytest.mark.parametrize(("tail", "most"), [(None, 13), ("", 13), ("participation/", 21), ("codebook/", 12)])
def test_query_counts(stored: Stored, django_assert_max_num_queries: DjangoAssertNumQueries, tail: str | None, most: int) -> None:
    cast, path = stored[0], "/assessments/" if tail is None else address(tail)
    page(cast, "officer", path)
    with django_assert_max_num_queries(most):
        page(cast, "officer", path)


def test_the_http_face_tells_the_same(stored: Stored) -> None:
    cast = stored[0]
    request = asked(cast, "officer", "/api/v1/assessments/")
    listed = rest.list_assessments(request)
    assert (listed.total, listed.rows[0].code) == (1, "math-2026")
    one = rest.read_assessment(request, listed.rows[0].id)
    assert (one.pupils, one.items, one.source_note) == (48, 4, "测试数据")
    items = rest.list_items(request, one.id)
    assert [item.code for item in items] == ["M1", "M2", "M3", "M4"]
    assert rest.list_assessments(asked(cast, "c1-01", "/api/v1/assessments/")).total == 0
    with pytest.raises(NotFound):
        rest.read_assessment(asked(cast, "c1-01", "/api/v1/assessments/"), one.id)
