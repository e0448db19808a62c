"""What makes a Chinese text hard to read, counted so that the length of the text does not matter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.readability import _text
from edmeasure.readability._text import Text

Segmenter = Callable[[str], Sequence[str]]
SAMPLE = 10
CONNECTIVES = (
    "因为", "所以", "因此", "由于", "但是", "可是", "然而", "不过", "虽然", "尽管", "如果", "假如", "那么", "只要", "只有",
    "除非", "无论", "不管", "不但", "不仅", "而且", "并且", "或者", "于是", "然后", "接着", "同时", "首先", "其次", "其中",
    "即使", "既然", "从而", "以及", "甚至", "否则",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TextFeatures(Exported):
    """Features of texts; ``signs`` say which way a feature must go with difficulty (1 harder, -1 easier, 0 either).

    Attributes
    ----------
    names : tuple of str (k,)
    values : float64 (n, k)
    signs : int64 (k,)
    """

    names: tuple[str, ...]
    values: FloatArray
    signs: IntArray

    def of(self, name: str) -> FloatArray:
        """One feature of all texts."""
        if name not in self.names:
            raise BadOption(f"There is no feature {name!r}.", remedy=f"Features are {', '.join(self.names)}.")
        return self.values[:, self.names.index(name)]

    def _columns(self) -> Mapping[str, object]:
        return {name: self.values[:, at] for at, name in enumerate(self.names)}

    def __str__(self) -> str:
        told = [f"{name} {mean:.3g}" for name, mean in zip(self.names, self.values.mean(axis=0), strict=True)]
        return f"{self.values.shape[0]:,} texts, means: {', '.join(told)}"


@dataclass(frozen=True)
class FeatureReader:
    """How texts are read; what is not given is not counted.

    Parameters
    ----------
    strokes
        Number of strokes of characters; those not listed count as the mean of the listed ones in the text.
    character_lists
        Lists of characters by grade, easiest first, such as those of the curriculum: a character is as hard as the first
        list that holds it, one step above the last where none does.
    word_lists
        The same of words; needs ``segment``.
    segment
        Cuts a text into words. There is none in this library.
    with_length
        Count the logarithm of the number of characters too: right for exercises of one kind, wrong for books.
    sample
        Tokens of which the expected number of types is reckoned; no text may be shorter.
    """

    strokes: Mapping[str, int] | None = None
    character_lists: Sequence[Collection[str]] | None = None
    word_lists: Sequence[Collection[str]] | None = None
    segment: Segmenter | None = None
    with_length: bool = False
    sample: int = SAMPLE

    def read(self, texts: Sequence[str]) -> TextFeatures:
        """Features of all texts. Raises BadShape where one has fewer than ``sample`` Chinese characters."""
        if isinstance(texts, str) or not len(texts):
            raise BadShape("texts is not a list of texts.", remedy="Pass at least one text in a list.")
        if self.sample < 2:
            raise BadOption(f"sample is {self.sample}.", remedy="Use at least 2, better 10 or more.")
        if self.word_lists is not None and self.segment is None:
            raise BadOption("word_lists are given without a segmenter.", remedy="Pass `segment`, a function from text to words.")
        strokes = None if self.strokes is None else _by_point(self.strokes)
        steps = None if self.character_lists is None else _steps(self.character_lists)
        words = None if self.word_lists is None else _steps(self.word_lists)
        rows = [self._one(at, text, strokes, steps, words) for at, text in enumerate(texts)]
        names = tuple(rows[0])
        signs = np.array([SIGNS.get(name, 1 if name.startswith(("characters_above", "words_above")) else 0) for name in names])
        return TextFeatures(names, np.array([[row[name] for name in names] for row in rows]), signs.astype(np.int64))

    def _one(
        self,
        at: int,
        given: str,
        strokes: FloatArray | None,
        steps: Mapping[str, int] | None,
        words: Mapping[str, int] | None,
    ) -> dict[str, float]:
        if not isinstance(given, str):
            raise BadShape(f"Text {at} is a {type(given).__name__}.", remedy="Pass strings.")
        text = Text.of(given)
        n = text.characters.size
        if n < self.sample:
            raise BadShape(
                f"Text {at} has {n} Chinese characters.", remedy=f"Leave out texts under {self.sample}, or lower `sample`."
            )
        kinds, counts = np.unique(text.characters, return_counts=True)
        found = _of_characters(text, counts, self.sample)
        if strokes is not None:
            found |= _of_strokes(at, strokes[text.characters])
        if steps is not None and self.character_lists is not None:
            level = np.array([steps.get(chr(kind), len(self.character_lists)) for kind in kinds])
            found |= _of_steps("characters", level, counts, len(self.character_lists))
        if self.segment is not None:
            found |= self._of_words(at, text, words)
        if self.with_length:
            found["log_characters"] = float(np.log(n))
        return found

    def _of_words(self, at: int, text: Text, steps: Mapping[str, int] | None) -> dict[str, float]:
        assert self.segment is not None
        pieces = [str(word) for word in self.segment(text.string)]
        spoken = [word for word in pieces if any(_text.IS_IDEOGRAPH[ord(one)] for one in word)]
        if not spoken:
            raise BadShape(f"The segmenter finds no words in text {at}.", remedy="Check what `segment` returns.")
        kinds, counts = np.unique(spoken, return_counts=True)
        size = min(self.sample, len(spoken))
        found = {
            "words_per_sentence": len(spoken) / text.lengths(_text.ENDS_SENTENCE).size,
            "characters_per_word": text.characters.size / len(spoken),
            "word_types": _text.types_in_sample(counts.astype(np.int64), size),
        }
        if steps is not None and self.word_lists is not None:
            level = np.array([steps.get(kind, len(self.word_lists)) for kind in kinds.tolist()])
            found |= _of_steps("words", level, counts, len(self.word_lists))
        return found


SIGNS = {
    "characters_per_sentence": 1,
    "characters_per_clause": 1,
    "uncommon_characters": 1,
    "connectives": 1,
    "character_types": 0,
    "character_repeats": 0,
    "strokes": 1,
    "many_strokes": 1,
    "character_level": 1,
    "word_level": 1,
    "words_per_sentence": 1,
    "characters_per_word": 1,
}


def _of_characters(text: Text, counts: IntArray, sample: int) -> dict[str, float]:
    n = text.characters.size
    whole = counts.astype(np.int64)
    return {
        "characters_per_sentence": float(text.lengths(_text.ENDS_SENTENCE).mean()),
        "characters_per_clause": float(text.lengths(_text.ENDS_CLAUSE).mean()),
        "uncommon_characters": float(1 - _text.IS_COMMON[text.characters].mean()),
        "character_types": _text.types_in_sample(whole, sample),
        "character_repeats": _text.repeat_rate(whole),
        "connectives": 100 * sum(text.string.count(word) for word in CONNECTIVES) / n,
        "particle_de": 100 * text.string.count("的") / n,
        "figures": text.share(_text.IS_FIGURE),
    }


def _of_strokes(at: int, counted: FloatArray) -> dict[str, float]:
    known = counted[counted > 0]
    if known.size == 0:
        raise BadOption(f"No character of text {at} has strokes.", remedy="Pass strokes of simplified characters.")
    return {"strokes": float(known.mean()), "many_strokes": float(np.quantile(known, 0.9))}


def _of_steps(what: str, level: IntArray, counts: IntArray, n_lists: int) -> dict[str, float]:
    share = counts / counts.sum()
    found = {f"{what.removesuffix('s')}_level": float(share @ level)}
    return found | {f"{what}_above_{step + 1}": float(share @ (level > step)) for step in range(n_lists)}


def _by_point(strokes: Mapping[str, int]) -> FloatArray:
    found = np.zeros(_text.CODE_POINTS)
    for character, number in strokes.items():
        if len(character) != 1 or not number > 0:
            raise BadOption(f"{character!r} has {number} strokes.", remedy="Map single characters to positive numbers.")
        found[ord(character)] = number
    return found


def _steps(lists: Sequence[Collection[str]]) -> dict[str, int]:
    """Position of the first list that holds an entry."""
    if not lists:
        raise BadOption("There are no lists.", remedy="Pass at least one, easiest first.")
    return {entry: step for step in range(len(lists) - 1, -1, -1) for entry in lists[step]}


def is_constant(values: FloatArray) -> BoolArray:
    """Columns that are the same for all texts."""
    return np.asarray(np.ptp(values, axis=0) <= 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300))
