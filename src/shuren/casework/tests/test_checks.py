"""Checks of definitions: what names nothing, leads nowhere, is asked twice or cannot be compared is told, with a remedy."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.all import definition_findings, untranslated
from shuren.casework.rules.checks.known import Known
from shuren.casework.rules.checks.reading import spec_findings, unknown_elements
from shuren.casework.rules.checks.sources import source_place_findings
from shuren.casework.selectors.definitions import SPECS, bound_spec
from shuren.datahub.data import SharedSource
from shuren.standards.data import Authority, CodeData, CodeSetData, ElementData, ElementType, Grade

K = DefinitionKind


def element(code: str, name: str, **more: Any) -> ElementData:
    said: dict[str, Any] = {"name_en": "X", "type": ElementType.TEXT, "grade": Grade.INTERNAL}
    return ElementData(code=code, name_zh=name, **(said | more))


ELEMENTS = {
    one.code: one
    for one in (
        element("org.name", "机构名称", source="directory:org.name", department="编制部门"),
        element("person.name", "姓名", source="directory:person.name", department="学籍部门"),
        element("firm.name", "企业名称", source="register:demo.firms.name", department="基建科"),
        element("net.speed", "出口带宽", type=ElementType.INTEGER, source="lake:infra.net.speed", department="信息中心"),
        element("room.count", "教室数", type=ElementType.INTEGER),
        element("room.use", "教室用途"),
    )
}
CODE_SETS = {"colour": CodeSetData("colour", "颜色", "Colour", Authority.LOCAL, codes={"r": CodeData("r", "红", "Red")})}
FIRMS = {
    "key": "demo.firms",
    "title": "企业",
    "sections": [{"key": "one", "title": "一", "fields": [{"key": "name", "element": "firm.name"}]}],
}
FORM = {
    "key": "demo.form",
    "title": "表",
    "sections": [
        {
            "key": "one",
            "title": "一",
            "fields": [
                {"key": "seats", "title": "座位", "type": "integer"},
                {"key": "kind", "title": "类", "type": "code", "options": [{"code": "a", "title": "甲"}]},
                {"key": "built", "title": "建成", "type": "date"},
                {"key": "who", "title": "经办人", "type": "person"},
                {"key": "where", "title": "承办单位", "type": "org"},
                {
                    "key": "rooms",
                    "title": "房间",
                    "type": "table",
                    "columns": [
                        {"key": "area", "title": "面积", "type": "decimal"},
                        {"key": "use", "title": "用途", "type": "text"},
                    ],
                },
            ],
        }
    ],
}
FLOW = {
    "key": "demo.flow",
    "title": "流程",
    "form": "demo.form",
    "promise": {"working_days": 10},
    "filed_by": {"roles": ["school_admin"], "at": ["school"]},
    "stages": [
        {
            "key": "review",
            "title": "审核",
            "who": {"role": "county_officer", "at": "above"},
            "due": {"working_days": 5},
            "outcomes": [
                {"key": "yes", "title": "同意", "to": "end:done"},
                {"key": "no", "title": "不同意", "to": "end:refused"},
            ],
        }
    ],
    "ends": [
        {"key": "done", "title": "办成", "result": "granted"},
        {"key": "refused", "title": "不办", "result": "refused"},
    ],
}


def told(
    kind: K, body: dict[str, Any], functions: frozenset[str] = frozenset(), shared: dict[str, SharedSource] | None = None
) -> list[Finding]:
    specs = {}
    for other, one in ((K.REGISTER, FIRMS), (K.FORM, FORM), (K.FLOW, FLOW)):
        specs[other, one["key"]] = bound_spec(SPECS[other].model_validate(one), ELEMENTS.get)
    spec = bound_spec(SPECS[kind].model_validate(body), ELEMENTS.get)
    return definition_findings(kind, spec, Known(ELEMENTS, CODE_SETS, specs, functions, shared or {}))


def places(findings: list[Finding]) -> list[str]:
    return [finding.path for finding in findings]


def with_field(**field: Any) -> dict[str, Any]:
    body = deepcopy(FORM)
    body["sections"][0]["fields"].append({"key": "new", "title": "新", "type": "text"} | field)
    return body


def with_stage(**changes: Any) -> dict[str, Any]:
    body = deepcopy(FLOW)
    body["stages"][0] |= changes
    return body


def test_what_is_right_passes() -> None:
    assert told(K.FORM, FORM) == told(K.FLOW, FLOW) == told(K.REGISTER, FIRMS) == []


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ({"shown_if": "seat > 3"}, "shown_if"),
        ({"shown_if": "seats >"}, "shown_if"),
        ({"shown_if": "seats == '3'"}, "shown_if"),
        ({"shown_if": "kind == 'b'"}, "shown_if"),
        ({"shown_if": "kind in ['a', 'b']"}, "shown_if"),
        ({"shown_if": "built > 2020"}, "shown_if"),
        ({"required": "sum(rooms.size) > 3"}, "required"),
        ({"calculated": "sum(rooms.use) + nothing"}, "calculated"),
        ({"type": "code"}, ""),
        ({"type": "code", "code_set": "colours"}, "code_set"),
        ({"type": "code", "code_set": "colour", "default": "g"}, "default"),
        ({"options": [{"code": "a", "title": "甲"}]}, "options"),
        ({"type": "code", "options": [{"code": "a", "title": "甲"}, {"code": "a", "title": "乙"}]}, "options"),
        ({"type": "entry", "register": "demo.firm"}, "register"),
        ({"type": "integer", "minimum": 3, "maximum": 1}, "minimum"),
        ({"pattern": "(["}, "pattern"),
        ({"pattern": "(a+)+$"}, "pattern"),
        ({"element": "room.count", "type": "text"}, "type"),
    ],
)
def test_a_field_that_names_nothing_is_told_at_its_place(field: dict[str, Any], place: str) -> None:
    path = ".".join(part for part in ("sections.one.fields.new", place) if part)
    assert path in places(told(K.FORM, with_field(**field)))


def test_what_was_probably_meant_is_offered() -> None:
    (finding,) = told(K.FORM, with_field(type="entry", register="demo.firm"))
    assert "demo.firms" in finding.remedy


def test_formulas_do_not_run_in_circles() -> None:
    body = with_field(type="integer", calculated="other + 1")
    body["sections"][0]["fields"].append({"key": "other", "title": "另", "type": "integer", "calculated": "new + 1"})
    (finding,) = told(K.FORM, body)
    assert "new" in finding.reason
    assert "other" in finding.reason
    assert finding.is_error


ROW = [{"key": "area", "title": "面积", "type": "decimal"}]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "integer", "calculated": "new + 1"},
        {"type": "integer", "shown_if": "new > 1"},
        {"type": "integer", "calculated": "seats + 1", "shown_if": "new > 1"},
        {"type": "table", "columns": [*ROW, {"key": "all", "title": "合计", "type": "decimal", "calculated": "sum(new.all)"}]},
        {"type": "table", "columns": [*ROW, {"key": "nth", "title": "行数", "type": "integer", "calculated": "count(new)"}]},
        {"type": "table", "columns": [*ROW, {"key": "x", "title": "甲", "type": "decimal", "shown_if": "x > 1"}]},
        {"type": "table", "shown_if": "sum(new.area) > 1", "columns": ROW},
    ],
)
def test_what_waits_for_itself_is_told_at_its_field(field: dict[str, Any]) -> None:
    (finding,) = told(K.FORM, with_field(**field))
    assert finding.path == "sections.one.fields.new"
    assert "new" in finding.reason


def test_a_section_that_waits_for_its_own_field_is_told() -> None:
    body = with_field(type="integer")
    body["sections"][0]["shown_if"] = "new > 1"
    (finding,) = told(K.FORM, body)
    assert "new → new" in finding.reason


def test_what_only_looks_like_a_circle_is_none() -> None:
    share = {"key": "share", "title": "占比", "type": "decimal", "calculated": "area / sum(new.area) * seats"}
    body = with_field(type="table", columns=[*ROW, share])
    body["sections"][0]["fields"].append({"key": "area", "title": "总面积", "type": "decimal", "calculated": "sum(new.area)"})
    assert told(K.FORM, body) == []


def test_rules_point_to_fields() -> None:
    body = FORM | {"rules": [{"check": "seats > 0", "message": "要有座位", "at": "chairs"}]}
    assert places(told(K.FORM, body)) == ["rules.0.at"]


class TestOneSource:
    @pytest.mark.parametrize("field", [{"title": "姓名"}, {"key": "org_name"}])
    def test_a_fact_that_has_an_element_is_bound_to_it(self, field: dict[str, Any]) -> None:
        (finding,) = told(K.FORM, with_field(**field))
        assert "element: " in finding.remedy

    def test_what_a_register_produces_is_not_asked_elsewhere(self) -> None:
        (finding,) = told(K.FORM, with_field(element="firm.name"))
        assert "基建科" in finding.reason
        assert told(K.FORM, with_field(element="firm.name") | {"about": "org"}) == []

    def test_nor_in_a_row_where_an_entry_can_be_chosen(self) -> None:
        columns = [{"key": "firm", "element": "firm.name"}]
        (finding,) = told(K.FORM, with_field(type="table", columns=columns) | {"about": "org"})
        assert "demo.firms" in finding.remedy

    def test_people_who_are_not_in_the_directory_may_be_named(self) -> None:
        assert told(K.FORM, with_field(element="person.name")) == []

    def test_what_a_shared_dataset_holds_is_applied_for_first(self) -> None:
        source = SharedSource("casework.demo_rooms", "教室统计", "/data/sharing/datasets/casework.demo_rooms/apply/")
        shared = dict.fromkeys(("room.use", "net.speed", "firm.name"), source)

        def linked(**changes: Any) -> list[Finding]:
            body = with_field(**{name: value for name, value in changes.items() if name != "form"})
            return [one for one in told(K.FORM, body | changes.get("form", {}), shared=shared) if one.link == source.url]

        (finding,) = linked(element="room.use")
        assert not finding.is_error
        assert "教室统计" in finding.reason
        # What has its one source in the lake is refused, with the same way out; what a register holds has its own.
        (refused,) = linked(element="net.speed")
        assert refused.is_error
        assert all(one.is_error for one in linked(element="firm.name"))
        # The form that brings it goes on asking for it.
        assert linked(element="room.use", form={"key": "demo.rooms"}) == []
        (finding,) = linked(type="table", columns=[{"key": "kind", "element": "room.use"}])
        assert finding.path.endswith("columns.kind")
        assert told(K.FORM, with_field(element="room.use")) == []

    def test_two_registers_do_not_produce_the_same(self) -> None:
        one = deepcopy(FIRMS) | {"key": "demo.one"}
        one["sections"][0]["fields"] = [{"key": "rooms", "element": "room.count"}]
        other = deepcopy(one) | {"key": "demo.other"}
        specs = {(K.REGISTER, "demo.one"): bound_spec(SPECS[K.REGISTER].model_validate(one), ELEMENTS.get)}
        spec = bound_spec(SPECS[K.REGISTER].model_validate(other), ELEMENTS.get)
        (finding,) = definition_findings(K.REGISTER, spec, Known(ELEMENTS, CODE_SETS, specs))
        assert "demo.one" in finding.reason
        assert "source" in finding.remedy

    def test_a_source_that_is_not_there_is_told(self) -> None:
        specs = {(K.REGISTER, "demo.firms"): bound_spec(SPECS[K.REGISTER].model_validate(FIRMS), ELEMENTS.get)}
        assert list(source_place_findings(ELEMENTS["firm.name"], Known(ELEMENTS, CODE_SETS, specs))) == []
        assert len(list(source_place_findings(ELEMENTS["firm.name"], Known(ELEMENTS, CODE_SETS)))) == 1


class TestFlows:
    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"when": "seat > 3"}, "when"),
            ({"edits": ["seat"]}, "edits"),
            ({"who": {"role": "county_officer", "at": "school"}}, "who.role"),
            ({"who": {"role": "head", "at": "county"}}, "who.role"),
            ({"who": {"role": "county_officer", "at": "here"}}, "who.role"),
            ({"who": {"named_in": "seats"}}, "who.named_in"),
            ({"who": {"named_in": "where"}}, "who.role"),
            ({"who": {"pool": "demo.people"}}, "who.pool"),
            ({"who": {"pool": "demo.firms"}}, "who.pool"),
            ({"who": {"function": "demo.find"}}, "who.function"),
            ({"who": {"owner_of": "firm.nam"}}, "who.owner_of"),
            ({"who": {"role": "head", "each": True}}, "who.each"),
            ({"who": {"filer": True, "otherwise": {"role": "head", "at": "city"}}}, "who.otherwise.role"),
            ({"due": {"days": 0}}, "due"),
            ({"due": {"days": 30}}, "due"),
            ({"remind": [{"days": 9}]}, "remind"),
            ({"late": {"outcome": "perhaps"}}, "late.outcome"),
            ({"due": None, "late": {"outcome": "no"}}, "due"),
            ({"decide": "quorum", "quorum": 3, "who": {"pool": "demo.firms", "count": 2}}, "quorum"),
        ],
    )
    def test_a_stage_that_nobody_can_decide_is_told(self, changes: dict[str, Any], place: str) -> None:
        assert f"stages.review.{place}" in places(told(K.FLOW, with_stage(**changes)))

    def test_a_person_or_an_org_of_the_form_may_be_named(self) -> None:
        assert told(K.FLOW, with_stage(who={"named_in": "who"})) == []
        assert told(K.FLOW, with_stage(who={"named_in": "where", "role": "head"})) == []
        assert told(K.FLOW, with_stage(who={"function": "demo.find"}), frozenset({"demo.find"})) == []

    def test_a_case_of_a_class_finds_its_school(self) -> None:
        teachers = {"filed_by": {"roles": ["teacher", "head"]}}
        here = with_stage(who={"role": "school_admin", "otherwise": {"role": "head"}}) | teachers
        assert places(told(K.FLOW, here)) == ["stages.review.who.at"]
        assert told(K.FLOW, with_stage(who={"role": "school_admin", "at": "school"}) | teachers) == []

    def test_an_outcome_that_leads_nowhere_is_told(self) -> None:
        outcomes = [{"key": "yes", "title": "同意", "to": "end:finished"}, {"key": "no", "title": "不", "to": "end:refused"}]
        findings = told(K.FLOW, with_stage(outcomes=outcomes))
        assert places(findings) == ["stages.review.outcomes.yes.to", "ends.done"]

    def test_a_stage_that_is_never_reached_or_never_left_is_told(self) -> None:
        body = deepcopy(FLOW)
        lost = deepcopy(FLOW["stages"][0]) | {"key": "lost", "outcomes": [{"key": "round", "title": "转", "to": "lost"}]}
        body["stages"].append(lost)
        assert places(told(K.FLOW, body)) == ["stages.lost", "stages.lost"]

    def test_a_flow_that_only_goes_back_is_a_dead_end(self) -> None:
        outcomes = [{"key": "back", "title": "退回", "to": "filer"}]
        assert "stages.review" in places(told(K.FLOW, with_stage(outcomes=outcomes)))

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=14))
    def test_a_flow_without_findings_always_ends(self, edges: list[tuple[int, int]]) -> None:
        """Stages 0 to 5, 6 the filer, 7 the end: whatever is drawn, a graph that passes lets every stage come to the end."""
        outs: dict[int, list[int]] = {stage: [] for stage in range(6)}
        for begin, end in edges:
            outs[begin].append(end)
        stages = [
            deepcopy(FLOW["stages"][0])
            | {
                "key": f"s{number}",
                "outcomes": [
                    {"key": f"o{place}", "title": "去", "to": {6: "filer", 7: "end:done"}.get(to, f"s{to}")}
                    for place, to in enumerate(ways)
                ],
            }
            for number, ways in outs.items()
            if ways
        ]
        findings = told(K.FLOW, FLOW | {"stages": stages, "ends": FLOW["ends"][:1]})
        if findings:
            return
        reach = {number: {7} if number == 7 else set() for number in range(8)}
        for _round in range(8):
            for begin, ways in outs.items():
                for to in ways:
                    reach[begin] |= reach[to]
        assert all(7 in reach[number] for number, ways in outs.items() if ways)


@pytest.mark.parametrize(
    ("kind", "changes", "place"),
    [
        (K.COLLECTION, {"form": "demo.none"}, "form"),
        (K.COLLECTION, {"form": "demo.form", "filled_by": ["county_officer"]}, "filled_by"),
        (K.ITEM, {"flow": "demo.none"}, "flow"),
        (K.ITEM, {"materials": [{"key": "a", "title": "证明", "element": "firm.nam"}]}, "materials.a.element"),
        (
            K.ITEM,
            {"materials": [{"key": "a", "title": "证明", "register": "demo.firms", "field": "title"}]},
            "materials.a.field",
        ),
        (K.DRAW, {"inspectors": "demo.none"}, "inspectors"),
        (K.DRAW, {"strata": "kind"}, "strata"),
        (K.DRAW, {"object_filter": "kind == 'a'"}, "object_filter"),
        (K.DRAW, {"conflicts": [{"when": "object.owner == inspector.name", "reason": "同一单位"}]}, "conflicts.0.when"),
        (K.INDICATOR, {"over": "register:demo.none"}, "over"),
        (K.INDICATOR, {"measure": "sum", "field": "name"}, "field"),
        (K.INDICATOR, {"where": "kind == 'a'"}, "where"),
        (K.INDICATOR, {"measure": "share"}, "where"),
        (K.INDICATOR, {"measure": "ratio", "field": "name", "base": "seats", "over": "form:demo.form"}, "field"),
        (K.INDICATOR, {"measure": "ratio", "field": "seats", "over": "form:demo.form"}, "base"),
        (K.INDICATOR, {"base": "seats", "over": "form:demo.form"}, "base"),
        (K.INDICATOR, {"measure": "sum", "field": "seats", "per": ["org"], "over": "form:demo.form"}, "per"),
        (K.INDICATOR, {"orgs": ["school"]}, "orgs"),
        (K.INDICATOR, {"per": ["org"], "orgs": ["school"], "among": "filled(name)"}, "among"),
        (K.INDICATOR, {"period": "name"}, "period"),
        (K.INDICATOR, {"per": ["period"], "period": "seats", "over": "form:demo.form"}, "period"),
        (K.INDICATOR, {"over": "flow:demo.flow", "where": "score > 3"}, "where"),
    ],
)
def test_what_is_issued_offered_drawn_and_counted_names_what_is_there(kind: K, changes: dict[str, Any], place: str) -> None:
    bodies: dict[K, dict[str, Any]] = {
        K.COLLECTION: {"form": "demo.form"},
        K.ITEM: {"flow": "demo.flow", "guide": "指南", "statutory": {"days": 9}, "promise": {"days": 5}},
        K.DRAW: {"objects": "demo.firms", "inspectors": "demo.firms", "count": 2},
        K.INDICATOR: {"over": "register:demo.firms"},
    }
    base = {"key": "demo.one", "title": "一"} | bodies[kind]
    assert told(kind, base) == []
    assert places(told(kind, base | changes)) == [place]


def test_an_indicator_names_what_the_stages_of_its_flow_write() -> None:
    body = with_stage(fields=[{"key": "score", "title": "得分", "type": "integer"}])
    specs = {(K.FORM, FORM["key"]): SPECS[K.FORM].model_validate(FORM), (K.FLOW, FLOW["key"]): SPECS[K.FLOW].model_validate(body)}
    mean = {"key": "demo.one", "title": "一", "over": "flow:demo.flow", "measure": "mean", "field": "score", "where": "score > 3"}
    known = Known(ELEMENTS, CODE_SETS, specs, frozenset())
    assert definition_findings(K.INDICATOR, SPECS[K.INDICATOR].model_validate(mean), known) == []
    # What one flow writes is not asked by the form that others run on.
    of_form = SPECS[K.INDICATOR].model_validate(mean | {"over": "form:demo.form"})
    assert places(definition_findings(K.INDICATOR, of_form, known)) == ["where", "field"]


def test_states_are_reached_from_the_first() -> None:
    states = [{"key": "new", "title": "新", "to": ["used"]}, {"key": "used", "title": "用"}, {"key": "lost", "title": "丢"}]
    assert places(told(K.REGISTER, FIRMS | {"states": states})) == ["states.lost"]


def test_what_cannot_be_read_is_told_in_words_at_its_place() -> None:
    body = deepcopy(FORM)
    body["sections"][0]["fields"][0] |= {"type": "number", "colour": "red"}
    body["sections"][0]["fields"][1].pop("title")
    with pytest.raises(ValidationError) as fault:
        SPECS[K.FORM].model_validate(body)
    found = {finding.path: finding for finding in spec_findings(fault.value, body)}
    assert "integer" in found["sections.one.fields.seats.type"].remedy
    assert found["sections.one.fields.seats.colour"].reason == "没有这个写法。"
    assert "title" in found["sections.one.fields.kind"].reason


def test_every_unknown_element_is_told() -> None:
    body = with_field(element="firm.names")
    spec = SPECS[K.FORM].model_validate(body)
    (finding,) = unknown_elements(spec, ELEMENTS)
    assert (finding.path, "firm.name" in finding.remedy) == ("sections.one.fields.new.element", True)


def test_texts_without_english_are_pointed_out_but_no_error() -> None:
    findings = list(untranslated(SPECS[K.FORM].model_validate(FORM)))
    assert "sections.one.fields.kind.options.a.title" in places(findings)
    assert not any(finding.is_error for finding in findings)


def with_entries(*entries: dict[str, Any]) -> list[Finding]:
    body = deepcopy(FLOW)
    body["ends"][0]["entries"] = list(entries)
    form = with_field(type="entry", register="demo.firms")
    specs = {(K.FORM, form["key"]): bound_spec(SPECS[K.FORM].model_validate(form), ELEMENTS.get)}
    specs[K.REGISTER, FIRMS["key"]] = bound_spec(SPECS[K.REGISTER].model_validate(FIRMS), ELEMENTS.get)
    spec = bound_spec(SPECS[K.FLOW].model_validate(body), ELEMENTS.get)
    return definition_findings(K.FLOW, spec, Known(ELEMENTS, CODE_SETS, specs, frozenset()))


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"register": "demo.firm"}, "register"),
        ({"each": "seats"}, "each"),
        ({"each": "room"}, "each"),
        ({"org": "who"}, "org"),
        ({"org": "wher"}, "org"),
        ({"when": "seat > 3"}, "when"),
        ({"set": {"name": "area"}}, "set.name"),
        ({"set": {"nam": "kind"}}, "set.nam"),
        ({"state": "open"}, "state"),
        ({"set": {"name": "seat"}}, "set.name"),
    ],
)
def test_what_an_end_writes_fits_the_register_and_the_form(entry: dict[str, Any], place: str) -> None:
    assert places(with_entries({"register": "demo.firms"} | entry)) == [f"ends.done.entries.0.{place}"]


def test_an_end_writes_several_entries_and_reads_rows() -> None:
    of_rows = {"register": "demo.firms", "each": "rooms", "when": "area > 20", "org": "where", "set": {"name": "use"}}
    assert with_entries({"register": "demo.firms", "set": {"name": "kind"}}, of_rows) == []


def test_an_end_does_not_write_the_chosen_entry_twice() -> None:
    twice = with_entries({"register": "demo.firms"}, {"register": "demo.firms", "org": "where"})
    assert places(twice) == ["ends.done.entries.1"]
    assert with_entries({"register": "demo.firms", "when": "seats > 3"}, {"register": "demo.firms", "org": "where"}) == []


def test_the_old_way_of_saying_one_entry_is_a_fault() -> None:
    body = deepcopy(FLOW)
    body["ends"][0]["entry"] = {"register": "demo.firms"}
    with pytest.raises(ValidationError) as refused:
        SPECS[K.FLOW].model_validate(body)
    assert places(list(spec_findings(refused.value, body))) == ["ends.done.entry"]
