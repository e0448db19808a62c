"""What is taken in as a course, and what is refused with a reason and a remedy."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.records.rules.cmi5.structure import NAMESPACE, FaultyCourse, read_structure
from shuren.records.rules.cmi5.words import LaunchMethod, MoveOn, PartKind
from shuren.records.tests.cmi5.course_play import PUBLISHER, block, course, unit, words

GOAL = f'<objectives><objective id="{PUBLISHER}/goal/1">{words("目标")}</objective></objectives>'
REFERRING = f'<objectives><objective idref="{PUBLISHER}/goal/1"/></objectives>'


def test_a_course_with_nested_blocks_is_read_in_order() -> None:
    content = course(
        unit("intro"),
        block("rocks", unit("quartz", moveOn="Passed", masteryScore="0.85"), block("deep", unit("magma"))),
        unit(
            "end", launchMethod="OwnWindow", more="<launchParameters> a=1 </launchParameters><entitlementKey>k</entitlementKey>"
        ),
        before=GOAL,
    )
    found = read_structure(content, files=None)
    assert found.id == PUBLISHER
    assert found.title == {"zh-CN": "地质"}
    assert [one.id.rpartition("/")[2] for one in found.parts] == ["intro", "rocks", "quartz", "deep", "magma", "end"]
    assert [one.parent for one in found.parts] == [None, None, 1, 1, 3, None]
    quartz, end = found.parts[2], found.parts[5]
    assert (quartz.move_on, float(quartz.mastery_score or 0)) == (MoveOn.PASSED, 0.85)
    assert found.parts[0].move_on is MoveOn.NOT_APPLICABLE
    assert (end.launch_method, end.launch_parameters, end.entitlement_key) == (LaunchMethod.OWN_WINDOW, "a=1", "k")
    assert end.url == "https://content.example.org/end.html"


def test_a_thousand_units_and_elements_of_others_are_taken() -> None:
    vendor = '<ours:colour xmlns:ours="https://vendor.example.org/x">red</ours:colour>'
    found = read_structure(course(*(unit(f"u{number}", more=vendor) for number in range(1_001))), files=None)
    assert sum(one.kind is PartKind.UNIT for one in found.parts) == 1_001


def test_a_reference_to_an_objective_is_kept() -> None:
    inner = unit("a").replace("<url>", REFERRING + "<url>")
    assert read_structure(course(inner, before=GOAL), files=None).parts[0].objectives == (f"{PUBLISHER}/goal/1",)


WRONG = {
    "course id": course(unit("a"), id="geology"),
    "au id": course(unit("a").replace(f"{PUBLISHER}/au/a", "just-a-name")),
    "block id": course(block("b", unit("a")).replace(f"{PUBLISHER}/block/b", "b")),
    "two units": course(unit("a"), block("b", unit("a"))),
    "two blocks": course(block("b", unit("a")), block("b", unit("c"))),
    "two objectives": course(unit("a"), before=GOAL.replace("</objectives>", "") + GOAL.replace("<objectives>", "")),
    "unknown objective": course(unit("a").replace("<url>", REFERRING + "<url>")),
    "launch name": course(unit("a", url="https://c.example.org/a.html?registration=1")),
    "relative without files": course(unit("a", url="a/index.html")),
    "script address": course(unit("a", url="javascript:alert(1)")),
    "data address": course(unit("a", url="data:text/html,hello")),
    "script with a host": course(unit("a", url="javascript://c.example.org/%0aalert(1)")),
    "no address": course(unit("a").replace("https://content.example.org/a.html", "")),
    "mastery score": course(unit("a", masteryScore="1.2")),
    "five decimals": course(unit("a", masteryScore="0.85555")),
    "mastery of words": course(unit("a", masteryScore="NaN")),
    "move on": course(unit("a", moveOn="Attended")),
    "launch method": course(unit("a", launchMethod="Popup")),
    "empty block": course(unit("a"), block("b")),
    "no unit": course(),
    "no title": course(unit("a").replace("<title>", "<x:t xmlns:x='urn:x'>").replace("</title>", "</x:t>")),
    "unknown element": course(unit("a", more="<colour>red</colour>")),
    "another root": course(unit("a")).replace(b"courseStructure", b"manifest"),
    "another namespace": course(unit("a")).replace(NAMESPACE.encode(), b"http://www.imsglobal.org/xsd/imscp_v1p1"),
    "entities": b'<!DOCTYPE x [<!ENTITY a "b">]>' + course(unit("a")).partition(b"?>")[2],
    "not XML": course(unit("a"))[:-20],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_faulty_course_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(FaultyCourse) as refusal:
        read_structure(WRONG[name], files=None)
    assert refusal.value.message
    assert refusal.value.remedy


def test_files_of_a_package_are_found_by_their_relative_address() -> None:
    content = course(unit("a", url="a/b%20c.html?x=1#top"))
    assert read_structure(content, files=frozenset({"a/b c.html"})).parts[0].url == "a/b%20c.html?x=1#top"
    with pytest.raises(FaultyCourse, match="包里没有的文件"):
        read_structure(content, files=frozenset({"a/other.html"}))
    with pytest.raises(FaultyCourse, match="包里没有的文件"):
        read_structure(course(unit("a", url="//evil.example.org/a.html")), files=frozenset({"/a.html"}))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_done_to_a_course_it_is_read_or_refused(data: st.DataObject) -> None:
    """Pieces are cut out, doubled or overwritten: nothing but `FaultyCourse` ever comes of it."""
    content = bytearray(course(unit("a", moveOn="Passed"), block("b", unit("c", masteryScore="0.5")), before=GOAL))
    for _turn in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(begin, min(len(content), begin + 60)))
        put = data.draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"", b"<au>", b"&amp;", bytes(content[begin:end]) * 2]))
        )
        content[begin:end] = put
    with suppress(FaultyCourse):
        found = read_structure(bytes(content), files=None)
        units = [one.id for one in found.parts if one.kind is PartKind.UNIT]
        assert units
        assert len(set(units)) == len(units)
