"""Whether items and persons answer as the model says: S-X2, infit and outfit, local dependence, person fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _em, _items, _packing, _populations
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadShape
from edmeasure.responses import Responses
from edmeasure.scores.scoring import score_eap

BLOCK = 16_384
FEWEST_EXPECTED = 1.0
PARAMETERS = {"1PL": 1, "3PL": 3, "4PL": 4}


@dataclass(frozen=True, eq=False)
class ItemFit(Exported):
    """Fit of every calibrated item.

    Attributes
    ----------
    item_ids : tuple of str
    chi_square, p_value : float64 (J,); degrees : int64 (J,)
        S-X2; NaN and 0 where too few score groups are left.
    rmsea : float64 (J,)
        Its size whatever the number of persons: below 0.05 is usual, above 0.1 worth a look.
    infit, outfit : float64 (J,)
        Mean squared residual, weighted by information and not; about 1.
    n_complete : int
        Persons without missing answers, on whom S-X2 rests.
    """

    item_ids: tuple[str, ...]
    chi_square: FloatArray
    degrees: IntArray
    p_value: FloatArray
    rmsea: FloatArray
    infit: FloatArray
    outfit: FloatArray
    n_complete: int

    def __str__(self) -> str:
        lines = [f"item fit of {self.n_complete:,} complete persons", "item          S-X2   df      p  RMSEA  infit outfit"]
        for j, name in enumerate(self.item_ids):
            lines.append(
                f"{name:<12.12s}{self.chi_square[j]:7.1f}{self.degrees[j]:5d}{self.p_value[j]:7.3f}{self.rmsea[j]:7.3f}"
                f"{self.infit[j]:7.3f}{self.outfit[j]:7.3f}"
            )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class PersonFit(Exported):
    """Fit of every person: ``lz`` (about standard normal, low for odd patterns), ``infit``, ``outfit`` (1 or a little less)."""

    lz: FloatArray
    infit: FloatArray
    outfit: FloatArray

    def __str__(self) -> str:
        odd = float(np.mean(self.lz < -2.0))
        return f"person fit of {self.lz.size:,} persons: lz mean {np.nanmean(self.lz):.3f}, below -2: {odd:.1%}"


@dataclass(frozen=True, eq=False)
class LocalDependence(Exported):
    """Correlations of residuals, ``q3`` (J, J); independent items have about -1 / (J - 1)."""

    item_ids: tuple[str, ...]
    q3: FloatArray

    def pairs(self, *, above_mean: float = 0.2) -> tuple[tuple[str, str, float], ...]:
        """Pairs whose Q3 lies this much above the mean of all (Christensen, Makransky & Horton 2017), largest first."""
        rows, columns = np.triu_indices(len(self.item_ids), 1)
        values = self.q3[rows, columns]
        found = np.flatnonzero(values > np.nanmean(values) + above_mean)
        ordered = found[np.argsort(-values[found], kind="stable")]
        return tuple((self.item_ids[rows[at]], self.item_ids[columns[at]], float(values[at])) for at in ordered)

    def __str__(self) -> str:
        found = self.pairs()
        return f"Q3 of {len(self.item_ids)} items: {len(found)} dependent pairs" + "".join(
            f"\n{one} - {other}: {value:.3f}" for one, other, value in found[:20]
        )


def item_fit(fit: IRTFit, responses: Responses, *, fewest_expected: float = FEWEST_EXPECTED) -> ItemFit:
    """S-X2, infit and outfit of every calibrated item of the responses.

    Parameters
    ----------
    fewest_expected
        Neighbouring score groups are joined until the model expects so many persons in each category.

    Notes
    -----
    S-X2 compares answers with the model's in groups of equal sum score (Orlando & Thissen 2000;
    Kang & Chen 2008 for several categories); it needs persons without missing answers. Infit and
    outfit (Wright & Masters 1982) are averages over every person's posterior, so that they are 1 on
    average where the model holds; at point estimates they would be less. Weights are not used.
    """
    items, names = _aligned(fit, responses)
    complete = items.scores[(items.scores >= 0).all(axis=1)]
    joint = _joint_shares(items, fit)
    chi_square, degrees = np.full(len(names), np.nan), np.zeros(len(names), dtype=np.int64)
    for j, part in enumerate(_em.item_parts(items.category_start)):
        chi_square[j], degrees[j] = _score_group_test(
            complete, j, joint[part], _n_parameters(fit, names[j], part), fewest_expected
        )
    chi_square[degrees < 1] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        rmsea = np.sqrt(np.maximum(chi_square - degrees, 0.0) / (degrees * (len(complete) - 1)))
    infit, outfit = _mean_squares(items, fit)
    p_value = np.where(degrees > 0, chdtrc(np.maximum(degrees, 1), chi_square), np.nan)
    return ItemFit(names, chi_square, degrees, p_value, rmsea, infit, outfit, len(complete))


def person_fit(fit: IRTFit, responses: Responses, *, theta: npt.ArrayLike | None = None) -> PersonFit:
    """How well every person's answers agree with an ability (default the EAP); NaN without answers.

    Notes
    -----
    lz (Drasgow, Levine & Williams 1985) is the log-likelihood of the answers, standardised by its
    mean and variance under the model; with estimated abilities it varies a little less than a standard normal.
    """
    items, _ = _aligned(fit, responses)
    ability = score_eap(fit, responses).theta if theta is None else _validate.float_vector(theta, responses.n_persons, "theta")
    residual, variance, lz = _residuals(items, ability)
    with np.errstate(divide="ignore", invalid="ignore"):
        infit = np.nansum(residual**2, axis=1) / np.nansum(variance, axis=1)
        outfit = np.nanmean(np.where(np.isnan(residual), np.nan, residual**2 / variance), axis=1)
    return PersonFit(lz, infit, outfit)


def local_dependence(fit: IRTFit, responses: Responses) -> LocalDependence:
    """Yen's (1984) Q3: correlations between items of what the EAPs leave unexplained, over persons who have both."""
    items, names = _aligned(fit, responses)
    residual, _, _ = _residuals(items, score_eap(fit, responses).theta)
    given = np.isfinite(residual)
    filled = np.where(given, residual, 0.0)
    count = given.T.astype(np.float64) @ given
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.T @ given / count
        square = (filled**2).T @ given / count - mean**2
        covariance = filled.T @ filled / count - mean * mean.T
        return LocalDependence(names, np.asarray(covariance / np.sqrt(square * square.T)))


def _aligned(fit: IRTFit, responses: Responses) -> tuple[_items.ScoringItems, tuple[str, ...]]:
    if responses.n_persons == 0:
        raise BadShape("There are no persons.", remedy="Pass the responses that were calibrated.")
    known = {name for name, is_known in zip(fit.item_ids, fit.calibrated, strict=True) if is_known}
    return _items.aligned(fit, responses), tuple(name for name in responses.item_ids if name in known)


def _n_parameters(fit: IRTFit, name: str, part: slice) -> int:
    model, top = fit.models[fit.item_ids.index(name)], int(part.stop) - int(part.start) - 1
    # a common slope belongs to no single item
    return {"PCM": top, "NRM": 2 * top}.get(model, PARAMETERS.get(model, top + 1))


def _joint_shares(items: _items.ScoringItems, fit: IRTFit) -> FloatArray:
    """Share of persons with every category of an item and every sum of points on all, (n_categories, M + 1)."""
    nodes = fit.nodes
    chances = np.exp(items.log_probabilities(nodes))
    weights = _populations.normal_weights(nodes, 0.0, 1.0) if len(fit.group_labels) > 1 else fit.node_weights
    parts = _em.item_parts(items.category_start)
    shares = np.zeros((items.intercepts.size, 1 + sum(part.stop - part.start - 1 for part in parts)))
    for j, part in enumerate(parts):
        rest = np.ones((1, nodes.size))
        for other in (*parts[:j], *parts[j + 1 :]):
            grown = np.zeros((rest.shape[0] + other.stop - other.start - 1, nodes.size))
            for points, chance in enumerate(chances[other]):
                grown[points : points + rest.shape[0]] += rest * chance
            rest = grown
        for points, chance in enumerate(chances[part]):
            shares[part.start + points, points : points + rest.shape[0]] = rest @ (chance * weights)
    return shares


def _score_group_test(
    complete: npt.NDArray[np.int8], j: int, joint: FloatArray, n_parameters: int, fewest: float
) -> tuple[float, int]:
    """S-X2 and its degrees of freedom of one item."""
    total = complete.sum(axis=1, dtype=np.int64)
    n_categories, n_scores = joint.shape
    observed = np.zeros((n_scores, n_categories))
    np.add.at(observed, (total, complete[:, j].astype(np.int64)), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.nan_to_num(observed.sum(axis=1)[:, None] * (joint / joint.sum(axis=0)).T)
    # zero and perfect scores agree with any model
    groups = _joined(observed[1:-1], expected[1:-1], fewest)
    chi_square, cells = 0.0, 0
    for seen, said in groups:
        used = said > 0
        chi_square += float(np.sum((seen[used] - said[used]) ** 2 / said[used]))
        cells += max(int(used.sum()) - 1, 0)
    return chi_square, cells - n_parameters


def _joined(observed: FloatArray, expected: FloatArray, fewest: float) -> list[tuple[FloatArray, FloatArray]]:
    """Score groups joined, from both ends towards the middle, until every category is expected often enough."""
    middle = int(np.searchsorted(np.cumsum(observed.sum(axis=1)), 0.5 * observed.sum()))
    groups: list[tuple[FloatArray, FloatArray]] = []
    for rows in (range(middle), range(len(observed) - 1, middle - 1, -1)):
        seen, said = np.zeros((2, observed.shape[1]))
        kept: list[tuple[FloatArray, FloatArray]] = []
        for s in rows:
            seen, said = seen + observed[s], said + expected[s]
            if (said >= fewest).all():
                kept.append((seen, said))
                seen, said = np.zeros((2, observed.shape[1]))
        if said.any() and kept:
            kept[-1] = (kept[-1][0] + seen, kept[-1][1] + said)
        groups += kept
    return groups


def _mean_squares(items: _items.ScoringItems, fit: IRTFit) -> tuple[FloatArray, FloatArray]:
    """Infit and outfit of all items from the answers expected at the nodes."""
    log_probs = items.log_probabilities(fit.nodes)
    packed = _packing.pack(items.scores, items.max_scores, collapse=True)
    counts, _ = packed.expect(log_probs, fit.node_weights)
    found = []
    for part in _em.item_parts(items.category_start):
        chances, answers = np.exp(log_probs[part]), counts[part]
        points = np.arange(chances.shape[0])
        mean = points @ chances
        variance = points**2 @ chances - mean**2
        squares = np.sum(answers * (points[:, None] - mean) ** 2, axis=0)
        persons = answers.sum(axis=0)
        used = variance > 0
        outfit = np.sum(squares[used] / variance[used]) / persons.sum()
        found.append((squares.sum() / np.sum(persons * variance), outfit))
    infit, outfits = np.array(found).T
    return infit, outfits


def _residuals(items: _items.ScoringItems, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Residuals and variances (n_persons, J; NaN where not answered), and lz, at given abilities."""
    n, n_items = items.scores.shape
    residual, variance, lz = np.full((n, n_items), np.nan), np.full((n, n_items), np.nan), np.full(n, np.nan)
    for first in range(0, n, BLOCK):
        rows = slice(first, first + BLOCK)
        log_chances = items.log_probabilities(theta[rows])
        away, spread = np.zeros((2, log_chances.shape[1]))
        for j, part in enumerate(_em.item_parts(items.category_start)):
            answers = items.scores[rows, j].astype(np.int64)
            given = answers >= 0
            logs, chances = log_chances[part], np.exp(log_chances[part])
            points = np.arange(chances.shape[0])
            mean = points @ chances
            residual[rows, j] = np.where(given, answers - mean, np.nan)
            variance[rows, j] = np.where(given, points**2 @ chances - mean**2, np.nan)
            expected = np.sum(chances * logs, axis=0)
            own = logs[np.where(given, answers, 0), np.arange(answers.size)]
            away += np.where(given, own - expected, 0.0)
            spread += np.where(given, np.sum(chances * logs**2, axis=0) - expected**2, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            lz[rows] = away / np.sqrt(spread)
    return residual, variance, lz
