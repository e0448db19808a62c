"""Blocks of response texts turned into score codes, and what is wrong with the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shuren.assessment.rules.scoring import UNREADABLE, cell_code
from shuren.assessment.rules.words import ItemSpec, TestInfo

REMEMBERED = 2_000
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"


@dataclass(slots=True)
class ScoreReader:
    """Turns texts into codes, remembering what each spelling meant for each item."""

    items: Sequence[ItemSpec]
    info: TestInfo
    _known: list[dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = [{} for _item in self.items]

    def codes(self, place: int, texts: pa.Array) -> npt.NDArray[np.int8]:
        """The codes of one item's column; `UNREADABLE` where a text means nothing."""
        encoded = texts.dictionary_encode()
        table = np.array([self.code(place, text) for text in encoded.dictionary.to_pylist()], np.int8)
        return table[encoded.indices.to_numpy(zero_copy_only=False)] if len(table) else np.empty(0, np.int8)

    def code(self, place: int, text: str) -> int:
        known = self._known[place]
        if text in known:
            return known[text]
        code = cell_code(text, self.items[place], self.info)
        if len(known) < REMEMBERED:
            known[text] = code
        return code

    def pair_codes(self, places: npt.NDArray[np.int64], texts: pa.Array) -> npt.NDArray[np.int8]:
        """The codes of (item, text) pairs; items below 0 are unknown and come out `UNREADABLE`."""
        encoded = texts.dictionary_encode()
        words = encoded.dictionary.to_pylist()
        pairs = places * len(words) + encoded.indices.to_numpy(zero_copy_only=False)
        kinds, which = np.unique(pairs, return_inverse=True)
        table = np.array(
            [UNREADABLE if pair < 0 else self.code(int(pair) // len(words), words[int(pair) % len(words)]) for pair in kinds],
            np.int8,
        )
        return table[which] if len(table) else np.empty(0, np.int8)


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of numbers, NaN where empty, and the places of texts that are not finite numbers."""

    values: npt.NDArray[np.float64]
    wrong: npt.NDArray[np.int64]


def numbers(texts: pa.Array) -> NumberColumn:
    """Read a column of decimal numbers; words such as `nan` and `inf` count as wrong."""
    plain = pc.utf8_trim_whitespace(texts)
    plain = pc.if_else(pc.equal(plain, ""), None, plain)
    is_number = pc.match_substring_regex(plain, _NUMBER) if not _casts(plain) else pc.is_valid(plain)
    cast = pc.cast(pc.if_else(is_number, plain, None), pa.float64())
    values = cast.to_numpy(zero_copy_only=False)
    wrong = pc.is_valid(plain).to_numpy(zero_copy_only=False) & ~np.isfinite(values)
    return NumberColumn(values=values, wrong=np.flatnonzero(wrong))


def _casts(plain: pa.Array) -> bool:
    """Whether Arrow reads every text as a number: far quicker than looking at each with an expression."""
    try:
        pc.cast(plain, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def repeated_rows(keys: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """(place, place of the first) for every key that came before."""
    _values, first, which = np.unique(keys, return_index=True, return_inverse=True)
    for place in np.flatnonzero(first[which] != np.arange(len(keys))):
        yield int(place), int(first[which[place]])
