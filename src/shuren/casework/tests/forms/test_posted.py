"""What a page sent is read by the names of the form's fields, and by its button."""

import pytest
from django.http import QueryDict

from shuren.casework.forms import Press, posted_data, read_patch, read_press
from shuren.casework.tests.forms.drawn import field, form_of
from shuren.kernel.errors import Invalid

FORM = form_of(
    field("name"),
    field("codes", "codes"),
    field("place", "place"),
    field("files", "file"),
    field("total", "integer", calculated="sum(rows.n)"),
    field("sign", "signature"),
    field("rows", "table", columns=[field("n", "integer"), field("t"), field("per", "integer", calculated="n")], maximum_rows=3),
)


def test_fields_are_read_by_their_names_and_rows_by_their_numbers() -> None:
    post = QueryDict(
        "name=一小&codes=a&codes=c&place.lon=116.4&place.lat=39.9&files=0123456789abc&total=9&sign=x&other=1"
        "&rows[0].n=1&rows[2].n=3&rows[2].t=丙&rows[2].per=7&rows[1].evil=1"
    )
    assert posted_data(FORM, post) == {
        "name": "一小",
        "codes": ["a", "c"],
        "place": {"lon": "116.4", "lat": "39.9"},
        "files": [{"id": "0123456789abc"}],
        "rows": [{"n": "1", "t": ""}, {"n": "", "t": ""}, {"n": "3", "t": "丙"}],
    }


def test_what_is_held_already_is_not_taken_from_the_page() -> None:
    assert "name" not in posted_data(FORM, QueryDict("name=改"), locked=["name"])


def test_a_page_cannot_send_rows_without_end() -> None:
    assert len(posted_data(FORM, QueryDict("rows[99999].n=1"))["rows"]) == 4


@pytest.mark.parametrize(
    ("act", "press", "row"),
    [
        ("submit", Press("submit"), ("", -1)),
        ("add_row:rows", Press("add_row", "rows"), ("", -1)),
        ("remove_row:rows[2]", Press("remove_row", "rows[2]"), ("rows", 2)),
        ("drop_table:rows", Press("save"), ("", -1)),
    ],
)
def test_the_button_says_what_is_asked(act: str, press: Press, row: tuple[str, int]) -> None:
    found = read_press(QueryDict(f"act={act}"))
    assert (found, found.row) == (press, row)
    assert read_press(QueryDict("")) == Press("submit")


def test_a_patch_says_its_revision() -> None:
    patch = read_patch(b'{"revision": 3, "data": {"name": "x"}}')
    assert (patch.revision, patch.data) == (3, {"name": "x"})
    for body in (b"", b"[]", b'{"data": {}}', b'{"revision": "3", "data": {}}', b"\xff", b" " * 3_000_000):
        with pytest.raises(Invalid):
            read_patch(body)
