"""Lord's (1980) test of item parameters of two groups, from one joint calibration with anchors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.calibration import _calibration, _em, _families, _information, certificate
from edmeasure.calibration.irt import IRTFit, calibrate
from edmeasure.calibration.priors import ItemPriors
from edmeasure.dif._matching import two_groups
from edmeasure.dif.likelihood import FEWEST_ANCHORS, FOCAL, REFERENCE, ModelDIF, classed
from edmeasure.errors import BadOption
from edmeasure.responses import Responses, unit_weights


def lord_dif(
    responses: Responses,
    *,
    focal: npt.ArrayLike,
    anchors: Collection[str],
    models: str | Mapping[str, str] = "2PL",
    weights: npt.ArrayLike | None = None,
    n_nodes: int = 81,
    bound: float = 8.0,
) -> ModelDIF:
    """Test all items but the anchors at once; anchors keep one set of parameters and are not tested.

    chi^2 = D' V^-1 D with D the focal minus the reference parameters and V their covariance from the
    observed information of the joint calibration. Two calibrations less than `likelihood_dif` has
    items, at the price of trusting the anchors, for example ``likelihood_dif(...).anchors``.

    Raises
    ------
    BadOption
        With fewer than two anchors, with all items anchors, or for models with a common slope.
    """
    mask = two_groups(focal, responses.n_persons)
    fixed = set(anchors)
    strangers = sorted(fixed - set(responses.item_ids))
    if strangers or not FEWEST_ANCHORS <= len(fixed) < responses.n_items:
        raise BadOption(
            f"There are no items {strangers[:10]}." if strangers else f"{len(fixed)} of {responses.n_items} items are anchors.",
            remedy="Name two anchors or more, and leave items to be tested.",
        )
    groups = np.where(mask, FOCAL, REFERENCE)
    freed = [name for name in responses.item_ids if name not in fixed]
    fit = calibrate(
        responses,
        models=models,
        weights=weights,
        n_nodes=n_nodes,
        bound=bound,
        groups=groups,
        reference=REFERENCE,
        free_items=freed,
        standard_errors=False,
    )
    if set(fit.models) & set(_families.COMMON_SLOPE):
        raise BadOption("Lord's test needs items with slopes of their own.", remedy="Use `likelihood_dif`.")
    joint = _joint(responses, groups, freed, fit, weights)
    table = np.array([_tested(joint, name) for name in responses.item_ids])
    chi, df, difference, distance, kind = table.T
    return ModelDIF(
        test="Lord",
        item_ids=responses.item_ids,
        chi_square=chi,
        p_value=np.asarray(chdtrc(df, chi)),
        df=df.astype(np.int64),
        difference=difference,
        distance=distance,
        classes=tuple("ABC"[int(one)] for one in kind),
        anchors=tuple(name for name in responses.item_ids if name in fixed),
        fit=fit,
    )


@dataclass(frozen=True, eq=False)
class _Joint:
    """The joint calibration at its maximum with the covariance of all its free parameters."""

    fit: IRTFit
    rows: dict[str, int]
    problem: _em.Problem
    parameters: FloatArray
    covariance: FloatArray
    free: BoolArray

    def columns(self, row: int) -> IntArray:
        """Where the parameters of the item at this row of the problem lie."""
        for item in self.problem.models.others:
            if item.position == row:
                return _information.columns_of(self.problem, item)
        part = self.problem.item_parts[row]
        return np.arange(part.start, part.stop)


def _joint(
    responses: Responses, groups: npt.NDArray[np.str_], freed: list[str], fit: IRTFit, weights: npt.ArrayLike | None
) -> _Joint:
    """Set up the same calibration again, at the fit's parameters, and invert its information."""
    grouped = _calibration.grouping(groups, responses.n_persons, reference=REFERENCE, latent_density="normal", is_fixed=False)
    whole = _calibration.by_group(responses, freed, grouped)
    known = _calibration.KnownItems(
        rows={name: row for row, name in enumerate(fit.item_ids)},
        models=fit.models,
        max_scores=fit.max_scores.astype(np.int64),
        slopes=fit.slopes,
        intercepts=fit.intercepts,
        lower=fit.lower,
        upper=fit.upper,
        category_slopes=fit.category_slopes,
    )
    person_weights, bound = unit_weights(responses, weights), float(fit.nodes[-1])
    task = _calibration.task(whole, person_weights, grouped, fit.models, ItemPriors(), known, None, fit.nodes.size, bound)
    state = task.first
    state.latent = np.array([fit.group_means[1], np.log(fit.group_sds[1])])
    _em.expectation(task.problem, state)
    _, information = _information.observed_information(task.problem, state, task.varying.scores, task.weights)
    free = certificate.estimated(task.problem, state)
    covariance = np.full(information.shape, np.nan)
    covariance[np.ix_(free, free)] = np.linalg.pinv(information[np.ix_(free, free)], hermitian=True)
    parameters = np.concatenate([state.intercepts, state.extras])
    parameters[task.problem.category_start[:-1]] = state.slopes
    rows = {name: row for row, name in enumerate(task.varying.item_ids)}
    return _Joint(fit, rows, task.problem, parameters, covariance, free)


def _tested(joint: _Joint, name: str) -> tuple[float, ...]:
    """chi, df, difference, distance and class of one item; NaN for anchors."""
    names = (name, f"{name}@{FOCAL}")
    if not all(one in joint.rows for one in names):
        return (float("nan"), 1.0, float("nan"), float("nan"), 0.0)
    own, other = (joint.columns(joint.rows[one]) for one in names)
    both = joint.free[own] & joint.free[other]
    own, other = own[both], other[both]
    apart = joint.parameters[other] - joint.parameters[own]
    crossed = joint.covariance[np.ix_(own, other)]
    spread = joint.covariance[np.ix_(own, own)] + joint.covariance[np.ix_(other, other)] - crossed - crossed.T
    chi = float(apart @ np.linalg.solve(spread, apart))
    pair = [joint.fit.item_ids.index(one) for one in names]
    return classed(joint.fit, pair, max(chi, 0.0), own.size)
