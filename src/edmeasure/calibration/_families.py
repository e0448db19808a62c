"""Which model every item follows, and the curves of those that are no partial credit.

Items of right/wrong (2PL) and partial credit models share one shape and one pair of loops
(`_em`, `_item_kernels`); every other item is listed here with the loops of `_family_kernels`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _family_kernels
from edmeasure.calibration._family_kernels import ASYMPTOTIC, GRADED, LOWEST_LOGIT, NOMINAL
from edmeasure.errors import BadOption

RIGHT_WRONG = {"1PL": "PCM", "2PL": "GPCM", "3PL": "GPCM", "4PL": "GPCM"}
"""Models of right/wrong items, and what an item with more categories follows beside them."""
ORDERED = {"PCM": "1PL", "GPCM": "2PL", "GRM": "2PL", "NRM": "2PL"}
"""Models of items with more categories, and the same model of a right/wrong item."""
COMMON_SLOPE = ("1PL", "PCM")
FAMILY: dict[str, int] = {"3PL": ASYMPTOTIC, "4PL": ASYMPTOTIC, "GRM": GRADED, "NRM": NOMINAL}
START_LOWER, START_UPPER = 0.15, 0.95


@dataclass(frozen=True)
class OtherItem:
    """An item whose model is no partial credit: its place on the flat axes."""

    position: int
    model: str
    categories: slice
    extras: slice

    @property
    def family(self) -> int:
        return FAMILY[self.model]

    @property
    def top(self) -> int:
        """Highest score."""
        return int(self.categories.stop) - int(self.categories.start) - 1

    @property
    def columns(self) -> IntArray:
        """Its parameters without extras on the flat axis; the slope sits at category 0."""
        return np.arange(self.categories.start, self.categories.stop)

    def parameters(self, slopes: FloatArray, intercepts: FloatArray, extras: FloatArray) -> FloatArray:
        """Slope, intercepts 1..K, then what the family adds."""
        start, stop = self.categories.start, self.categories.stop
        return np.concatenate([[slopes[self.position]], intercepts[start + 1 : stop], extras[self.extras]])

    def category_slopes(self, parameters: FloatArray) -> FloatArray:
        """How much every category's intercept moves when all abilities move by one."""
        if self.family == NOMINAL:
            return np.array([0.0, *parameters[self.top + 1 :], self.top * parameters[0]])
        return np.array([0.0, *[parameters[0]] * self.top])

    def usable(self, usable: BoolArray) -> BoolArray:
        """Which of its parameters are estimated, from the categories somebody chose."""
        own = usable[self.categories].copy()
        if self.model != "NRM":
            return np.concatenate([own, np.ones(self.extras.stop - self.extras.start, dtype=np.bool_)])
        own[0] = own[self.top]
        return np.concatenate([own, usable[self.categories][1 : self.top]])

    def curves(self, parameters: FloatArray, nodes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log P (n_categories, n_nodes) and its derivatives (n_nodes, n_parameters, n_categories)."""
        log_probs = np.empty((nodes.size, self.top + 1))
        scores = np.empty((nodes.size, parameters.size, self.top + 1))
        _family_kernels.curves(self.family, nodes, parameters, np.zeros_like(log_probs), log_probs, scores)
        return log_probs.T, scores


@dataclass(frozen=True, eq=False)
class ItemModels:
    """The items that need more than partial credit's own loops: other models, and a common slope."""

    others: tuple[OtherItem, ...]
    common: IntArray

    @property
    def n_extras(self) -> int:
        return self.others[-1].extras.stop if self.others else 0

    def starting_extras(self) -> FloatArray:
        """Logits of plausible asymptotes; category slopes as in partial credit with slope one."""
        extras = np.empty(self.n_extras)
        for item in self.others:
            if item.family == NOMINAL:
                extras[item.extras] = np.arange(1, item.top)
            elif item.family == ASYMPTOTIC:
                extras[item.extras] = [_logit(START_LOWER), _logit(START_UPPER)][: item.extras.stop - item.extras.start]
        return extras

    def within_bounds(self, extras: FloatArray) -> FloatArray:
        """Extras with asymptotes between 0.0001 and a half, and a half and 0.9999."""
        kept = extras.copy()
        for item in self.others:
            if item.family == ASYMPTOTIC:
                first, last = item.extras.start, item.extras.stop
                kept[first] = min(max(kept[first], LOWEST_LOGIT), 0.0)
                kept[first + 1 : last] = np.clip(kept[first + 1 : last], 0.0, -LOWEST_LOGIT)
        return kept


PARTIAL_CREDIT = ItemModels((), np.empty(0, dtype=np.int64))


def _logit(share: float) -> float:
    return float(np.log(share / (1.0 - share)))


def model_names(models: str | Mapping[str, str], item_ids: Sequence[str], max_scores: Int8Array) -> tuple[str, ...]:
    """The model of every item: one word for all, by each item's maximum, or named per item (2PL and GPCM else)."""
    known = (*RIGHT_WRONG, *ORDERED)
    asked = set(models.values()) if isinstance(models, Mapping) else {models}
    if not asked <= set(known):
        raise BadOption(f"There is no model {sorted(asked - set(known))}.", remedy=f"Use one of {', '.join(known)}.")
    if not isinstance(models, Mapping):
        return tuple(_fitting(models, top == 1) for top in max_scores)
    strangers = sorted(set(models) - set(item_ids))
    if strangers:
        raise BadOption(f"models names items that are not there: {strangers[:10]}.", remedy="Use the ids of the responses.")
    wrong = [name for name, top in zip(item_ids, max_scores, strict=True) if top > 1 and models.get(name) in RIGHT_WRONG]
    if wrong:
        raise BadOption(f"Items {wrong[:10]} have more than two categories.", remedy=f"Use one of {', '.join(ORDERED)} for them.")
    return tuple(_fitting(models.get(name, "2PL"), top == 1) for name, top in zip(item_ids, max_scores, strict=True))


def _fitting(model: str, is_right_wrong: bool) -> str:
    return ORDERED.get(model, model) if is_right_wrong else RIGHT_WRONG.get(model, model)


def same_shape(model: str, other: str) -> bool:
    """Whether parameters of one model can start the other."""
    return model == other or (model not in FAMILY and other not in FAMILY)


def item_models(names: Iterable[str], parts: Sequence[slice], estimated: BoolArray | None = None) -> ItemModels:
    """Layout of the items' models; only ``estimated`` items share the common slope."""
    others: list[OtherItem] = []
    common: list[int] = []
    first = 0
    for j, (name, part) in enumerate(zip(names, parts, strict=True)):
        if name in COMMON_SLOPE and (estimated is None or estimated[j]):
            common.append(j)
        if name not in FAMILY:
            continue
        size = {"3PL": 1, "4PL": 2, "GRM": 0, "NRM": part.stop - part.start - 2}[name]
        others.append(OtherItem(j, name, part, slice(first, first + size)))
        first += size
    return ItemModels(tuple(others), np.asarray(common, dtype=np.int64))


def extras_of(
    models: ItemModels, at: IntArray, lower: FloatArray, upper: FloatArray, category_slopes: npt.NDArray[np.float64]
) -> FloatArray:
    """Extras of a fit's items; ``at`` is every item's row in the fit's tables."""
    extras = np.empty(models.n_extras)
    for item in models.others:
        row = at[item.position]
        if item.family == ASYMPTOTIC:
            logits = [np.log(lower[row] / (1.0 - lower[row])), np.log(upper[row]) - np.log1p(-min(upper[row], 1.0 - 1e-12))]
            extras[item.extras] = logits[: item.extras.stop - item.extras.start]
        elif item.family == NOMINAL:
            extras[item.extras] = category_slopes[row, 1 : item.top]
    return extras
