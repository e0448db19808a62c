"""moveOn, blocks, names in packages, ranges and launch addresses: decided without a database."""

import json
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.records.rules.cmi5.launch import launch_url
from shuren.records.rules.cmi5.packages import byte_range, checked_members, served_as
from shuren.records.rules.cmi5.satisfaction import Branch, is_unit_satisfied, satisfied_blocks
from shuren.records.rules.cmi5.statements import duration_text
from shuren.records.rules.cmi5.structure import FaultyCourse
from shuren.records.rules.cmi5.titles import best_title
from shuren.records.rules.cmi5.words import MoveOn, PartKind

# moveOn: done by nothing, by completed, by passed, by both (13.1.4).
TABLE = {
    MoveOn.PASSED: (False, False, True, True),
    MoveOn.COMPLETED: (False, True, False, True),
    MoveOn.BOTH: (False, False, False, True),
    MoveOn.EITHER: (False, True, True, True),
    MoveOn.NOT_APPLICABLE: (True, True, True, True),
}
UNIT, BLOCK = PartKind.UNIT, PartKind.BLOCK


@pytest.mark.parametrize("move_on", MoveOn)
def test_what_makes_a_unit_count_as_done(move_on: MoveOn) -> None:
    ways = [(False, False), (True, False), (False, True), (True, True)]
    found = tuple(is_unit_satisfied(move_on, is_completed=done, is_passed=won, is_waived=False) for done, won in ways)
    assert found == TABLE[move_on]
    assert is_unit_satisfied(move_on, is_completed=False, is_passed=False, is_waived=True)


def tree() -> list[Branch]:
    """A unit; a block with a unit and a block with one more; a block of a unit that asks for nothing."""
    return [
        Branch(1, None, UNIT, MoveOn.PASSED),
        Branch(2, None, BLOCK, MoveOn.NOT_APPLICABLE),
        Branch(3, 2, UNIT, MoveOn.COMPLETED),
        Branch(4, 2, BLOCK, MoveOn.NOT_APPLICABLE),
        Branch(5, 4, UNIT, MoveOn.PASSED),
        Branch(6, None, BLOCK, MoveOn.NOT_APPLICABLE),
        Branch(7, 6, UNIT, MoveOn.NOT_APPLICABLE),
    ]


@pytest.mark.parametrize(
    ("units", "blocks", "is_whole"),
    [
        (set(), {6}, False),
        ({5}, {4, 6}, False),
        ({3}, {6}, False),
        ({3, 5}, {2, 4, 6}, False),
        ({1, 3, 5}, {2, 4, 6}, True),
    ],
)
def test_blocks_are_done_when_everything_in_them_is(units: set[int], blocks: set[int], is_whole: bool) -> None:
    found, whole = satisfied_blocks(tree(), units)
    assert (set(found), whole) == (blocks, is_whole)
    if {2, 4} <= blocks:
        assert found.index(4) < found.index(2)


def member(name: str, size: int = 10, packed: int = 10, flags: int = 0, mode: int = 0o100644) -> ZipInfo:
    info = ZipInfo("x")
    info.filename, info.file_size, info.compress_size, info.flag_bits = name, size, packed, flags
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    "bad",
    [
        member("../out.html"),
        member("/etc/passwd"),
        member("a/../../b"),
        member("a\\b.html"),
        member("C:evil.html"),
        member("a\n.html"),
        member("a//b"),
        member("link", mode=0o120777),
        member("locked.html", flags=1),
        member("bomb.bin", size=100 * 1024**2, packed=1024),
        member("huge.bin", size=3 * 1024**3, packed=3 * 1024**3),
        member("n" * 300),
        member("cmi5.xml/inner.html"),
        member("cmi5.xml"),
    ],
    ids=lambda info: info.filename[:20],
)
def test_a_dishonest_package_is_refused(bad: ZipInfo) -> None:
    with pytest.raises(FaultyCourse) as refusal:
        checked_members([member("cmi5.xml"), bad])
    assert refusal.value.remedy


def test_litter_is_left_out_and_the_structure_must_lie_outermost() -> None:
    found = checked_members(
        [member("cmi5.xml"), member("__MACOSX/._cmi5.xml"), member("a/"), member("a/.DS_Store"), member("a/b")]
    )
    assert sorted(found) == ["a/b", "cmi5.xml"]
    with pytest.raises(FaultyCourse, match="最外层"):
        checked_members([member("course/cmi5.xml")])


def test_only_what_browsers_show_is_shown() -> None:
    assert served_as("a/INDEX.HTML") == ("text/html", True)
    assert served_as("a.svg") == ("image/svg+xml", True)
    assert served_as("setup.exe")[1] is False
    assert served_as("noending") == ("application/octet-stream", False)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-99", (0, 99)),
        ("bytes=990-", (990, 999)),
        ("bytes=-10", (990, 999)),
        ("bytes=500-5000", (500, 999)),
        ("bytes=1000-", None),
        ("bytes=9-1", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("", None),
    ],
)
def test_the_piece_of_a_film(header: str, found: tuple[int, int] | None) -> None:
    assert byte_range(header, 1000) == found


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="0123456789-, x²", max_size=20), st.integers(0, 2_000))
def test_no_range_leads_out_of_a_file(told: str, size: int) -> None:
    found = byte_range(f"bytes={told}", size)
    assert found is None or 0 <= found[0] <= found[1] < size


def test_the_launch_address_keeps_the_units_own_parameters() -> None:
    actor = {"objectType": "Agent", "account": {"homePage": "https://r.example.cn", "name": "学生&1"}}
    told = {"endpoint": "https://r/xapi/", "fetch": "https://r/f/1", "registration": "abc", "activity": "https://r/a?b=1&c"}
    url = launch_url("https://c.example.org/a.html?lang=zh#top", actor=actor, **told)
    parts = urlsplit(url)
    values = parse_qs(parts.query, strict_parsing=True)
    assert parts.fragment == "top"
    assert values["lang"] == ["zh"]
    assert json.loads(values["actor"][0]) == actor
    assert values["activityId"] == ["https://r/a?b=1&c"]
    assert set(values) == {"lang", "endpoint", "fetch", "actor", "registration", "activityId"}


def test_words_and_durations() -> None:
    assert best_title({"en-US": "Rocks", "zh-CN": "岩石"}, "zh-hans") == "岩石"
    assert best_title({"fr": "Roches"}, "en") == "Roches"
    assert [duration_text(one) for one in (0, 12.5, 3600, -1)] == ["PT0S", "PT12.5S", "PT3600S", "PT0S"]
