"""Words and shapes of a plain SVG picture: text that fits its place, nice axis steps, marks with classes.

Every mark carries both a colour and a class, so that print needs no style sheet and the dark page can recolour it.
"""

import math
import unicodedata
from collections.abc import Sequence
from html import escape

WIDTH = 720.0
TEXT = 13.0
SMALL = 12.0
INK = "#1b2a30"
MUTED = "#55666e"
RULE = "#dfe5e8"
SURFACE = "#ffffff"
PALETTE = ("#0b6e84", "#c4520c", "#8c2d62", "#4a97cf", "#b08300", "#5f6b73")
SEQUENCE = ("#e3f1f4", "#b2dbe3", "#74b9c8", "#1d7388", "#0b5365")
LIGHT_STEPS = 3


def text_width(text: str, size: float = TEXT) -> float:
    """Width in pixels, near enough to place text: a full-width sign is one em, others a little over half."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return size * (wide + 0.57 * (len(text) - wide))


def fitted(text: str, width: float, size: float = TEXT) -> str:
    """The text, cut with an ellipsis where it is wider than its place."""
    # A place measured by the text itself must hold it, whatever the last bit of the float says.
    if text_width(text, size) <= width + 1e-6:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, width: float, size: float = TEXT) -> tuple[str, ...]:
    """The text on one line, or on two, broken at a space where there is one; the second is cut where it is too long."""
    if text_width(text, size) <= width + 1e-6:
        return (text,)
    end = 1
    while end < len(text) and text_width(text[: end + 1], size) <= width:
        end += 1
    space = text.rfind(" ", 1, end + 1)
    end = space if space > end / 2 else end
    return text[:end].rstrip(), fitted(text[end:].lstrip(), width, size)


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Round axis marks that cover low to high in about `count` steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        high = low + 1.0
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return tuple(round(index * step, 10) for index in range(first, last + 1))


def color_of(index: int) -> str:
    return PALETTE[index % len(PALETTE)]


def step_of(value: float, low: float, high: float) -> int:
    """Which of the five steps of the sequential scale a value falls on."""
    if not high > low:
        return len(SEQUENCE) // 2
    share = (value - low) / (high - low)
    return min(len(SEQUENCE) - 1, max(0, int(share * len(SEQUENCE))))


def ramp(count: int) -> tuple[int, ...]:
    """Steps of the sequential scale for `count` ordered levels, spread over its whole length."""
    if count == 1:
        return (len(SEQUENCE) // 2 + 1,)
    return tuple(round(index * (len(SEQUENCE) - 1) / (count - 1)) for index in range(count))


def num(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def text(
    x: float, y: float, words: str, *, size: float = TEXT, anchor: str = "start", fill: str = INK, bold: bool = False
) -> str:
    tone = {INK: "ink", MUTED: "muted", SURFACE: "paper"}.get(fill, "own")
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text class="{tone}" x="{num(x)}" y="{num(y)}" font-size="{num(size)}" text-anchor="{anchor}"'
        f' fill="{fill}"{weight}>{escape(words)}</text>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, color: str = RULE, width: float = 1.0, dash: str = "", mark: str = ""
) -> str:
    tone = mark or {RULE: "rule", MUTED: "mark", INK: "mark"}.get(color, "own")
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line class="{tone}" x1="{num(x1)}" y1="{num(y1)}" x2="{num(x2)}" y2="{num(y2)}"'
        f' stroke="{color}" stroke-width="{num(width)}"{dashes}/>'
    )


def rect(x: float, y: float, width: float, height: float, *, fill: str, mark: str = "", radius: float = 0.0) -> str:
    name = f' class="{mark}"' if mark else ""
    corner = f' rx="{num(radius)}"' if radius else ""
    return (
        f'<rect{name} x="{num(x)}" y="{num(y)}" width="{num(max(0.0, width))}"'
        f' height="{num(max(0.0, height))}"{corner} fill="{fill}"/>'
    )


def dot(x: float, y: float, radius: float, *, color: str, mark: str, is_hollow: bool = False) -> str:
    fill = SURFACE if is_hollow else color
    hollow = " hollow" if is_hollow else ""
    return (
        f'<circle class="{mark}{hollow}" cx="{num(x)}" cy="{num(y)}" r="{num(radius)}" fill="{fill}"'
        f' stroke="{color}" stroke-width="2"/>'
    )


def path(points: Sequence[tuple[float, float]], *, color: str, mark: str, is_closed: bool = False) -> str:
    """A broken line through the points; closed, it is a filled shape with a thin edge."""
    steps = "L".join(f"{num(x)},{num(y)}" for x, y in points)
    if is_closed:
        return f'<path class="{mark}" d="M{steps}Z" fill="{color}" stroke="{SURFACE}" stroke-width="1"/>'
    return f'<path class="{mark}" d="M{steps}" fill="none" stroke="{color}" stroke-width="2"/>'


def linked(shapes: str, *, url: str, title: str) -> str:
    """The shapes with a tooltip and, where there is an address, as a link."""
    body = f"<g><title>{escape(title)}</title>{shapes}</g>"
    return f'<a href="{escape(url)}">{body}</a>' if url else body


def picture(shapes: Sequence[str], *, height: float, title: str, description: str) -> str:
    """The whole drawing; one that holds links is a group, because a picture's parts cannot be reached."""
    body = "".join(shapes)
    role = "group" if "<a " in body else "img"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart-svg" viewBox="0 0 {num(WIDTH)} {num(height)}"'
        f' role="{role}" font-family="Noto Sans SC, PingFang SC, Microsoft YaHei, system-ui, sans-serif">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{body}</svg>"
    )
