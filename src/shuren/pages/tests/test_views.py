from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory

from shuren.pages import api
from shuren.pages.data import Action, EmptyState, ListQuery, ListSpec
from shuren.pages.tests.conftest import Pupil, pupils
from shuren.pages.views import lists as views

SpecOf = Callable[..., ListSpec[Pupil]]


def ask(address: str, **headers: str) -> HttpRequest:
    request = RequestFactory().get(address, headers=headers)
    request.user = AnonymousUser()
    return request


def drawn(spec: ListSpec[Pupil], address: str = "/people/") -> str:
    return render_to_string("pages/_list.html", {"list": api.list_page(ask(address), spec)})


def test_a_page_shows_its_rows_and_where_they_stand(spec_of: SpecOf) -> None:
    html = drawn(spec_of(pupils(60)), "/people/?page=2")
    assert "学生00025" in html
    assert "学生00024" not in html
    assert "第 26–50 条，共 60 条" in html
    assert 'aria-current="page"' in html
    assert "?page=3" in html


def test_large_counts_are_told_as_estimates(spec_of: SpecOf) -> None:
    assert "共约 60 条" in drawn(spec_of(pupils(60), is_exact=False))


def test_conditions_become_chips_that_can_be_taken_off(spec_of: SpecOf) -> None:
    shown = api.list_page(ask("/people/?q=学生&state=active&page=2"), spec_of(pupils(60)))
    assert [(chip.label, chip.value) for chip in shown.chips] == [("搜索", "学生"), ("状态", "在籍")]
    assert "state=active" in shown.chips[0].url
    assert "q=" not in shown.chips[0].url
    assert "page" not in shown.chips[0].url
    assert shown.clear_url == "?"


def test_heads_sort_and_say_so(spec_of: SpecOf) -> None:
    html = drawn(spec_of(pupils(3)), "/people/?sort=-score")
    assert 'aria-sort="descending"' in html
    assert html.index("学生00002") < html.index("学生00000")


def test_columns_can_be_chosen_in_the_address(spec_of: SpecOf) -> None:
    shown = api.list_page(ask("/people/?columns=name&columns=born"), spec_of(pupils(1)))
    assert [head.column.key for head in shown.heads] == ["name", "born"]
    assert shown.rows[0].cells[1].text == "2016-01-01"


def test_nothing_found_and_nothing_there_differ(spec_of: SpecOf) -> None:
    first = EmptyState(title="还没有学生", action=Action(label="导入花名册", url="/imports/"))
    assert "没有符合条件的记录" in drawn(spec_of(pupils(3), empty=first), "/people/?q=没有")
    assert "导入花名册" in drawn(spec_of([], empty=first))
    assert "这里还没有记录" in drawn(spec_of([]))


def test_ticks_and_row_actions_appear_when_declared(spec_of: SpecOf) -> None:
    plain = drawn(spec_of(pupils(2)))
    assert "data-tick" not in plain
    full = drawn(
        spec_of(
            pupils(2),
            row_id=lambda row: row.name,
            bulk=(Action(label="停用", url="/stop/", confirm="将停用"),),
            row_actions=lambda row: (Action(label="更正", url=f"/people/{row.name}/edit/"),),
        )
    )
    assert 'name="ids" form="bulk-pupils" value="学生00001"' in full
    assert 'formaction="/stop/"' in full
    assert "/people/学生00001/edit/" in full


def test_htmx_gets_the_list_alone(spec_of: SpecOf) -> None:
    headers = {"HX-Request": "true", "HX-Target": "list-pupils"}
    response = api.render_list(ask("/people/", **headers), spec_of(pupils(2)))
    content = response.content.decode()  # type: ignore[attr-defined]
    assert content.lstrip().startswith("<section")
    assert 'role="status"' in content
    assert not api.is_partial(ask("/people/", **headers, **{"HX-History-Restore-Request": "true"}))


def test_exports_hold_what_is_seen(spec_of: SpecOf) -> None:
    told: list[tuple[ListQuery, str]] = []
    spec = spec_of(pupils(450), on_export=lambda query, form: told.append((query, form)))
    response = api.render_list(ask("/people/?export=csv&columns=name,state&sort=-name&page=2"), spec)
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "\ufeff姓名,状态"
    assert lines[1] == "学生00449,在籍"
    assert len(lines) == 451
    assert told[0][0].sort == "-name"
    assert told[0][1] == "csv"


def test_exports_stream_where_the_list_can(spec_of: SpecOf) -> None:
    spec = spec_of(pupils(2), stream=lambda query: iter(pupils(5)))
    assert len(list(views.exported_rows(spec, ListQuery()))) == 5


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 400])
def test_exports_without_a_stream_walk_every_page_once(spec_of: SpecOf, count: int) -> None:
    names = [row.name for row in views.exported_rows(spec_of(pupils(count)), ListQuery())]
    assert names == [row.name for row in pupils(count)]


def test_excel_beyond_its_limit_points_to_csv(spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(views.messages, "warning", lambda request, words: told.append(words))

    def refuse(*args: object) -> None:
        raise views.TooManyRows(200_000)

    monkeypatch.setattr(views, "workbook_response", refuse)
    spec = spec_of(pupils(3), on_export=lambda query, form: None)
    response = api.render_list(ask("/people/?export=xlsx&q=学"), spec)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("?q=")
    assert "CSV" in told[0]
