"""A flow as a picture: where every stage and end stands, how the lines run, and the SVG of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from shuren.casework.rules.specs.flow import END, TO_FILER, FlowSpec, StageSpec

START, CORRECT = "start", "filer"
_WIDTH, _HEIGHT, _GAP = 152, 76, 92
_LEFT, _CIRCLE = 40, 36
_LANE, _END_GAP = 26, 84
_TITLE = 9


@dataclass(frozen=True, slots=True)
class Box:
    """A node: `kind` is start, stage, correct or end; `x` and `y` are its upper left corner."""

    key: str
    kind: str
    title: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Line:
    """A way from one node to another; `outcome` is empty where a stage is skipped, or nothing is decided."""

    source: str
    target: str
    outcome: str
    title: str
    points: tuple[tuple[float, float], ...]
    is_skip: bool = False
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Layout:
    boxes: Mapping[str, Box]
    lines: tuple[Line, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Way:
    """What leads where, before it is drawn."""

    source: str
    target: str
    outcome: str = ""
    title: str = ""
    is_skip: bool = False
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Note:
    """What is written into a stage: how many are there now, how long it takes; `is_slow` marks the slowest."""

    count: str = ""
    time: str = ""
    is_slow: bool = False


def node_of(to: str) -> str:
    return CORRECT if to == TO_FILER else to


def ways_of(flow: FlowSpec, language: str) -> list[Way]:
    """Every way through the flow, from the start on; skipping a stage leads where its first outcome does."""
    ways = [Way(START, flow.stages[0].key)]
    for stage in flow.stages:
        for outcome in stage.outcomes:
            title = outcome.title.text(language)
            ways.append(Way(stage.key, node_of(outcome.to), outcome.key, title, tone=outcome.tone))
        if stage.when:
            ways.append(Way(stage.key, node_of(stage.outcomes[0].to), "", "", is_skip=True))
    if any(way.target == CORRECT for way in ways):
        ways.append(Way(CORRECT, flow.stages[0].key))
    return ways


def layout_of(flow: FlowSpec, language: str) -> Layout:
    """Stages in a row in the order of the flow, ends behind them; ways over more than one step run above, ways back below."""
    ways = ways_of(flow, language)
    ends = [end for end in flow.ends if any(way.target == f"{END}{end.key}" for way in ways)]
    # The first end stands in line behind the last stage.
    row = [stage.key for stage in flow.stages] + [f"{END}{end.key}" for end in ends[:1]]
    order = {START: 0} | {key: number for number, key in enumerate(row, start=1)}
    above = _lanes(ways, order, is_forward=True)
    below = _lanes(ways, order, is_forward=False)
    top = 24 + _LANE * (len(above) + 1)
    boxes = {START: Box(START, "start", "", _LEFT, top + (_HEIGHT - _CIRCLE) / 2, _CIRCLE, _CIRCLE)}
    x = _LEFT + _CIRCLE + 56
    for stage in flow.stages:
        boxes[stage.key] = Box(stage.key, "stage", stage.title.text(language), x, top, _WIDTH, _HEIGHT)
        x += _WIDTH + _GAP
    for number, end in enumerate(ends):
        y = top + (_HEIGHT - _CIRCLE) / 2 + number * _END_GAP
        boxes[f"{END}{end.key}"] = Box(f"{END}{end.key}", "end", end.title.text(language), x, y, _CIRCLE, _CIRCLE)
    depth = top + _HEIGHT + _LANE * (len(below) + 1)
    if any(way.target == CORRECT for way in ways):
        boxes[CORRECT] = Box(CORRECT, "correct", "", boxes[flow.stages[0].key].x, depth + 8, _WIDTH, 48)
        depth += 48 + 16
    lines = _lines(ways, boxes, above, below, order, top)
    height = max(depth, max((box.bottom for box in boxes.values() if box.kind == "end"), default=0) + 40) + 24
    return Layout(boxes, tuple(lines), x + 120, height)


def _is_next(way: Way, order: Mapping[str, int]) -> bool:
    return not way.is_skip and way.target in order and way.source in order and order[way.target] == order[way.source] + 1


def _lanes(ways: list[Way], order: Mapping[str, int], *, is_forward: bool) -> dict[str, int]:
    """A lane for every target, so that ways to the same place run together."""
    found: dict[str, int] = {}
    last = max(order.values())
    for way in ways:
        if _is_next(way, order) or way.source == CORRECT:
            continue
        ahead = way.target.startswith(END) or (way.target in order and order[way.target] > order.get(way.source, last))
        if ahead is is_forward and way.target not in found:
            found[way.target] = len(found)
    return found


def _lines(
    ways: list[Way],
    boxes: Mapping[str, Box],
    above: Mapping[str, int],
    below: Mapping[str, int],
    order: Mapping[str, int],
    top: float,
) -> list[Line]:
    lines, leaving_above, leaving_below = [], dict[str, int](), dict[str, int]()
    for way in ways:
        source, target = boxes[way.source], boxes[way.target]
        if way.source == CORRECT:
            points = [(source.x + 16, source.y), (source.x + 16, target.bottom)]
        elif _is_next(way, order):
            points = [(source.right, source.middle), (target.x, target.middle)]
        elif way.target in above and order.get(way.target, len(order)) > order[way.source]:
            step = leaving_above[way.source] = leaving_above.get(way.source, -1) + 1
            x, lane = source.x + source.width - 24 - 30 * step, top - _LANE * (above[way.target] + 1)
            points = _over(x, source.y, lane, target)
        else:
            step = leaving_below[way.source] = leaving_below.get(way.source, -1) + 1
            x, lane = source.x + source.width - 24 - 30 * step, source.bottom + _LANE * (below[way.target] + 1)
            points = _under(x, source.bottom, lane, target)
        lines.append(Line(way.source, way.target, way.outcome, way.title, tuple(points), way.is_skip, way.tone))
    return lines


def _over(x: float, y: float, lane: float, target: Box) -> list[tuple[float, float]]:
    if target.kind == "end":
        turn = target.x - 20
        return [(x, y), (x, lane), (turn, lane), (turn, target.middle), (target.x, target.middle)]
    return [(x, y), (x, lane), (target.x + 20, lane), (target.x + 20, target.y)]


def _under(x: float, y: float, lane: float, target: Box) -> list[tuple[float, float]]:
    if target.kind == "correct":
        return [(x, y), (x, target.middle), (target.right, target.middle)]
    return [(x, y), (x, lane), (target.x + 40, lane), (target.x + 40, target.bottom)]


_TIP = (
    '<defs><marker id="flow-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="var(--rule-strong)"/></marker></defs>'
)
_TONES = {"good": "var(--good)", "warn": "var(--warn)", "bad": "var(--bad)"}


@dataclass(frozen=True, slots=True)
class Words:
    """What the picture says besides titles."""

    title: str
    start: str
    correct: str
    skipped: str
    notes: Mapping[str, Note] = field(default_factory=dict)


def picture_svg(flow: FlowSpec, words: Words, *, language: str) -> str:
    """The picture; colours are those of the page, so that it follows its light and dark."""
    layout = layout_of(flow, language)
    size = f'viewBox="0 0 {layout.width:g} {layout.height:g}" width="{layout.width:g}" height="{layout.height:g}"'
    stages = {stage.key: stage for stage in flow.stages}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(words.title)}" font-family="inherit">',
        _TIP,
        *(_line(line, words) for line in layout.lines),
        *(_box(box, words, stages.get(box.key)) for box in layout.boxes.values()),
        "</svg>",
    ]
    return "".join(parts)


def _line(line: Line, words: Words) -> str:
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in line.points)
    dash = ' stroke-dasharray="4 4"' if line.is_skip else ""
    drawn = f'<path d="{path}" fill="none" stroke="var(--rule-strong)" stroke-width="1.5"{dash} marker-end="url(#flow-tip)"/>'
    title = words.skipped if line.is_skip else line.title
    if not title:
        return drawn
    (x, y), (to_x, to_y) = line.points[0], line.points[1]
    is_level = y == to_y
    at_x, at_y, anchor = ((x + to_x) / 2, y - 6, "middle") if is_level else (x - 5, y + (14 if to_y > y else -6), "end")
    colour = _TONES.get(line.tone, "var(--muted)")
    return f'{drawn}<text x="{at_x:g}" y="{at_y:g}" font-size="12" text-anchor="{anchor}" fill="{colour}">{escape(title)}</text>'


def _box(box: Box, words: Words, stage: StageSpec | None) -> str:
    if box.kind in ("start", "end"):
        return _circle(box, words)
    title = box.title or words.correct
    note = words.notes.get(box.key, Note())
    edge = "var(--warn)" if note.is_slow else "var(--accent)" if note.count else "var(--rule-strong)"
    dash = ' stroke-dasharray="5 4"' if stage is not None and stage.when else ""
    shape = (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="8" fill="var(--surface)" '
        f'stroke="{edge}" stroke-width="{2 if note.is_slow or note.count else 1.25}"{dash}/>'
    )
    middle = box.x + box.width / 2
    shown = title if len(title) <= _TITLE * 2 else f"{title[: _TITLE * 2 - 1]}…"
    rows = [shown] if len(shown) <= _TITLE or shown.isascii() else [shown[:_TITLE], shown[_TITLE:]]
    told = "　".join(text for text in (note.count, note.time) if text)
    first = box.middle + 5 - 9 * (len(rows) - 1) - (9 if told else 0)
    texts = [
        f'<text x="{middle:g}" y="{first + 18 * number:g}" font-size="14" font-weight="600" text-anchor="middle" '
        f'fill="var(--ink)">{escape(row)}</text>'
        for number, row in enumerate(rows)
    ]
    if told:
        y = first + 18 * len(rows) + 2
        texts.append(
            f'<text x="{middle:g}" y="{y:g}" font-size="12" text-anchor="middle" fill="var(--muted)">{escape(told)}</text>'
        )
    return f"<g><title>{escape(title)}</title>{shape}{''.join(texts)}</g>"


def _circle(box: Box, words: Words) -> str:
    x, radius = box.x + box.width / 2, box.width / 2
    width = 1.5 if box.kind == "start" else 3
    place = f'cx="{x:g}" cy="{box.middle:g}" r="{radius:g}"'
    shape = f'<circle {place} fill="var(--surface)" stroke="var(--ink)" stroke-width="{width}"/>'
    title = box.title or words.start
    y = box.bottom + 18
    return f'<g>{shape}<text x="{x:g}" y="{y:g}" font-size="13" text-anchor="middle" fill="var(--ink)">{escape(title)}</text></g>'
