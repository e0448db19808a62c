"""A flow as BPMN 2.0 with its diagram (ISO/IEC 19510): what other tools draw, simulate and check."""

from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from shuren.casework.rules.picture import CORRECT, START, Box, Layout, layout_of, node_of
from shuren.casework.rules.specs.flow import END, Decide, FlowSpec, OutcomeSpec, StageSpec
from shuren.casework.rules.specs.words import Span

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DIAMOND = 40.0

for _prefix, _space in (("bpmn", BPMN), ("bpmndi", BPMNDI), ("dc", DC), ("di", DI), ("xsi", XSI)):
    register_namespace(_prefix, _space)


class _Writer:
    """Puts the process together: nodes, ways between them, and where both are drawn."""

    def __init__(self, flow: FlowSpec, language: str) -> None:
        self.flow, self.language = flow, language
        self.layout: Layout = layout_of(flow, language)
        self.root = Element(
            f"{{{BPMN}}}definitions", {"id": "definitions", "targetNamespace": "urn:shuren:flows", "exporter": "Shuren"}
        )
        name = flow.key.replace(".", "_")
        told = {"id": name, "name": flow.title.text(language), "isExecutable": "true"}
        self.process = SubElement(self.root, f"{{{BPMN}}}process", told)
        diagram = SubElement(self.root, f"{{{BPMNDI}}}BPMNDiagram", {"id": "diagram"})
        self.plane = SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane", {"id": "plane", "bpmnElement": name})
        self.shapes: dict[str, tuple[float, float, float, float]] = {}
        self.nodes: dict[str, Element] = {}
        self.ways: list[tuple[str, str, str, Element]] = []

    def node(self, tag: str, id: str, name: str, place: tuple[float, float, float, float], **more: str) -> Element:
        told = {"id": id} | ({"name": name} if name else {}) | more
        element = SubElement(self.process, f"{{{BPMN}}}{tag}", told)
        self.nodes[id], self.shapes[id] = element, place
        return element

    def way(self, source: str, target: str, name: str = "", condition: str = "", is_default: bool = False) -> None:
        id = f"way_{len(self.ways) + 1}"
        told = {"id": id, "sourceRef": source, "targetRef": target} | ({"name": name} if name else {})
        element = Element(f"{{{BPMN}}}sequenceFlow", told)
        if condition:
            kind = {f"{{{XSI}}}type": "bpmn:tFormalExpression"}
            SubElement(element, f"{{{BPMN}}}conditionExpression", kind).text = condition
        if is_default:
            self.nodes[source].set("default", id)
        self.ways.append((id, source, target, element))

    def document(self) -> bytes:
        self._connect()
        for id, (x, y, width, height) in self.shapes.items():
            shape = SubElement(self.plane, f"{{{BPMNDI}}}BPMNShape", {"id": f"{id}_shape", "bpmnElement": id})
            if id.startswith("gate_"):
                shape.set("isMarkerVisible", "true")
            bounds = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
            SubElement(shape, f"{{{DC}}}Bounds", bounds)
        for id, source, target, _element in self.ways:
            edge = SubElement(self.plane, f"{{{BPMNDI}}}BPMNEdge", {"id": f"{id}_edge", "bpmnElement": id})
            for x, y in _points(self.shapes[source], self.shapes[target]):
                SubElement(edge, f"{{{DI}}}waypoint", {"x": f"{x:g}", "y": f"{y:g}"})
        written: bytes = tostring(self.root, encoding="utf-8", xml_declaration=True)
        return written

    def _connect(self) -> None:
        """Every node names its ways, incoming ones first, before anything else it holds but its documentation."""
        for node_id, element in self.nodes.items():
            first = [child for child in element if child.tag == f"{{{BPMN}}}documentation"]
            place = len(first)
            for tag, end in (("incoming", 2), ("outgoing", 1)):
                for way in self.ways:
                    if way[end] == node_id:
                        child = Element(f"{{{BPMN}}}{tag}")
                        child.text = way[0]
                        element.insert(place, child)
                        place += 1
        for way in self.ways:
            self.process.append(way[3])


def bpmn_xml(flow: FlowSpec, *, language: str = "zh-hans") -> bytes:
    """The flow as a BPMN document: stages are user tasks, outcomes leave exclusive gateways, conditions stand before stages."""
    writer = _Writer(flow, language)
    boxes = writer.layout.boxes
    writer.node("startEvent", START, "", _place(boxes[START]))
    for stage in flow.stages:
        _write_stage(writer, stage, boxes[stage.key])
    for end in flow.ends:
        key = f"{END}{end.key}"
        if key in boxes:
            writer.node("endEvent", f"end_{end.key}", end.title.text(language), _place(boxes[key]))
    if CORRECT in boxes:
        writer.node(
            "userTask",
            "task_filer_corrects",
            "申请人补正" if language.startswith("zh") else "Filer corrects",
            _place(boxes[CORRECT]),
        )
    writer.way(START, _entry_of(flow, flow.stages[0].key))
    for stage in flow.stages:
        _write_ways(writer, stage)
    if CORRECT in boxes:
        writer.way("task_filer_corrects", _entry_of(flow, flow.stages[0].key))
    return writer.document()


def _write_stage(writer: _Writer, stage: StageSpec, box: Box) -> None:
    if stage.when:
        gate = writer.node("exclusiveGateway", f"gate_when_{stage.key}", "", _beside(box, is_before=True))
        SubElement(gate, f"{{{BPMN}}}documentation").text = stage.when
    task = writer.node("userTask", f"task_{stage.key}", stage.title.text(writer.language), _place(box))
    SubElement(task, f"{{{BPMN}}}documentation").text = _who(stage)
    if stage.decide is not Decide.ONE:
        loop = SubElement(
            task, f"{{{BPMN}}}multiInstanceLoopCharacteristics", {"isSequential": str(stage.decide is Decide.SEQUENCE).lower()}
        )
        kind = {f"{{{XSI}}}type": "bpmn:tFormalExpression"}
        SubElement(loop, f"{{{BPMN}}}loopCardinality", kind).text = str(2 if stage.decide is Decide.BLIND else stage.quorum or 2)
    if len(stage.outcomes) > 1:
        writer.node("exclusiveGateway", f"gate_{stage.key}", "", _beside(box, is_before=False))
    if stage.late is not None and stage.late.outcome and stage.due is not None:
        place = (box.x + 8, box.bottom - 18, 36.0, 36.0)
        timer = writer.node("boundaryEvent", f"late_{stage.key}", "", place, attachedToRef=f"task_{stage.key}")
        event = SubElement(timer, f"{{{BPMN}}}timerEventDefinition", {"id": f"late_{stage.key}_timer"})
        kind = {f"{{{XSI}}}type": "bpmn:tFormalExpression"}
        SubElement(event, f"{{{BPMN}}}timeDuration", kind).text = f'"{_duration(stage.due)}"'


def _write_ways(writer: _Writer, stage: StageSpec) -> None:
    flow, task = writer.flow, f"task_{stage.key}"
    if stage.when:
        gate = f"gate_when_{stage.key}"
        writer.way(gate, task, condition=stage.when)
        writer.way(gate, _target(flow, stage.outcomes[0]), is_default=True)
    if len(stage.outcomes) == 1:
        writer.way(task, _target(flow, stage.outcomes[0]), stage.outcomes[0].title.text(writer.language))
    else:
        gate = f"gate_{stage.key}"
        writer.way(task, gate)
        for number, outcome in enumerate(stage.outcomes):
            title, is_last = outcome.title.text(writer.language), number == len(stage.outcomes) - 1
            condition = "" if is_last else f'outcome == "{outcome.key}"'
            writer.way(gate, _target(flow, outcome), title, condition, is_default=is_last)
    if f"late_{stage.key}" in writer.nodes and stage.late is not None:
        late = next(outcome for outcome in stage.outcomes if outcome.key == stage.late.outcome)
        writer.way(f"late_{stage.key}", _target(flow, late))


def _entry_of(flow: FlowSpec, key: str) -> str:
    stage = flow.stage(key)
    return f"gate_when_{key}" if stage is not None and stage.when else f"task_{key}"


def _target(flow: FlowSpec, outcome: OutcomeSpec) -> str:
    node = node_of(outcome.to)
    if node == CORRECT:
        return "task_filer_corrects"
    return f"end_{node.removeprefix(END)}" if node.startswith(END) else _entry_of(flow, node)


def _who(stage: StageSpec) -> str:
    told = stage.who.model_dump(exclude_defaults=True, mode="json")
    return f"{stage.decide.value}: {told}"


def _duration(span: Span) -> str:
    if span.hours is not None:
        return f"PT{span.hours}H"
    return f"P{span.days if span.days is not None else span.working_days}D"


def _place(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.width, box.height


def _beside(box: Box, *, is_before: bool) -> tuple[float, float, float, float]:
    x = box.x - _DIAMOND - 4 if is_before else box.right + 4
    return x, box.middle - _DIAMOND / 2, _DIAMOND, _DIAMOND


def _points(source: tuple[float, float, float, float], target: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """From the right of one shape to the left of the other, or around below where it leads back."""
    x, y = source[0] + source[2], source[1] + source[3] / 2
    to_x, to_y = target[0], target[1] + target[3] / 2
    if to_x >= x:
        if y == to_y:
            return [(x, y), (to_x, to_y)]
        turn = (x + to_x) / 2
        return [(x, y), (turn, y), (turn, to_y), (to_x, to_y)]
    bottom = max(source[1] + source[3], target[1] + target[3]) + 30
    middle, to_middle = source[0] + source[2] / 2, target[0] + target[2] / 2
    return [(middle, source[1] + source[3]), (middle, bottom), (to_middle, bottom), (to_middle, target[1] + target[3])]
