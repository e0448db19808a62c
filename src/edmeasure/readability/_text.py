"""Chinese text taken apart: sentences, clauses, characters and what they are."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, IntArray

SENTENCE_ENDS = "。！？!?；;\n"
CLAUSE_ENDS = SENTENCE_ENDS + "，,：:、"
IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF), (0xF900, 0xFAFF))
CODE_POINTS = 0x110000
FIRST_LEVEL = (0xB0, 0xD7)
"""First bytes of the 3,755 common characters of GB 2312-1980."""


def _table(characters: str) -> BoolArray:
    found = np.zeros(CODE_POINTS, dtype=np.bool_)
    found[[ord(one) for one in characters]] = True
    return found


def _ideographs() -> BoolArray:
    found = np.zeros(CODE_POINTS, dtype=np.bool_)
    for first, last in IDEOGRAPHS:
        found[first : last + 1] = True
    return found


def _common() -> BoolArray:
    """The first level of GB 2312, as Python's own codec holds it."""
    found = np.zeros(CODE_POINTS, dtype=np.bool_)
    for first in range(FIRST_LEVEL[0], FIRST_LEVEL[1] + 1):
        for second in range(0xA1, 0xFF):
            character = bytes([first, second]).decode("gb2312", errors="ignore")
            if character:
                found[ord(character)] = True
    return found


IS_IDEOGRAPH = _ideographs()
IS_COMMON = _common()
ENDS_SENTENCE = _table(SENTENCE_ENDS)
ENDS_CLAUSE = _table(CLAUSE_ENDS)
IS_FIGURE = _table("0123456789%.+-=×÷/<>ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, eq=False)
class Text:
    """Code points of a text in its composed form (full-width signs and figures made plain), and its Chinese characters."""

    points: IntArray
    characters: IntArray
    string: str

    @classmethod
    def of(cls, text: str) -> Text:
        plain = unicodedata.normalize("NFKC", text)
        points = np.frombuffer(plain.encode("utf-32-le", errors="replace"), dtype="<u4").astype(np.int64)
        return cls(points, points[IS_IDEOGRAPH[points]], plain)

    def lengths(self, ends: BoolArray) -> FloatArray:
        """Chinese characters in every stretch between ends, stretches without any left out."""
        stretch = np.cumsum(ends[self.points])
        counts = np.bincount(stretch[IS_IDEOGRAPH[self.points]])
        return np.asarray(counts[counts > 0], dtype=np.float64)

    def share(self, table: BoolArray) -> float:
        """Share of code points (spaces left out) for which ``table`` holds."""
        written = self.points[self.points > ord(" ")]
        return float(table[written].mean()) if written.size else 0.0


def repeat_rate(counts: IntArray) -> float:
    """Chance that two tokens drawn at random are the same: unbiased whatever the length (Simpson 1949; Yule 1944)."""
    n = int(counts.sum())
    return float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else 0.0


def types_in_sample(counts: IntArray, size: int) -> float:
    """Types expected among ``size`` tokens drawn at random, per token (HD-D: McCarthy & Jarvis 2007)."""
    n = int(counts.sum())
    # P(type absent) = C(n - c, size) / C(n, size), a product of `size` factors
    steps = np.arange(size)
    left = np.maximum(n - counts[:, None] - steps, 0) / (n - steps)
    return float((1 - left.prod(axis=1)).sum() / size)
