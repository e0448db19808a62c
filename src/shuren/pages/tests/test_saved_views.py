"""Views of lists: kept as they stand, one's own, found again by name, link and page."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from shuren.kernel.errors import Conflict, NotFound
from shuren.pages.data import NewView
from shuren.pages.forms import SaveViewForm
from shuren.pages.models import SavedView
from shuren.pages.rules.saved_views import VIEWS_PER_LIST, clean_query, kept_query
from shuren.pages.selectors import access_saved_view, saved_views
from shuren.pages.services.saved_views import delete_view, save_view
from shuren.pages.tests.test_views import SpecOf
from shuren.pages.views import lists
from shuren.pages.views import saved_views as pages

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
OWN, OTHER = 7, 8
PUPILS = NewView(name="在籍学生", list_name="people", list_title="人员", path="/people/", query="role=pupil&sort=-name")


def asked(method: str, address: str, fields: dict[str, str] | None = None, *, by: int = OWN, part: bool = False) -> HttpRequest:
    make = RequestFactory(headers={"HX-Request": "true"} if part else {})
    request = make.post(address, fields) if method == "POST" else make.get(address)
    request.user = SimpleNamespace(pk=by, is_authenticated=True)  # type: ignore[assignment]
    return request


def text(response: HttpResponse) -> str:
    return response.content.decode()


def sent(**changes: str) -> dict[str, str]:
    fields = {"name": "在籍学生", "list": "people", "title": "人员", "path": "/people/", "query": "sort=-name&role=pupil&page=4"}
    return fields | changes


class TestQuery:
    @given(st.dictionaries(st.text("abcq", min_size=1, max_size=4), st.text("a&=?# 李+", max_size=6)))
    def test_a_kept_query_says_the_same_in_any_order(self, fields: dict[str, str]) -> None:
        query = kept_query(fields)
        assert dict(parse_qsl(query)) == {key: value for key, value in fields.items() if value}
        assert kept_query(dict(reversed(fields.items()))) == query == clean_query(query)

    def test_where_one_stands_is_not_part_of_a_view(self) -> None:
        assert kept_query({"page": "3", "export": "csv", "sort": "name", "q": ""}) == "sort=name"

    def test_an_endless_query_is_no_view(self) -> None:
        assert clean_query("&".join(f"f{number}=1" for number in range(500))) is None


@pytest.mark.django_db
class TestServices:
    def test_views_are_found_again_by_list_and_name(self) -> None:
        save_view(account_id=OWN, view=PUPILS, now=NOW)
        save_view(account_id=OWN, view=NewView(**vars_of(PUPILS, name="全部", query="")), now=NOW)
        save_view(account_id=OWN, view=NewView(**vars_of(PUPILS, path="/orgs/", list_name="orgs", list_title="机构")), now=NOW)
        assert [(view.list_title, view.name) for view in saved_views(OWN)] == [
            ("人员", "全部"), ("人员", "在籍学生"), ("机构", "在籍学生"),
        ]  # fmt: skip
        assert [view.url for view in saved_views(OWN, path="/people/", list_name="people")] == [
            "/people/", "/people/?role=pupil&sort=-name",
        ]  # fmt: skip
        assert saved_views(OWN, path="/people/", list_name="other") == []

    def test_the_same_name_replaces(self) -> None:
        first = save_view(account_id=OWN, view=PUPILS, now=NOW)
        later = NOW + timedelta(days=1)
        second = save_view(account_id=OWN, view=NewView(**vars_of(PUPILS, query="role=teacher")), now=later)
        assert (second.id, second.query, second.saved_at) == (first.id, "role=teacher", later)
        assert SavedView.objects.count() == 1

    def test_everybody_has_their_own(self) -> None:
        view = save_view(account_id=OWN, view=PUPILS, now=NOW)
        save_view(account_id=OTHER, view=PUPILS, now=NOW)
        assert [found.id for found in saved_views(OWN)] == [view.id]
        for attempt in (access_saved_view, delete_view):
            with pytest.raises(NotFound):
                attempt(account_id=OTHER, id=view.public_id)
        assert delete_view(account_id=OWN, id=view.public_id) == view
        assert saved_views(OWN) == []
        assert len(saved_views(OTHER)) == 1

    def test_a_list_keeps_a_limited_number(self) -> None:
        for number in range(VIEWS_PER_LIST):
            save_view(account_id=OWN, view=NewView(**vars_of(PUPILS, name=f"视图{number}")), now=NOW)
        with pytest.raises(Conflict):
            save_view(account_id=OWN, view=PUPILS, now=NOW)
        save_view(account_id=OWN, view=NewView(**vars_of(PUPILS, name="视图3", query="q=1")), now=NOW)
        save_view(account_id=OTHER, view=PUPILS, now=NOW)


def vars_of(view: NewView, **changes: str) -> dict[str, str]:
    return {name: getattr(view, name) for name in NewView.__slots__} | changes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "长" * 61),
        ("path", "https://elsewhere.example/people/"),
        ("path", "//elsewhere.example/"),
        ("path", "/no/such/page/"),
        ("path", ""),
        ("list", "<b>"),
        ("query", "q=" + "长" * 2_000),
        ("query", "&".join(f"f{number}=1" for number in range(500))),
    ],
)
def test_what_cannot_be_opened_again_is_not_kept(field: str, value: str) -> None:
    form = SaveViewForm(sent(**{field: value}))
    assert not form.is_valid()
    assert field in form.errors


def test_a_list_offers_its_views_to_whoever_is_signed_in(spec_of: SpecOf) -> None:
    shown = lists.list_page(asked("GET", "/people/?state=active&sort=name&page=1&columns=name&columns=born"), spec_of([]))
    assert shown.has_views
    assert parse_qs(shown.view_fields) == {
        "list": ["pupils"],
        "title": ["学生"],
        "path": ["/people/"],
        "query": ["columns=name%2Cborn&sort=name&state=active"],
    }
    stranger = asked("GET", "/people/")
    stranger.user = SimpleNamespace(pk=None, is_authenticated=False)  # type: ignore[assignment]
    assert not lists.list_page(stranger, spec_of([])).has_views


@pytest.mark.django_db
class TestPages:
    def test_a_list_is_kept_from_its_menu_and_marked_there(self) -> None:
        menu = text(pages.kept_views(asked("POST", "/views/", sent(), part=True)))
        (view,) = saved_views(OWN)
        assert view.query == "role=pupil&sort=-name"
        assert f'href="{view.url.replace("&", "&amp;")}" aria-current="true"' in menu
        assert 'data-copy="http://testserver/people/?role=pupil&amp;sort=-name"' in menu
        elsewhere = text(pages.kept_views(asked("GET", "/views/?list=people&path=/people/&query=role%3Dteacher", part=True)))
        assert "在籍学生" in elsewhere
        assert "aria-current" not in elsewhere

    def test_without_a_name_the_menu_says_so(self) -> None:
        menu = text(pages.kept_views(asked("POST", "/views/", sent(name=""), part=True)))
        assert "请给视图起个名字。" in menu
        assert "aria-invalid" in menu
        assert saved_views(OWN) == []

    def test_without_script_the_page_does_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        monkeypatch.setattr(pages.messages, "success", lambda request, words: told.append(words))
        page = text(pages.kept_views(asked("GET", "/views/?list=people&title=人员&path=/people/&query=role%3Dpupil")))
        assert 'name="query" value="role=pupil"' in page
        answer = pages.kept_views(asked("POST", "/views/", sent()))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/people/?role=pupil&sort=-name")
        assert told == ["已保存视图“在籍学生”。"]
        refused = pages.kept_views(asked("POST", "/views/", sent(name="")))
        assert refused.status_code == 400
        assert "请给视图起个名字。" in text(refused)

    def test_a_deleted_view_can_be_kept_after_all(self) -> None:
        view = save_view(account_id=OWN, view=PUPILS, now=NOW)
        menu = text(pages.throw_away(asked("POST", "/", {"query": view.query}, part=True), view.public_id))
        assert "已删除视图“在籍学生”" in menu
        assert saved_views(OWN) == []
        page = text(pages.throw_away(asked("POST", "/"), save_view(account_id=OWN, view=PUPILS, now=NOW).public_id))
        for answer in (menu, page):
            assert 'name="name" value="在籍学生"' in answer
            assert 'name="query" value="role=pupil&amp;sort=-name"' in answer

    def test_nobody_sees_or_deletes_anothers(self) -> None:
        view = save_view(account_id=OTHER, view=PUPILS, now=NOW)
        assert "在籍学生" not in text(pages.kept_views(asked("GET", "/views/")))
        assert "在籍学生" not in text(pages.kept_views(asked("GET", "/views/?list=people&path=/people/", part=True)))
        with pytest.raises(NotFound):
            pages.throw_away(asked("POST", "/"), view.public_id)
        assert len(saved_views(OTHER)) == 1

    def test_links_lead_inside_this_installation(self) -> None:
        save_view(account_id=OWN, view=PUPILS, now=NOW)
        page = text(pages.kept_views(asked("GET", "/views/")))
        link = page.split('data-copy="')[1].split('"')[0]
        assert urlsplit(link).netloc == "testserver"
