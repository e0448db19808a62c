"""The musts of the specification, one line each: what is taken, and what is not, in both versions."""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.records.rules.equality import is_same_statement
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.received import read_request
from shuren.records.rules.statements import check_statement
from shuren.records.rules.values import check_duration, is_language, moment_of
from shuren.records.tests.sample_statements import AGENT, TEACHER, TEAM, VERB, about, small, voiding, whole

OLD, NEW = "1.0.3", "2.0.0"
UUID = "01234567-89ab-cdef-0123-456789abcdef"
ACTIVITY = {"id": "https://example.org/a"}
ATTACHMENT = {
    "usageType": "https://example.org/usage",
    "display": {"zh-CN": "照片"},
    "contentType": "image/png",
    "length": 3,
    "sha2": "ab" * 32,
    "fileUrl": "https://example.org/photo.png",
}
SUB = {"objectType": "SubStatement", **small()}


def interaction(kind: str, **parts: Any) -> dict[str, Any]:
    return small(object={**ACTIVITY, "definition": {"interactionType": kind, **parts}})


def context(**parts: Any) -> dict[str, Any]:
    return small(context=parts)


GOOD: list[dict[str, Any]] = [
    small(),
    whole(),
    about(UUID),
    voiding(UUID),
    small(object=SUB),
    small(object=SUB | {"object": {"objectType": "StatementRef", "id": UUID}}),
    small(object={"objectType": "Agent", **AGENT}),
    small(object=TEAM),
    small(actor={"mbox_sha1sum": "ab" * 20}),
    small(actor={"openid": "https://id.example.org/me"}),
    small(actor={"objectType": "Group", "mbox": "mailto:class@example.org"}),
    small(actor=TEAM),
    small(authority=AGENT),
    small(authority={"objectType": "Group", "member": [TEACHER, AGENT]}),
    small(attachments=[ATTACHMENT]),
    small(attachments=[]),
    small(version="1.0.0"),
    small(version="1.0.9"),
    small(result={}),
    small(result={"score": {"raw": -3, "min": -5}}),
    small(timestamp="2026-03-01T08:30:00Z"),
    context(contextActivities={"parent": ACTIVITY, "other": []}),
    context(extensions={"https://example.org/e": None}),
    interaction("true-false", correctResponsesPattern=["true"]),
    interaction("likert", scale=[{"id": "1", "description": {"en": "never"}}]),
    interaction("matching", source=[{"id": "a"}], target=[{"id": "b"}]),
    interaction("performance", steps=[{"id": "a"}]),
    interaction("sequencing", choices=[{"id": "a"}]),
    interaction("numeric", correctResponsesPattern=["4:"]),
]
BAD: list[dict[str, Any]] = [
    {},
    {"actor": AGENT, "verb": {"id": VERB}},
    small(actor=None),
    small(actor={}),
    small(actor={"name": "nobody"}),
    small(actor={"objectType": "agent", "mbox": "mailto:a@example.org"}),
    small(actor={"objectType": "Person", "mbox": "mailto:a@example.org"}),
    small(actor={"mbox": "a@example.org"}),
    small(actor={"mbox": "mailto:a"}),
    small(actor={"mbox": "MAILTO:a@example.org "}),
    small(actor={"mbox": "mailto:a@example.org", "openid": "https://id.example.org"}),
    small(actor={"Mbox": "mailto:a@example.org"}),
    small(actor={"mbox_sha1sum": "ab"}),
    small(actor={"openid": "me"}),
    small(actor={"account": {"homePage": "https://example.org"}}),
    small(actor={"account": {"name": "me"}}),
    small(actor={"account": {"homePage": "example", "name": "me"}}),
    small(actor={"account": {"homePage": "https://example.org", "name": 1}}),
    small(actor={"account": {"homePage": "https://example.org", "name": "me", "age": 1}}),
    small(actor={**AGENT, "name": 1}),
    small(actor={**AGENT, "member": []}),
    small(actor={"objectType": "Group"}),
    small(actor={"objectType": "Group", "member": []}),
    small(actor={"objectType": "Group", "member": [TEAM]}),
    small(actor={"objectType": "Group", "member": [{}]}),
    small(actor={"objectType": "Group", "member": AGENT}),
    small(verb=None),
    small(verb=VERB),
    small(verb={}),
    small(verb={"id": "answered"}),
    small(verb={"id": VERB, "Display": {}}),
    small(verb={"id": VERB, "display": "answered"}),
    small(verb={"id": VERB, "display": {"not a tag": "x"}}),
    small(verb={"id": VERB, "display": {"en": 1}}),
    small(object=None),
    small(object={}),
    small(object={"id": "fractions"}),
    small(object={"objectType": "activity", **ACTIVITY}),
    small(object={**ACTIVITY, "name": "x"}),
    small(object={**ACTIVITY, "definition": None}),
    small(object={**ACTIVITY, "definition": {"name": "x"}}),
    small(object={**ACTIVITY, "definition": {"type": "x"}}),
    small(object={**ACTIVITY, "definition": {"moreInfo": "x"}}),
    small(object={**ACTIVITY, "definition": {"extensions": {"x": 1}}}),
    small(object={**ACTIVITY, "definition": {"unknown": 1}}),
    small(object={**ACTIVITY, "definition": {"choices": []}}),
    small(object={**ACTIVITY, "definition": {"correctResponsesPattern": ["a"]}}),
    interaction("Choice"),
    interaction("quiz"),
    interaction("choice", correctResponsesPattern="a"),
    interaction("choice", correctResponsesPattern=[1]),
    interaction("choice", choices={}),
    interaction("choice", choices=[{}]),
    interaction("choice", choices=[{"id": 1}]),
    interaction("choice", choices=[{"id": "a"}, {"id": "a"}]),
    interaction("choice", choices=[{"id": "a", "description": "x"}]),
    interaction("choice", choices=[{"id": "a", "label": "x"}]),
    interaction("choice", scale=[{"id": "a"}]),
    interaction("numeric", steps=[{"id": "a"}]),
    small(object={"objectType": "StatementRef"}),
    small(object={"objectType": "StatementRef", "id": "1"}),
    small(object={"objectType": "StatementRef", "id": UUID, "name": "x"}),
    small(object={"objectType": "Statementref", "id": UUID}),
    voiding(UUID) | {"object": ACTIVITY},
    small(object=SUB | {"id": UUID}),
    small(object=SUB | {"stored": "2026-03-01T08:30:00Z"}),
    small(object=SUB | {"version": "1.0.0"}),
    small(object=SUB | {"authority": AGENT}),
    small(object=SUB | {"object": SUB}),
    small(object=SUB | {"actor": {}}),
    small(result=None),
    small(result={"Score": {}}),
    small(result={"success": "true"}),
    small(result={"completion": 1}),
    small(result={"response": 1}),
    small(result={"duration": "4 minutes"}),
    small(result={"extensions": {"tries": 1}}),
    small(result={"score": {"scaled": 1.01}}),
    small(result={"score": {"scaled": "1"}}),
    small(result={"score": {"scaled": True}}),
    small(result={"score": {"raw": 11, "max": 10}}),
    small(result={"score": {"raw": -1, "min": 0}}),
    small(result={"score": {"min": 1, "max": 0}}),
    small(result={"score": {"best": 1}}),
    context(registration="1"),
    context(instructor="x"),
    context(team=AGENT),
    context(contextActivities=[]),
    context(contextActivities={"child": ACTIVITY}),
    context(contextActivities={"Parent": ACTIVITY}),
    context(contextActivities={"parent": AGENT}),
    context(contextActivities={"parent": [None]}),
    context(revision=1),
    context(platform=None),
    context(language="chinese language"),
    context(statement={"id": UUID}),
    context(statement=SUB),
    context(extensions=[]),
    context(unknown=1),
    about(UUID, context={"revision": "1"}),
    small(object=AGENT | {"objectType": "Agent"}, context={"platform": "x"}),
    small(id="1"),
    small(id=f"{UUID}0"),
    small(id=None),
    small(stored="today"),
    small(timestamp="today"),
    small(timestamp="2026-13-01T00:00:00Z"),
    small(timestamp="2026-03-01T08:30:00-00:00"),
    small(timestamp=0),
    small(version="0.9"),
    small(version="1.1"),
    small(version=1.0),
    small(authority={"objectType": "Group", "member": [AGENT]}),
    small(authority={"objectType": "Group", "member": [AGENT, TEACHER, {"openid": "https://example.org"}]}),
    small(authority={"objectType": "Group", "mbox": "mailto:a@example.org", "member": [AGENT, TEACHER]}),
    small(attachments={}),
    small(attachments=[None]),
    *(small(attachments=[{key: value for key, value in ATTACHMENT.items() if key != name}]) for name in list(ATTACHMENT)[:5]),
    small(attachments=[ATTACHMENT | {"usageType": "photo"}]),
    small(attachments=[ATTACHMENT | {"length": "3"}]),
    small(attachments=[ATTACHMENT | {"length": -1}]),
    small(attachments=[ATTACHMENT | {"contentType": "photo"}]),
    small(attachments=[ATTACHMENT | {"sha2": "photo"}]),
    small(attachments=[ATTACHMENT | {"fileUrl": "photo"}]),
    small(attachments=[ATTACHMENT | {"name": "photo"}]),
    small(Actor=AGENT),
    small(unknown=1),
]
BOTH = pytest.mark.parametrize("version", [OLD, NEW])


@BOTH
@pytest.mark.parametrize("statement", GOOD, ids=range(len(GOOD)))
def test_what_the_specification_allows_is_taken(version: str, statement: dict[str, Any]) -> None:
    assert check_statement(statement, version=version) == statement


@BOTH
@pytest.mark.parametrize("statement", BAD, ids=range(len(BAD)))
def test_what_the_specification_forbids_is_not(version: str, statement: dict[str, Any]) -> None:
    with pytest.raises(MalformedStatement) as fault:
        check_statement(statement, version=version)
    assert fault.value.where.startswith("statement")


CONTEXT_AGENTS = [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["https://example.org/role"]}]
CONTEXT_GROUPS = [{"objectType": "contextGroup", "group": TEAM}]


@pytest.mark.parametrize(
    "statement",
    [
        context(contextAgents=CONTEXT_AGENTS),
        context(contextGroups=CONTEXT_GROUPS),
        small(version="2.0.0"),
    ],
)
def test_what_is_new_in_2_0_is_not_known_in_1_0(statement: dict[str, Any]) -> None:
    check_statement(statement, version=NEW)
    with pytest.raises(MalformedStatement):
        check_statement(statement, version=OLD)


@pytest.mark.parametrize(
    "parts",
    [
        {"contextAgents": CONTEXT_GROUPS},
        {"contextAgents": [CONTEXT_AGENTS[0] | {"agent": TEAM}]},
        {"contextAgents": [CONTEXT_AGENTS[0] | {"relevantTypes": []}]},
        {"contextAgents": [CONTEXT_AGENTS[0] | {"relevantTypes": ["role"]}]},
        {"contextAgents": [CONTEXT_AGENTS[0] | {"objectType": "Agent"}]},
        {"contextAgents": CONTEXT_AGENTS[0]},
        {"contextGroups": [{"objectType": "contextGroup", "group": AGENT}]},
        {"contextGroups": [{"objectType": "contextGroup"}]},
    ],
)
def test_whom_a_context_concerns_in_2_0_is_well_formed(parts: dict[str, Any]) -> None:
    with pytest.raises(MalformedStatement):
        check_statement(context(**parts), version=NEW)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("2026-03-01T08:30:00Z", True, True),
        ("2026-03-01T08:30:00.123456789+08:00", True, True),
        ("2026-03-01t08:30:00z", True, True),
        ("2026-03-01T08:30:60Z", True, True),
        ("2026-03-01 08:30:00.601+00:00", False, True),
        ("2026-03-01 08:30:60Z", False, True),
        ("2026-03-01T08:30:00", True, False),
        ("2026-03-01T08:30:00+0800", True, False),
        ("20260301T083000Z", True, False),
        ("2026-03-01T08:30:00-00", False, False),
        ("2026-03-01T08:30:00-0000", False, False),
        ("2026-03-01T08:30:00-00:00", False, False),
        ("2026-02-30T08:30:00Z", False, False),
        ("2026-03-01T25:30:00Z", False, False),
        ("0001-01-01T00:00:00+14:00", False, False),
        ("", False, False),
    ],
)
def test_timestamps_of_both_versions(text: str, old: bool, new: bool) -> None:
    assert (moment_of(text, version=OLD) is not None) is old
    assert (moment_of(text, version=NEW) is not None) is new


@pytest.mark.parametrize("text", ["PT4H", "P1Y2M3DT4H5M6.5S", "P1W", "PT1.5H", "P0.5D", "PT16559.14S", "P1DT2H"])
def test_durations_of_iso_8601(text: str) -> None:
    check_duration(text, "")


@pytest.mark.parametrize("text", ["P", "PT", "P1DT", "PT1.5H2M", "P1.5YT2H", "1H", "P1H", "PT1D", "P1W2D", "pt1h", "P-1D"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(MalformedStatement):
        check_duration(text, "")


@pytest.mark.parametrize(
    "tag",
    ["zh", "zh-CN", "zh-Hans-CN", "en-US", "sl-rozaj-biske", "de-CH-1901", "x-own", "i-klingon", "es-419", "zh-u-co-pinyin-x-u"],
)
def test_language_tags_of_rfc_5646(tag: str) -> None:
    assert is_language(tag)


@pytest.mark.parametrize(
    "tag", ["", "z", "zh_CN", "zh-", "-zh", "toolonglanguage", "en-US-x", "中文", "en us", "zh-a-aa-b-bb-A-cc"]
)
def test_what_is_no_language_tag(tag: str) -> None:
    assert not is_language(tag)


def test_the_same_statement_is_known_by_what_a_client_may_change() -> None:
    kept = whole()
    told = deepcopy(kept)
    told |= {"verb": {"id": VERB}, "authority": AGENT, "stored": "2026-03-01T00:00:00Z", "version": "1.0.0"}
    told["object"].pop("definition")
    told["context"]["team"] = {**TEAM, "member": TEAM["member"][::-1]}
    told["context"]["registration"] = told["context"]["registration"].upper()
    told["context"]["contextActivities"]["category"] = [told["context"]["contextActivities"]["category"]]
    told["result"]["score"]["raw"] = 5.0
    assert is_same_statement(kept, told)
    assert not is_same_statement(kept, told | {"timestamp": "2026-03-01T08:30:01+08:00"})
    assert not is_same_statement(kept, told | {"actor": TEACHER})


@pytest.mark.parametrize(
    ("sent", "is_same"),
    [
        ("PT4M3.2S", True),
        ("PT4M3.20S", True),
        ("PT4M3.2049S", True),
        ("PT4M3,2S", True),
        ("PT4M3.21S", False),
        ("PT4M3S", False),
        ("PT5M3.2S", False),
    ],
)
def test_durations_are_compared_to_the_hundredth_of_a_second(sent: str, is_same: bool) -> None:
    kept = whole()
    told = deepcopy(kept)
    told["result"]["duration"] = sent
    assert is_same_statement(kept, told) is is_same


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value; what stands in extensions is free."""
    if path:
        yield path
    if isinstance(value, dict) and (not path or path[-1] != "extensions"):
        for key, one in value.items():
            yield from paths(one, (*path, key))
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from paths(one, (*path, number))


@given(st.data(), st.sampled_from([OLD, NEW]))
def test_a_null_or_an_unknown_name_anywhere_is_refused(data: st.DataObject, version: str) -> None:
    statement = deepcopy(whole(attachments=[ATTACHMENT]))
    path = data.draw(st.sampled_from(sorted(paths(statement), key=str)))
    place: Any = statement
    for step in path[:-1]:
        place = place[step]
    if data.draw(st.booleans()) or not isinstance(place, dict):
        place[path[-1]] = None
    else:
        place[f"{path[-1]} "] = place.pop(path[-1])
    with pytest.raises(MalformedStatement):
        check_statement(statement, version=version)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.data(), JSON, st.sampled_from([OLD, NEW]))
def test_whatever_stands_anywhere_is_taken_or_refused(data: st.DataObject, value: Any, version: str) -> None:
    statement = deepcopy(whole(attachments=[ATTACHMENT]))
    path = data.draw(st.sampled_from(sorted(paths(statement), key=str)))
    place: Any = statement
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with suppress(MalformedStatement):
        check_statement(statement, version=version)


@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "multipart/mixed; boundary=x", "multipart/mixed", "text/plain", ""]),
)
def test_whatever_body_comes_is_taken_or_refused(body: bytes, content_type: str) -> None:
    for sent in (body, b"--x" + body + b"\r\n--x--", b"--x\r\nContent-Type: application/json\r\n\r\n" + body + b"\r\n--x--"):
        with suppress(MalformedStatement):
            read_request(sent, content_type, version=NEW, is_single=False)
