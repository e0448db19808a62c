"""Flows drawn: the SVG and the BPMN document, read by others' parsers."""

from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser

from shuren.casework.rules.bpmn import BPMN, BPMNDI, bpmn_xml
from shuren.casework.rules.picture import Note, Words, layout_of, picture_svg
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.tests.flows import AGREE, REFUSE, flow, stage

RICH = flow(
    stage(outcomes=[{**AGREE, "to": "panel"}, REFUSE, {"key": "mend", "title": "补正", "to": "filer"}]),
    stage("panel", title="专家评审", decide="quorum", quorum=2, when="days > 3", outcomes=[{**AGREE, "to": "county"}, REFUSE]),
    stage(
        "county",
        title="区教育局审批 <终审>",
        due={"working_days": 3},
        late={"outcome": "agree"},
        outcomes=[AGREE, {"key": "again", "title": "退回学校", "to": "review"}],
    ),
)
TARGETS = ["one", "two", "three", "filer", "end:granted", "end:refused"]


@st.composite
def flows(draw: st.DrawFn) -> FlowSpec:
    """Any flow of three stages, wherever their outcomes lead."""
    stages = []
    for key in TARGETS[:3]:
        leads = draw(st.lists(st.sampled_from([to for to in TARGETS if to != key]), min_size=1, max_size=4, unique=True))
        outcomes = [{"key": f"o{number}", "title": f"结果{number}", "to": to} for number, to in enumerate(leads)]
        stages.append(stage(key, outcomes=outcomes, when=draw(st.sampled_from(["", "days > 3"]))))
    return FlowSpec.model_validate(flow(*stages))


def checked(document: bytes) -> ET.Element:
    """References resolve, nodes name their ways, everything is drawn: what the BPMN schema and its prose ask."""
    root = ET.fromstring(document)
    process = root.find(f"{{{BPMN}}}process")
    assert process is not None
    nodes = {element.get("id"): element for element in process if not element.tag.endswith("sequenceFlow")}
    ways = {element.get("id"): element for element in process if element.tag.endswith("sequenceFlow")}
    for id, way in ways.items():
        source, target = nodes[way.get("sourceRef")], nodes[way.get("targetRef")]
        assert id in [out.text for out in source.findall(f"{{{BPMN}}}outgoing")]
        assert id in [into.text for into in target.findall(f"{{{BPMN}}}incoming")]
    for id, node in nodes.items():
        kinds = [child.tag.split("}")[1] for child in node]
        order = ["documentation", "incoming", "outgoing", "multiInstanceLoopCharacteristics", "timerEventDefinition"]
        assert kinds == sorted(kinds, key=order.index)
        if node.tag.endswith("Gateway"):
            assert node.get("default") in ways
        assert node.tag.endswith("endEvent") or kinds.count("outgoing"), id
    drawn = {element.get("bpmnElement") for element in root.iter(f"{{{BPMNDI}}}BPMNShape")}
    assert drawn == set(nodes)
    edges = {element.get("bpmnElement"): len(element) for element in root.iter(f"{{{BPMNDI}}}BPMNEdge")}
    assert edges.keys() == ways.keys()
    assert min(edges.values()) >= 2
    return root


def test_another_engine_reads_the_document() -> None:
    document = bpmn_xml(FlowSpec.model_validate(RICH))
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.parse(BytesIO(document)))
    spec = parser.get_spec("office_leave")
    names = {task.bpmn_name for task in spec.task_specs.values() if getattr(task, "bpmn_name", None)}
    assert {"校长审批", "专家评审", "区教育局审批 <终审>", "申请人补正", "准予", "不予"} <= names


@given(flows())
def test_any_flow_makes_a_sound_document(spec: FlowSpec) -> None:
    document = bpmn_xml(spec)
    checked(document)
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.parse(BytesIO(document)))
    assert parser.get_spec("office_leave").task_specs


def test_the_document_says_what_the_flow_says() -> None:
    root = checked(bpmn_xml(FlowSpec.model_validate(RICH), language="en"))
    tasks = {task.get("id"): task for task in root.iter(f"{{{BPMN}}}userTask")}
    assert set(tasks) == {"task_review", "task_panel", "task_county", "task_filer_corrects"}
    assert tasks["task_review"].get("name") == "Head"
    assert tasks["task_panel"].find(f"{{{BPMN}}}multiInstanceLoopCharacteristics") is not None
    (timer,) = root.iter(f"{{{BPMN}}}timeDuration")
    assert timer.text == '"P3D"'
    conditions = {element.text for element in root.iter(f"{{{BPMN}}}conditionExpression")}
    assert {"days > 3", 'outcome == "agree"'} <= conditions


WORDS = Words(
    title="教师请假",
    start="发起",
    correct="申请人补正",
    skipped="不需要时跳过",
    notes={"review": Note("在办 3", "中位 1.5 天", True)},
)


def test_the_picture_names_everything() -> None:
    svg = picture_svg(FlowSpec.model_validate(RICH), WORDS, language="zh-hans")
    root = ET.fromstring(svg)
    told = "|".join(root.itertext())
    for text in (
        "校长审批",
        "专家评审",
        "准予",
        "不予",
        "补正",
        "退回学校",
        "在办 3　中位 1.5 天",
        "不需要时跳过",
        "发起",
        "申请人补正",
    ):
        assert text in told
    assert root.get("aria-label") == "教师请假"


@given(flows())
def test_no_two_boxes_meet_and_every_line_stays_in_the_picture(spec: FlowSpec) -> None:
    layout = layout_of(spec, "zh-hans")
    boxes = list(layout.boxes.values())
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = one.right <= other.x or other.right <= one.x or one.bottom <= other.y or other.bottom <= one.y
            assert apart, (one, other)
    for line in layout.lines:
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in line.points)
        assert all(x == to_x or y == to_y for (x, y), (to_x, to_y) in pairwise(line.points))
    ET.fromstring(picture_svg(spec, WORDS, language="zh-hans"))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_flow_of_one_stage(language: str) -> None:
    checked(bpmn_xml(FlowSpec.model_validate(flow()), language=language))
