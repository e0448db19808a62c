"""A calibrated bank kept up with new answers: what was known stays known, new items join on the old scale.

What the earlier answers said about the items is their estimates' normal distribution; it is the
prior of the new calibration (Bayesian updating, West & Harrison 1997, ch. 2), so the work depends
on the new answers alone. The population of the new answers has a mean and deviation of its own,
which the old items measure on the old scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _bank_knowledge, _calibration, _em, _items, _packing
from edmeasure.calibration._bank_knowledge import Known
from edmeasure.calibration._families import COMMON_SLOPE
from edmeasure.calibration.irt import IRTFit, check_options, known_items, names_of_models, result_of
from edmeasure.calibration.priors import ItemPriors
from edmeasure.errors import BadOption, BadScore, BadShape
from edmeasure.responses import Responses, unit_weights


@dataclass(frozen=True, eq=False)
class BankUpdate(Exported):
    """The bank after new answers, and how far its items moved.

    Attributes
    ----------
    fit : IRTFit
        All items of the bank and the new ones, on the bank's scale; group means and deviations,
        log-likelihood and certificate are those of the new answers.
    item_ids : tuple of str, length M
        Old items that were answered again.
    shift : float64 (M,)
        Difficulty by the new answers alone minus the bank's; of items that stay, to first order.
    distance : float64 (M,)
        Root mean square difference of the expected scores, as shares of the maximum, over the
        population of the new answers.
    chi_square, p_value : float64 (M,); degrees : int64 (M,)
        Wald test that the new answers say nothing else than the bank.
    drifted : tuple of str
        Items taken out, worst first: they have parameters from the new answers alone.
    new_items : tuple of str
    """

    fit: IRTFit
    item_ids: tuple[str, ...]
    shift: FloatArray
    distance: FloatArray
    chi_square: FloatArray
    degrees: IntArray
    p_value: FloatArray
    drifted: tuple[str, ...]
    new_items: tuple[str, ...]

    def _columns(self) -> Mapping[str, object]:
        numbers = ("shift", "distance", "chi_square", "degrees", "p_value")
        is_drifted = [name in self.drifted for name in self.item_ids]
        return {"item": self.item_ids, **{name: getattr(self, name) for name in numbers}, "drifted": is_drifted}

    def __str__(self) -> str:
        at = {name: row for row, name in enumerate(self.item_ids)}
        lines = [
            f"{len(self.item_ids)} items of the bank answered again, {len(self.drifted)} have drifted",
            f"{len(self.new_items)} items are new",
            *[
                f"group {label}".rstrip() + f": mean {mean:.3f}, sd {sd:.3f} on the bank's scale"
                for label, mean, sd in zip(self.fit.group_labels, self.fit.group_means, self.fit.group_sds, strict=True)
            ],
        ]
        lines += [
            f"{name}: shift {self.shift[at[name]]:+.2f}, distance {self.distance[at[name]]:.3f}, p {self.p_value[at[name]]:.1g}"
            for name in self.drifted
        ]
        return "\n".join(lines)


def update_bank(
    fit: IRTFit,
    new_responses: Responses,
    *,
    models: str | Mapping[str, str] = "2PL",
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    priors: ItemPriors | None = None,
    release_drifted: bool = True,
    significance: float = 0.01,
    least_distance: float = 0.05,
    most_released: float = 0.3,
    n_nodes: int = 61,
    bound: float = 6.0,
    max_iterations: int = 500,
    tolerance: float = 1e-6,
) -> BankUpdate:
    """Calibrate new answers with what a bank knows about its items, and bring the bank up to date.

    Parameters
    ----------
    fit
        The bank: a calibration with ``standard_errors=True``, or ``.fit`` of an earlier update.
    new_responses
        Answers to some of the bank's items (by id) and to any number of new ones.
    models, priors
        Of the new items, as in `calibrate`; old items keep their models.
    weights, groups
        As in `calibrate`; every group has a mean and deviation of its own on the bank's scale.
    release_drifted, significance, least_distance, most_released
        An item has drifted when its test is significant at ``significance`` divided by the number
        of items, and expected scores differ by ``least_distance`` of the maximum (root mean square;
        PISA looks at items from 0.12). The worst one is released, to be calibrated from the new
        answers alone, and everything is done again until none is left.

    Returns
    -------
    BankUpdate

    Raises
    ------
    BadOption
        If the fit has no covariance, items share a slope, or more than the share ``most_released``
        of the items would have to go: then no subset says which scale is right.
    BadShape, BadScore, NothingToCalibrate

    Notes
    -----
    With normal distributions, Var(posterior mean - prior mean) = prior covariance - posterior
    covariance, which gives the test. Items that nobody answered move with those they covary with.
    """
    _check(fit, significance, least_distance, most_released)
    check_options(new_responses.n_persons, n_nodes, bound, tolerance, 1, None, False)
    bank = _bank_knowledge.bank_of(fit)
    answered = _answered(fit, bank, new_responses)
    unit = unit_weights(new_responses, weights)
    options = (models, priors or ItemPriors(), n_nodes, bound, max_iterations, tolerance)
    climb = _Climb(fit, new_responses, unit, groups, *options)
    before, drifted = bank.of(answered), list[str]()
    new_fit, found = climb.updated(before)
    told = last_told = _movements(fit, before, found, new_fit)
    while release_drifted and (worst := _worst(told, significance / len(answered), least_distance)) is not None:
        drifted.append(worst)
        if len(drifted) > most_released * len(answered):
            raise BadOption(
                f"{len(drifted)} of {len(answered)} items have drifted: {', '.join(drifted[:10])}.",
                remedy="Look at those items; raise `least_distance` only with a reason.",
            )
        before = before.of([name for name in before.item_ids if name != worst])
        new_fit, found = climb.updated(before)
        told = _movements(fit, before, found, new_fit)
        last_told = {**last_told, **told}
    for name in drifted:
        apart = _curves_apart(fit, name, bank.of([name]).mean, found.of([name]).mean, *_population(new_fit))
        last_told = {**last_told, name: (*apart, *last_told[name][2:])}
    columns = zip(*(last_told[name] for name in answered), strict=True)
    shift, distance, chi, degrees, p_value = (np.array(column) for column in columns)
    whole = _bank_knowledge.with_knowledge(new_fit, fit, _bank_knowledge.carried_on(bank, before, found))
    new_items = tuple(name for name in new_responses.item_ids if name not in fit.item_ids)
    return BankUpdate(whole, tuple(answered), shift, distance, chi, degrees, p_value, tuple(drifted), new_items)


def _check(fit: IRTFit, significance: float, least_distance: float, most_released: float) -> None:
    if fit.covariance.size == 0:
        raise BadOption("The fit has no covariance of its parameters.", remedy="Calibrate with standard_errors=True, unlinked.")
    sharing = [name for name, model in zip(fit.item_ids, fit.models, strict=True) if model in COMMON_SLOPE]
    if sharing:
        raise BadOption(f"Items {sharing[:10]} share a slope.", remedy="Calibrate new items with `calibrate(fixed=)`.")
    unsure = [name for name, se, own in zip(fit.item_ids, fit.slope_se, fit.calibrated, strict=True) if own and np.isnan(se)]
    if unsure:
        raise BadOption(
            f"Items {unsure[:10]} have no errors.", remedy="Update the bank they were calibrated in, not one that fixed them."
        )
    if not 0 < significance < 1 or not least_distance >= 0 or not 0 <= most_released <= 1:
        raise BadOption("An option of drift lies outside its range.", remedy="Use shares between 0 and 1.")


def _answered(fit: IRTFit, bank: Known, responses: Responses) -> list[str]:
    """Items of the bank that somebody answered again."""
    top = dict(zip(fit.item_ids, fit.max_scores.tolist(), strict=True))
    for name, own in zip(responses.item_ids, responses.scores.max(axis=0, initial=-1).tolist(), strict=True):
        if own > top.get(name, own):
            raise BadScore(f"Item {name} has scores above its maximum in the bank.", remedy="Mend the scores or rename the item.")
    given = np.asarray((responses.scores >= 0).any(axis=0))
    found = [name for name, is_given in zip(responses.item_ids, given, strict=True) if is_given and name in bank.item_ids]
    if not found:
        raise BadShape(
            "Nobody answered an item of the bank.", remedy="Common items carry the scale: at least one, better twenty."
        )
    return found


@dataclass(frozen=True, eq=False)
class _Climb:
    """The new answers and how they are calibrated."""

    bank: IRTFit
    responses: Responses
    weights: FloatArray
    groups: npt.ArrayLike | None
    models: str | Mapping[str, str]
    priors: ItemPriors
    n_nodes: int
    bound: float
    max_iterations: int
    tolerance: float

    def updated(self, known: Known) -> tuple[IRTFit, Known]:
        """The fit of the new answers with what is known about some items, and what is known then about all of them."""
        responses, names = self._items()
        grouped = _calibration.grouping(self.groups, responses.n_persons, reference=None, latent_density="normal", is_fixed=True)
        counts, sums = _packing.count_answers(responses.scores, responses.max_scores, self.weights)
        starts = _packing.category_starts(responses.max_scores)
        varying = np.array([np.count_nonzero(counts[part]) > 1 for part in _em.item_parts(starts)])
        kept = varying | np.array([name in known.item_ids for name in responses.item_ids])
        in_kept = kept[_em.categories(starts)[0]]
        taken = responses.items(kept)
        own = tuple(name for name, is_kept in zip(names, kept, strict=True) if is_kept)
        nothing_held = np.zeros(taken.n_items, dtype=np.bool_)
        problem = _calibration.problem_of(
            taken, self.weights, grouped, own, self.priors, nothing_held, counts[in_kept], n_nodes=self.n_nodes, bound=self.bound
        )
        problem = _bank_knowledge.believing(problem, taken.item_ids, known)
        first = _calibration.first_state(problem, sums[in_kept], taken.item_ids, own, (known_items(self.bank),))
        task = _calibration.Task(kept, taken, self.weights, problem, first)
        ends = task.search(1, None, self.max_iterations, self.tolerance, 1e-9)
        finished = task.finished(ends, True)
        if finished.covariance is None or not finished.is_maximum:
            raise BadOption("The new answers do not determine all parameters.", remedy="Give priors, or leave new items out.")
        fit = result_of(responses, names, task, ends, finished, grouped.labels)
        return fit, _bank_knowledge.known_of(finished.problem, finished.state, taken.item_ids, finished.covariance)

    def _items(self) -> tuple[Responses, tuple[str, ...]]:
        """The answers with the bank's maximum scores, and every item's model."""
        at = {name: row for row, name in enumerate(self.bank.item_ids)}
        responses = self.responses
        tops = [
            int(self.bank.max_scores[at[name]]) if name in at else int(top)
            for name, top in zip(responses.item_ids, responses.max_scores, strict=True)
        ]
        responses = replace(responses, max_scores=np.array(tops, dtype=np.int8))
        models = self.models
        if not isinstance(models, str):
            strangers = sorted(set(models) - set(responses.item_ids))
            if strangers:
                raise BadOption(
                    f"models names items that are not there: {strangers[:10]}.", remedy="Use the ids of the responses."
                )
        return responses, names_of_models(models, responses, (), self.bank)


Movement = tuple[float, float, float, int, float]


def _movements(fit: IRTFit, before: Known, found: Known, new_fit: IRTFit) -> dict[str, Movement]:
    """Shift, distance, chi-square, degrees and p of the items that were known."""
    population = _population(new_fit)
    told = {}
    for name in before.item_ids:
        was, now = before.of([name]), found.of([name])
        sure = was.sure & now.sure
        prior, posterior = was.covariance[np.ix_(sure, sure)], now.covariance[np.ix_(sure, sure)]
        moved = (now.mean - was.mean)[sure]
        inverse = np.linalg.pinv(prior - posterior, rcond=1e-10, hermitian=True)
        chi, degrees = float(moved @ inverse @ moved), int(sure.sum())
        # what the new answers say on their own: x - m = C (C - S)^-1 (posterior mean - m)
        alone = was.mean.copy()
        alone[sure] += prior @ inverse @ moved
        told[name] = (*_curves_apart(fit, name, was.mean, alone, *population), chi, degrees, float(chi2.sf(chi, degrees)))
    return told


def _population(fit: IRTFit) -> tuple[FloatArray, FloatArray]:
    """Abilities of a fit's groups and their mass."""
    reach = np.linspace(-4.0, 4.0, 41)
    nodes = fit.group_means[:, None] + fit.group_sds[:, None] * reach
    return nodes.ravel(), np.tile(np.exp(-0.5 * reach**2), fit.group_means.size)


def _curves_apart(
    fit: IRTFit, name: str, before: FloatArray, after: FloatArray, nodes: FloatArray, mass: FloatArray
) -> tuple[float, float]:
    """Shift of the difficulty, and distance of expected scores as shares of the maximum."""
    row = np.array([fit.item_ids.index(name)])
    top = int(fit.max_scores[row[0]])
    items = _items.parameters_of(fit, row, np.empty((0, 1), dtype=np.int8))
    expected, difficulty = [], []
    for parameters in (before, after):
        intercepts = np.array([0.0, *parameters[1 : top + 1]])
        moved = replace(items, slopes=parameters[:1], intercepts=intercepts, extras=parameters[top + 1 :])
        expected.append(np.arange(top + 1) @ np.exp(moved.log_probabilities(nodes)) / top)
        last = intercepts.sum() if fit.models[row[0]] == "GRM" else intercepts[-1]
        difficulty.append(-float(last) / (top * float(parameters[0])))
    distance = float(np.sqrt(np.sum(mass * (expected[1] - expected[0]) ** 2) / mass.sum()))
    return difficulty[1] - difficulty[0], distance


def _worst(told: dict[str, Movement], level: float, least_distance: float) -> str | None:
    """The item that differs most, where one differs enough."""
    suspects = [name for name, (_, distance, _, _, p_value) in told.items() if p_value < level and distance >= least_distance]
    return max(suspects, key=lambda name: told[name][2] / told[name][3], default=None)
