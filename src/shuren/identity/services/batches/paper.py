"""What first passwords are printed on: sheets that fold into sealed envelopes, or strips to cut.

A sheet is printed on both sides and folded in three. Seen from the inside, the credentials stand on the middle panel;
the lower panel folds over them, the upper one over both. What lies behind them, and what faces them, is hatched.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from random import Random

import segno
from django.template.loader import render_to_string

from shuren.directory import api as directory
from shuren.directory.data import OrgData, PersonData
from shuren.identity.data import Slip, SlipForm
from shuren.kernel import clock
from shuren.pages import api as pages

_TEMPLATES = {SlipForm.ENVELOPES: "identity/envelopes_print.html", SlipForm.SLIPS: "identity/slip_sheets_print.html"}
_PER_SHEET = 8
_TILE = (480, 240)
_LETTERS = 420
_INKS = (0x55, 0x7B, 0x3A)
# A, E, H, K, R, 2, 4, 8 as rows of five squares.
_GLYPHS = (
    (0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11),
    (0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F),
    (0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11),
    (0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11),
    (0x1E, 0x11, 0x11, 0x1E, 0x14, 0x12, 0x11),
    (0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F),
    (0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02),
    (0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E),
)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets a password; `ward` is the name of the child whose class a parent is reached in."""

    person: PersonData
    ward: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One person's paper."""

    slip: Slip
    ward: str


def paper_of(
    form: SlipForm,
    *,
    org: OrgData,
    part: int,
    addressees: Sequence[Addressee],
    slips: Sequence[Slip],
    site: str,
    now: datetime,
) -> bytes:
    """The PDF for the people of one org, in their order; raises `PdfUnavailable`."""
    sheets = [Sheet(slip, one.ward) for one, slip in zip(addressees, slips, strict=True)]
    above = directory.ancestors_of(org.id)
    context = {
        "org": org,
        "above": above[-1] if above else None,
        "part": part,
        "sheets": sheets,
        "pages": [sheets[start : start + _PER_SHEET] for start in range(0, len(sheets), _PER_SHEET)],
        "site": site,
        "picture": segno.make(site, error="m").svg_data_uri(border=1, dark="#1b2a30"),
        "hatch": _hatch(),
        "day": clock.day_of(now),
    }
    return pages.pdf_bytes(render_to_string(_TEMPLATES[form], context))


@cache
def _hatch() -> str:
    """A tile of crossing lines and scattered letters in the greys of print, so that none behind it can be read.

    A picture of dots, not a drawing: a class is printed in a third of the time.
    """
    width, height = _TILE
    chance = Random(7)  # noqa: S311  # a pattern, no secret: every sheet has the same
    dots = [bytearray(b"\xff" * width) for _line in range(height)]
    for y in range(height):
        for x in range(width):
            if (x + y) % 20 < 2 or (x - y) % 20 < 2:
                dots[y][x] = 0x7B
    for _place in range(_LETTERS):
        _write(dots, chance.choice(_GLYPHS), chance.randrange(width), chance.randrange(height), chance.choice(_INKS))
    raw = b"".join(b"\0" + bytes(line) for line in dots)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(raw, 9)), _chunk(b"IEND", b""))
    return "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def _write(dots: list[bytearray], glyph: tuple[int, ...], left: int, top: int, ink: int) -> None:
    """A glyph of 5 × 7 squares of two dots; what leaves the tile on one side comes in on the other."""
    for y in range(14):
        for x in range(10):
            if glyph[y // 2] >> (4 - x // 2) & 1:
                dots[(top + y) % len(dots)][(left + x) % len(dots[0])] = ink


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
