"""Items that differ between groups under a response model: likelihood ratios and differences of curves.

Both groups are calibrated together, with their own ability distributions. An item is tested by
giving it parameters of its own in the focal group (Thissen, Steinberg & Wainer 1993).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.calibration.irt import IRTFit, calibrate
from edmeasure.dif._matching import two_groups
from edmeasure.errors import BadOption
from edmeasure.linking.links import category_probabilities
from edmeasure.responses import Responses

REFERENCE, FOCAL = "reference", "focal"
MODERATE, LARGE = 0.05, 0.10
LEVEL = 0.05
ONE_SIDED_95 = 1.6448536269514722
MOST_ROUNDS = 10
FEWEST_ANCHORS = 2


@dataclass(frozen=True, eq=False)
class ModelDIF(Exported):
    """Arrays run over items, NaN where an item could not be calibrated in both groups.

    Attributes
    ----------
    test : str
        ``"likelihood ratio"`` or ``"Lord"``.
    chi_square, p_value : float64 (J,)
        Of parameters of its own in the focal group.
    df : int64 (J,)
    difference : float64 (J,)
        Expected score by focal minus by reference parameters, mean over the focal group, as a
        share of the maximum: negative is harder for the focal group.
    distance : float64 (J,)
        Root of the mean squared difference: the root of NCDIF (Raju, van der Linden & Fleer 1995), so
        that curves that cross do not cancel.
    classes : tuple of "A", "B", "C"
        By ``distance``: A below 0.05 or not significant, C above 0.10 and significantly above 0.05,
        B between.
    anchors : tuple of str
        Items whose parameters both groups share.
    fit : IRTFit
        The calibration in which all other items have their own parameters.
    """

    test: str
    item_ids: tuple[str, ...]
    chi_square: FloatArray
    p_value: FloatArray
    df: npt.NDArray[np.int64]
    difference: FloatArray
    distance: FloatArray
    classes: tuple[str, ...]
    anchors: tuple[str, ...]
    fit: IRTFit

    @property
    def matter(self) -> tuple[str, ...]:
        """Items of class C, the largest distance first."""
        order = np.argsort(-np.nan_to_num(self.distance), kind="stable")
        return tuple(self.item_ids[item] for item in order if self.classes[item] == "C")

    @property
    def untested(self) -> tuple[str, ...]:
        """Items that could not be calibrated in both groups."""
        trusted = set(self.anchors) if self.test == "Lord" else set()
        missing = np.isnan(self.chi_square)
        return tuple(name for name, absent in zip(self.item_ids, missing, strict=True) if absent and name not in trusted)

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, "class": self.classes, **super()._columns()}

    def __str__(self) -> str:
        counts = ", ".join(f"{self.classes.count(letter)} {letter}" for letter in "ABC")
        significant = int((self.p_value < LEVEL).sum())
        means, deviations = self.fit.group_means, self.fit.group_sds
        lines = [
            f"{len(self.item_ids)} items: {counts}; {significant} significant at 5 %, {len(self.anchors)} anchors",
            f"focal group: mean {means[1]:+.2f}, sd {deviations[1]:.2f}",
        ]
        if self.untested:
            lines.append("not testable: " + ", ".join(self.untested))
        for item, kind in enumerate(self.classes):
            if kind != "A":
                size = f"difference {self.difference[item]:+.3f}, distance {self.distance[item]:.3f}"
                lines.append(f"{self.item_ids[item]}: {kind}, {size}, chi {self.chi_square[item]:.1f}")
        return "\n".join(lines)


def likelihood_dif(
    responses: Responses,
    *,
    focal: npt.ArrayLike,
    models: str | Mapping[str, str] = "2PL",
    weights: npt.ArrayLike | None = None,
    purify: bool = True,
    n_nodes: int = 81,
    bound: float = 8.0,
) -> ModelDIF:
    """Test every item with the others as anchors; booklets and answers missing by design may differ.

    Parameters
    ----------
    focal : bool (n_persons,)
        The group that is asked about; the others are the reference.
    models, weights, n_nodes, bound
        As in `calibrate`. The range is wide because the focal group's mean may lie far from 0.
    purify
        Give items of class C their own parameters and test again until the set stays.

    Raises
    ------
    BadOption
        When fewer than two anchors are left: the groups' abilities can then not be compared.
    """
    mask = two_groups(focal, responses.n_persons)
    study = _Study(responses, np.where(mask, FOCAL, REFERENCE), models, weights, n_nodes, bound)
    freed: frozenset[str] = frozenset()
    tried: list[frozenset[str]] = []
    while True:
        tried.append(freed)
        base, table = study.tested(freed)
        found = frozenset(name for name, row in zip(responses.item_ids, table, strict=True) if row[-1] > 1)
        if not purify or found in tried or len(tried) > MOST_ROUNDS:
            break
        if responses.n_items - len(found) < FEWEST_ANCHORS:
            raise BadOption(
                f"{len(found)} of {responses.n_items} items differ much between the groups.",
                remedy="Add items that work alike, or pass purify=False and read the differences as relative.",
            )
        freed = found
    chi, df, difference, distance, kind = table.T
    return ModelDIF(
        test="likelihood ratio",
        item_ids=responses.item_ids,
        chi_square=chi,
        p_value=np.asarray(chdtrc(df, chi)),
        df=df.astype(np.int64),
        difference=difference,
        distance=distance,
        classes=tuple("ABC"[int(one)] for one in kind),
        anchors=tuple(name for name in responses.item_ids if name not in freed),
        fit=base,
    )


@dataclass(frozen=True, eq=False)
class _Study:
    """Answers, groups and options of all the calibrations of one study."""

    responses: Responses
    groups: npt.NDArray[np.str_]
    models: str | Mapping[str, str]
    weights: npt.ArrayLike | None
    n_nodes: int
    bound: float

    def fitted(self, freed: Collection[str], start: IRTFit | None = None) -> IRTFit:
        return calibrate(
            self.responses,
            models=self.models,
            weights=self.weights,
            n_nodes=self.n_nodes,
            bound=self.bound,
            groups=self.groups,
            reference=REFERENCE,
            free_items=sorted(freed),
            start=start,
            standard_errors=False,
        )

    def tested(self, freed: frozenset[str]) -> tuple[IRTFit, FloatArray]:
        """The calibration with these items freed, and chi, df, difference, distance and class of every item."""
        base = self.fitted(freed)
        if not np.isfinite(base.loglik):
            raise BadOption(
                "The groups cannot be calibrated together.",
                remedy="Look at the items group by group: `calibrate` each group alone, or `mantel_haenszel`.",
            )
        rows = []
        for name in self.responses.item_ids:
            other = self.fitted(freed ^ {name}, base)
            rows.append(_compared(name, *((base, other) if name in freed else (other, base))))
        return base, np.array(rows)


def _compared(name: str, own: IRTFit, shared: IRTFit) -> tuple[float, ...]:
    """One item by the fit in which the focal group has its own parameters and the one in which it has not."""
    pair = [own.item_ids.index(name), own.item_ids.index(f"{name}@{FOCAL}")]
    if not own.calibrated[pair].all():
        return (float("nan"), 1.0, float("nan"), float("nan"), 0.0)
    chi = max(2 * (own.loglik - shared.loglik), 0.0)
    return classed(own, pair, chi, _n_parameters(own, pair[1]))


def classed(own: IRTFit, pair: list[int], chi: float, df: int) -> tuple[float, ...]:
    """chi, df, difference, distance and class of the item at these two rows, reference first."""
    curves = [_expected(own, row) for row in pair]
    apart = (curves[1] - curves[0]) / float(own.max_scores[pair[0]])
    persons = own.group_weights[1]
    distance = float(np.sqrt(persons @ apart**2))
    is_moderate = chdtrc(df, chi) < LEVEL and distance > MODERATE
    # chi is about (distance / its error)^2, so the error is distance / root chi
    is_large = is_moderate and distance > LARGE and distance * (1 - ONE_SIDED_95 / np.sqrt(chi)) > MODERATE
    kind = 2.0 if is_large else float(is_moderate)
    return chi, float(df), float(persons @ apart), distance, kind


def _n_parameters(fit: IRTFit, row: int) -> int:
    """How many parameters an item has of its own."""
    steps = int(fit.max_scores[row])
    extra = {"1PL": 0, "PCM": 0, "3PL": 2, "4PL": 3, "NRM": steps}.get(fit.models[row], 1)
    unused = sum(name == fit.item_ids[row] for name, _ in fit.unused_categories)
    return steps + extra - unused


def _expected(fit: IRTFit, row: int) -> FloatArray:
    """Expected score at the fit's nodes."""
    table = category_probabilities(fit, np.array([row]), fit.nodes)
    return np.asarray(np.arange(table.shape[0]) @ table)
