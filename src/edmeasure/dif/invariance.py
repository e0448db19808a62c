"""Measurement invariance: do items measure the same, with the same slopes and difficulties, in every group?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.calibration.irt import IRTFit, calibrate
from edmeasure.dif._equal_slopes import EqualSlopes, GroupedAnswers
from edmeasure.dif.likelihood import MODERATE
from edmeasure.errors import BadOption, BadShape
from edmeasure.linking.links import category_probabilities
from edmeasure.responses import Responses, person_weights

STEPS = ("configural", "metric", "scalar", "partial")
FEWEST_ITEMS = 3
FEWEST_ANCHORS = 2
MOST_ROUNDS = 10
LEAST_SLOPE = 0.05


@dataclass(frozen=True, eq=False)
class MeasurementInvariance(Exported):
    """Nested calibrations of several groups; arrays over steps, then arrays over items.

    Attributes
    ----------
    steps : tuple of str
        ``"configural"``: all parameters of all items their own in every group. ``"metric"``: slopes
        the same. ``"scalar"``: difficulties too, so that groups can be compared. ``"partial"``: the
        same but for ``breaking`` items; only where there are any.
    loglik, bic : float64 (S,); n_parameters : int64 (S,)
    chi_square, p_value : float64 (S,); degrees : int64 (S,)
        Likelihood ratio of metric against configural, scalar against metric, partial against
        configural; NaN and 0 of the first step.
    item_chi_square, item_p : float64 (J,); item_degrees : int64
        Own parameters in every group against common ones, the other items as in the last step; p
        adjusted for the number of items (Benjamini & Hochberg 1995).
    distance : float64 (J,)
        Root mean square difference of the expected score as a share of its maximum, of the group
        where it is greatest: from 0.05 it matters, from 0.10 much.
    breaking : tuple of str
        Items that are significant at ``level`` and from 0.05 apart.
    excluded : tuple of str
        Items with a category that some group never used.
    group_means, group_sds : float64 (G,)
        Of the last step, the reference first.
    """

    steps: tuple[str, ...]
    loglik: FloatArray
    n_parameters: IntArray
    bic: FloatArray
    chi_square: FloatArray
    degrees: IntArray
    p_value: FloatArray
    item_ids: tuple[str, ...]
    item_chi_square: FloatArray
    item_degrees: IntArray
    item_p: FloatArray
    distance: FloatArray
    breaking: tuple[str, ...]
    excluded: tuple[str, ...]
    group_labels: tuple[str, ...]
    group_means: FloatArray
    group_sds: FloatArray
    fit: IRTFit

    @property
    def reached(self) -> str:
        """The strictest of the three steps that BIC keeps, each against the one before."""
        if not self.bic[1] <= self.bic[0]:
            return STEPS[0]
        return STEPS[2] if self.bic[2] <= self.bic[1] else STEPS[1]

    def to_dict(self) -> dict[str, object]:
        """As of every result, without the last calibration."""
        return {name: value for name, value in super().to_dict().items() if name != "fit"}

    def _columns(self) -> Mapping[str, object]:
        return {
            "item": self.item_ids,
            "chi_square": self.item_chi_square,
            "degrees": self.item_degrees,
            "p_value": self.item_p,
            "distance": self.distance,
            "is_breaking": [name in self.breaking for name in self.item_ids],
        }

    def __str__(self) -> str:
        lines = [f"{len(self.item_ids)} items in {len(self.group_labels)} groups: {self.reached} by BIC"]
        for at, step in enumerate(self.steps):
            line = f"{step:<11} log-likelihood {self.loglik[at]:.2f}, {self.n_parameters[at]} parameters, BIC {self.bic[at]:.1f}"
            if self.degrees[at]:
                line += f", chi2({self.degrees[at]}) = {self.chi_square[at]:.1f}, p = {self.p_value[at]:.3g}"
            lines.append(line)
        for name, chi, distance in zip(self.item_ids, self.item_chi_square, self.distance, strict=True):
            if name in self.breaking:
                lines.append(f"breaks: {name}, chi {chi:.1f}, distance {distance:.3f}")
        for label, mean, sd in zip(self.group_labels, self.group_means, self.group_sds, strict=True):
            lines.append(f"group {label}: mean {mean:+.3f}, sd {sd:.3f}")
        if self.excluded:
            lines.append("left out, a category unused in a group: " + ", ".join(self.excluded))
        return "\n".join(lines)


def measurement_invariance(
    responses: Responses,
    groups: npt.ArrayLike,
    *,
    reference: object | None = None,
    weights: npt.ArrayLike | None = None,
    level: float = 0.05,
    n_nodes: int = 81,
    bound: float = 8.0,
) -> MeasurementInvariance:
    """Calibrate groups with ever more parameters in common, and find the items that stand in the way.

    Parameters
    ----------
    responses
        Right/wrong or graded items, calibrated by the 2PL and the generalized partial credit model.
    groups : (n_persons,)
        Countries, years, languages, sexes; two or more.
    weights
        Rescaled to the number of persons of every group.
    level
        Of the items' adjusted p-values.

    Notes
    -----
    Steps and their order are those of Meredith (1993) and Millsap (2011), fitted as multiple-group item
    response models (Bock & Zimowski 1997). With thousands of persons the likelihood ratio refuses
    trifles: read BIC and the items' distances with it.
    """
    _validate.probability_vector([level])
    labels, codes = _validate.group_codes(groups, responses.n_persons)
    if labels.size < 2:
        raise BadOption("There is one group.", remedy="Pass a label per person, two or more different ones.")
    first = labels[0] if reference is None else reference
    names = [str(label) for label in labels.tolist()]
    if str(first) not in names:
        raise BadOption(f"The reference {str(first)!r} is no group.", remedy=f"Use one of {', '.join(names[:10])}.")
    order = [names.index(str(first)), *[g for g, name in enumerate(names) if name != str(first)]]
    codes = np.argsort(np.asarray(order))[codes]
    kept = _used_everywhere(responses, codes, labels.size)
    if kept.sum() < FEWEST_ITEMS:
        raise BadShape(
            f"{int(kept.sum())} items have all their categories used in every group.",
            remedy="Merge rare categories or small groups, or leave groups out.",
        )
    unit = _unit_by_group(person_weights(responses, weights), codes)
    study = _Study(responses.items(kept), np.array([names[g] for g in order]), codes, unit, n_nodes, bound)
    return study.result(level, tuple(name for name, is_kept in zip(responses.item_ids, kept, strict=True) if not is_kept))


def _used_everywhere(responses: Responses, codes: IntArray, n_groups: int) -> BoolArray:
    found = np.ones(responses.n_items, dtype=np.bool_)
    for j in range(responses.n_items):
        column, top = responses.scores[:, j], int(responses.max_scores[j])
        given = column >= 0
        table = np.bincount(codes[given] * (top + 1) + column[given], minlength=n_groups * (top + 1))
        found[j] = bool((table > 0).all())
    return found


def _unit_by_group(weights: FloatArray, codes: IntArray) -> FloatArray:
    totals, sizes = np.bincount(codes, weights=weights), np.bincount(codes)
    if (totals <= 0).any():
        raise BadOption("A group has no weight.", remedy="Leave that group out.")
    return np.asarray(weights * (sizes / totals)[codes])


@dataclass(frozen=True, eq=False)
class _Study:
    """Answers, group names by code (the reference first) and options of all calibrations."""

    responses: Responses
    names: npt.NDArray[np.str_]
    codes: IntArray
    weights: FloatArray
    n_nodes: int
    bound: float

    @property
    def per_item(self) -> IntArray:
        """Parameters of every item: a slope and its steps."""
        return np.asarray(self.responses.max_scores.astype(np.int64) + 1)

    def result(self, level: float, excluded: tuple[str, ...]) -> MeasurementInvariance:
        n_groups, per_item = self.names.size, self.per_item
        alone = [self._alone(g) for g in range(n_groups)]
        metric = self._metric(alone)
        scalar = self._together(frozenset())
        base, freed, table = self._search(scalar, level)
        own, common = int(per_item.sum()), 2 * (n_groups - 1)
        extra = sum(int(per_item[self.responses.item_ids.index(name)]) for name in freed) * (n_groups - 1)
        logliks = [sum(fit.loglik for fit in alone), metric.loglik, scalar.loglik]
        parameters = [n_groups * own, n_groups * own - (n_groups - 1) * (per_item.size - 1), own + common]
        if freed:
            logliks.append(base.loglik)
            parameters.append(own + common + extra)
        against = np.array([0, 0, 1, 0][: len(logliks)])
        loglik, count = np.array(logliks), np.array(parameters, dtype=np.int64)
        chi = np.maximum(2 * (loglik[against] - loglik), 0.0)
        degrees = count[against] - count
        chi[0] = np.nan
        return MeasurementInvariance(
            steps=STEPS[: loglik.size],
            loglik=loglik,
            n_parameters=count,
            bic=-2 * loglik + count * np.log(self.responses.n_persons),
            chi_square=chi,
            degrees=degrees,
            p_value=np.where(degrees > 0, chdtrc(np.maximum(degrees, 1), np.nan_to_num(chi)), np.nan),
            item_ids=self.responses.item_ids,
            item_chi_square=table[0],
            item_degrees=per_item * (n_groups - 1),
            item_p=table[1],
            distance=table[2],
            breaking=tuple(name for name in self.responses.item_ids if name in freed),
            excluded=excluded,
            group_labels=base.group_labels,
            group_means=base.group_means,
            group_sds=base.group_sds,
            fit=base,
        )

    def _alone(self, g: int) -> IRTFit:
        members = np.flatnonzero(self.codes == g)
        return calibrate(
            self.responses.persons(members),
            weights=self.weights[members],
            n_nodes=self.n_nodes,
            bound=self.bound,
            standard_errors=False,
        )

    def _metric(self, alone: list[IRTFit]) -> EqualSlopes:
        """Equal slopes, begun from the mean of the groups' own."""
        sizes = self.responses.max_scores.astype(np.int64) + 1
        starts = np.concatenate([[0], np.cumsum(sizes)])
        intercepts = np.stack([fit.intercepts[np.isfinite(fit.intercepts)] for fit in alone])
        own = np.stack([fit.slopes for fit in alone])
        logs = np.log(np.maximum(np.abs(own), LEAST_SLOPE))
        deviations = np.exp((logs - logs[0]).mean(axis=1))
        slopes = np.where(own.mean(axis=0) < 0, -1.0, 1.0) * np.exp((logs - np.log(deviations)[:, None]).mean(axis=0))
        answers = GroupedAnswers(self.responses.scores, self.weights, self.codes, starts, self.names.size)
        start = EqualSlopes(slopes, intercepts, deviations, -np.inf, False)
        return answers.fit(start, n_nodes=self.n_nodes, bound=self.bound)

    def _together(self, freed: frozenset[str], start: IRTFit | None = None) -> IRTFit:
        return calibrate(
            self.responses,
            weights=self.weights,
            n_nodes=self.n_nodes,
            bound=self.bound,
            groups=self.names[self.codes],
            reference=self.names[0],
            free_items=sorted(freed),
            start=start,
            standard_errors=False,
        )

    def _search(self, scalar: IRTFit, level: float) -> tuple[IRTFit, frozenset[str], FloatArray]:
        """Free the breaking items and test all again until the set stays."""
        base, freed = scalar, frozenset[str]()
        tried: list[frozenset[str]] = []
        while True:
            tried.append(freed)
            table = self._tested(base, freed)
            is_breaking = (table[1] < level) & (table[2] > MODERATE)
            found = frozenset(name for name, bad in zip(self.responses.item_ids, is_breaking, strict=True) if bad)
            if found in tried or len(tried) > MOST_ROUNDS or self.responses.n_items - len(found) < FEWEST_ANCHORS:
                return base, freed, table
            base, freed = self._together(found, base), found

    def _tested(self, base: IRTFit, freed: frozenset[str]) -> FloatArray:
        """Chi-square, adjusted p and distance of every item, (3, J)."""
        chi, distance = np.empty(self.responses.n_items), np.empty(self.responses.n_items)
        for j, name in enumerate(self.responses.item_ids):
            other = self._together(freed ^ {name}, base)
            own, shared = (base, other) if name in freed else (other, base)
            chi[j] = max(2 * (own.loglik - shared.loglik), 0.0)
            distance[j] = self._distance(own, name)
        p = chdtrc(self.per_item * (self.names.size - 1), chi)
        return np.stack([chi, _adjusted(np.asarray(p)), distance])

    def _distance(self, own: IRTFit, name: str) -> float:
        """Of the group whose expected scores are farthest from the reference's."""
        rows = [own.item_ids.index(name), *[own.item_ids.index(f"{name}@{label}") for label in own.group_labels[1:]]]
        curves = []
        for row in rows:
            table = category_probabilities(own, np.array([row]), own.nodes)
            curves.append(np.arange(table.shape[0]) @ table / float(own.max_scores[row]))
        return max(float(np.sqrt(own.group_weights[g] @ (curves[g] - curves[0]) ** 2)) for g in range(1, len(own.group_labels)))


def _adjusted(p: FloatArray) -> FloatArray:
    """Benjamini & Hochberg's p-values."""
    order = np.argsort(-p, kind="stable")
    rank = np.arange(p.size, 0, -1)
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(p[order] * p.size / rank), 1.0)
    return adjusted
