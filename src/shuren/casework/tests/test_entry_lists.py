"""Lists of entries: what a reader finds, filters and sorts by, the same whether few rows or many are asked for."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Entry
from shuren.casework.selectors import entry_lists
from shuren.casework.selectors.entries import Register, access_register, registers_open_to
from shuren.casework.selectors.entry_lists import EntryQuery, entries_page, entries_stream, entry_ids
from shuren.casework.services.registers.write import add_entry, move_entry, remove_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.register_bodies import DEVICES, ROOMS, room

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("school", {"name": "物理实验室", "number": "B1", "kind": "lab", "seats": 48, "built": "2010-09-01"}),
    ("school", {"name": "化学实验室", "number": "B2", "kind": "lab", "seats": 24, "built": "2019-09-01"}),
    ("school", {"name": "一年级1班教室", "number": "A1", "kind": "class", "seats": 45, "built": "2010-08-31"}),
    ("other_school", {"name": "音乐教室", "number": "A1", "kind": "class", "seats": 200}),
    ("far_school", {"name": "远方教室", "number": "A1", "kind": "class", "seats": 30}),
]


@pytest.fixture
def rooms(cast: Cast, define: Define) -> list[Entry]:
    define("register", ROOMS)
    officer = cast.actor("province_officer")
    return [
        add_entry(actor=officer, register="demo.rooms", org_id=cast.orgs[org].id, data=room(**data), now=cast.now)
        for org, data in ROWS
    ]


@pytest.fixture(params=["few", "many"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two is already many: the list walks the indexes as it does over a million."""
    if request.param == "many":
        monkeypatch.setattr(entry_lists, "FEW", 1)


def register(cast: Cast, who: str = "province_officer") -> Register:
    return access_register(actor=cast.actor(who), key="demo.rooms", now=cast.now)


def labels(found: Register, **asked: Any) -> list[str]:
    page = entries_page(found, EntryQuery(**asked))
    rows = [row.entry.label for row in page.rows]
    start = (asked.get("number", 1) - 1) * asked.get("size", 25)
    streamed = [row.entry.label for row in entries_stream(found, EntryQuery(**asked))]
    assert streamed[start : start + len(rows)] == rows
    assert len(list(entry_ids(found, EntryQuery(**asked)))) >= len(rows)
    return rows


pytestmark = pytest.mark.usefixtures("either_way")


def test_a_reader_finds_what_lies_in_their_branch(cast: Cast, rooms: list[Entry]) -> None:
    assert labels(register(cast, "head")) == ["一年级1班教室", "化学实验室", "物理实验室"]
    assert labels(register(cast, "far_head")) == ["远方教室"]
    assert len(labels(register(cast, "county_officer"))) == 4
    assert len(labels(register(cast))) == 5
    assert labels(register(cast), org_path=cast.orgs["other_school"].path) == ["音乐教室"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"kind": "lab"}, {"化学实验室", "物理实验室"}),
        ({"number": "B"}, {"化学实验室", "物理实验室"}),
        ({"number": "B1"}, {"物理实验室"}),
        ({"seats_from": "45", "kind": "class"}, {"一年级1班教室", "音乐教室"}),
        ({"seats_from": "30", "seats_to": "45"}, {"一年级1班教室", "远方教室"}),
        ({"seats": "24"}, {"化学实验室"}),
        ({"built_to": "2010-08-31"}, {"一年级1班教室"}),
        ({"keeper_phone": "1", "unknown": "x"}, {row["name"] for _org, row in ROWS}),
    ],
)
def test_filters_leave_what_they_say(cast: Cast, rooms: list[Entry], filters: dict[str, str], found: set[str]) -> None:
    assert set(labels(register(cast), filters=filters)) == found


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("seats", ["化学实验室", "远方教室", "一年级1班教室", "物理实验室", "音乐教室"]),
        ("-seats", ["音乐教室", "物理实验室", "一年级1班教室", "远方教室", "化学实验室"]),
        ("-number", ["化学实验室", "物理实验室", "远方教室", "音乐教室", "一年级1班教室"]),
    ],
)
def test_lists_are_sorted_by_what_is_indexed(cast: Cast, rooms: list[Entry], sort: str, found: list[str]) -> None:
    assert labels(register(cast), sort=sort) == found
    pages = [labels(register(cast), sort=sort, number=number, size=2) for number in (1, 2, 3)]
    assert [label for page in pages for label in page] == found


@pytest.mark.parametrize(
    ("search", "found"), [("物理", ["物理实验室"]), ("实验", ["化学实验室", "物理实验室"]), ("B2", ["化学实验室"])]
)
def test_search_finds_by_name_number_and_words(cast: Cast, rooms: list[Entry], search: str, found: list[str]) -> None:
    assert set(found) <= set(labels(register(cast, "head"), search=search))


def test_states_and_what_was_removed(cast: Cast, rooms: list[Entry]) -> None:
    head = cast.actor("head")
    move_entry(actor=head, entry_id=rooms[0].pk, state="in_use", now=cast.now)
    remove_entry(actor=head, entry_id=rooms[1].pk, reason="拆除", now=cast.now)
    assert labels(register(cast, "head"), state="in_use") == ["物理实验室"]
    assert labels(register(cast, "head"), sort="label") == ["一年级1班教室", "物理实验室"]


def test_registers_are_listed_for_those_who_read_them(cast: Cast, define: Define) -> None:
    define("register", ROOMS)
    define("register", DEVICES | {"see": ["county_officer"], "keep": ["county_officer"]})
    assert [one.key for one in registers_open_to(actor=cast.actor("head"), now=cast.now)] == ["demo.rooms"]
    assert [one.key for one in registers_open_to(actor=cast.actor("county_officer"), now=cast.now)] == [
        "demo.devices",
        "demo.rooms",
    ]
    assert registers_open_to(actor=cast.actor("parent"), now=cast.now) == []
