"""How good predictions of answers are, and whether they rest on earlier answers only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray, float_vector
from edmeasure.errors import BadOption, BadShape
from edmeasure.tracing.interactions import Interactions, pupil_folds

LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class PredictionQuality(Exported):
    """Predicted chances against answers.

    Attributes
    ----------
    auc : float
        Chance that a right answer was given a higher chance than a wrong one; NaN if all are alike.
    log_loss, brier : float
        Mean of -log of the chance given to what happened, and of the squared error.
    calibration_error : float
        Mean distance of chance and share right over the bins, weighted by answers.
    bin_chance, bin_right : float64 (n_bins,); bin_answers : int64 (n_bins,)
        Mean chance and share right of answers in bins of equal size, lowest chances first.
    """

    auc: float
    log_loss: float
    brier: float
    calibration_error: float
    bin_chance: FloatArray
    bin_right: FloatArray
    bin_answers: IntArray

    def __str__(self) -> str:
        return (
            f"{self.bin_answers.sum():,} answers: AUC {self.auc:.4f}, log loss {self.log_loss:.4f}, "
            f"Brier {self.brier:.4f}, calibration error {self.calibration_error:.4f}"
        )


@dataclass(frozen=True, eq=False)
class LeakAudit(Exported):
    """Whether predictions changed when answers they must not know were flipped.

    Attributes
    ----------
    n_probes, n_compared : int
        Moments tried, and predictions compared at all of them.
    leaks : int64 (n_leaks,)
        Rows whose prediction changed although no earlier answer had.
    largest_change : float
    mixed_pupils : tuple of str
        Pupils with rows in more than one fold.
    """

    n_probes: int
    n_compared: int
    leaks: IntArray
    largest_change: float
    mixed_pupils: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.leaks.size == 0 and not self.mixed_pupils

    def __str__(self) -> str:
        found = f"{self.leaks.size} rows changed in {self.n_compared:,} comparisons at {self.n_probes} moments"
        lines = [f"{'no leak' if self.passed else 'LEAK'}: {found}, by up to {self.largest_change:.2g}"]
        if self.mixed_pupils:
            lines.append(f"{len(self.mixed_pupils)} pupils are in several folds: {', '.join(self.mixed_pupils[:10])}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Evaluation(Exported):
    """Predictions of every pupil by a model of other pupils, with the audit that makes them worth something.

    Attributes
    ----------
    quality : PredictionQuality
        Of all rows.
    fold_quality : tuple of PredictionQuality
    audits : tuple of LeakAudit
        One a fold.
    chance : float64 (n,)
    folds : int64 (n,)
        The fold that was left out while the model of this row was fitted.
    """

    quality: PredictionQuality
    fold_quality: tuple[PredictionQuality, ...]
    audits: tuple[LeakAudit, ...]
    chance: FloatArray
    folds: IntArray

    @property
    def passed(self) -> bool:
        """No audit found a leak."""
        return all(audit.passed for audit in self.audits)

    def _columns(self) -> Mapping[str, object]:
        return {"chance": self.chance, "fold": self.folds}

    def __str__(self) -> str:
        low, high = (pick([one.auc for one in self.fold_quality]) for pick in (min, max))
        leaks = sum(not audit.passed for audit in self.audits)
        told = "no leak" if self.passed else f"LEAKS in {leaks} folds: the figures mean nothing"
        return f"{self.quality} (folds {low:.4f} to {high:.4f}); {told}"


def cross_validate(
    learn: Callable[[Interactions], Callable[[Interactions], FloatArray]],
    interactions: Interactions,
    *,
    rng: np.random.Generator,
    n_folds: int = 5,
    n_probes: int = 5,
) -> Evaluation:
    """Fit on the pupils of all folds but one, predict those of that one, and audit every predictor.

    Parameters
    ----------
    learn
        From answers to a function that predicts answers, such as
        ``lambda rows: performance_factors(rows).chances``. It never sees the pupils left out.
    rng
        Draws folds and the moments of the audits.
    n_folds, n_probes
        Folds of whole pupils; moments tried in each.
    """
    folds = pupil_folds(interactions, n_folds=n_folds, rng=rng)
    chance, audits, qualities = np.empty(interactions.n), [], []
    for fold in range(n_folds):
        is_out = folds == fold
        predict, rows = learn(interactions.part(~is_out)), interactions.part(is_out)
        chance[is_out] = _predicted(predict, rows)
        audits.append(audit_leaks(predict, rows, rng=rng, n_probes=n_probes))
        qualities.append(prediction_quality(chance[is_out], rows.correct))
    whole = prediction_quality(chance, interactions.correct)
    return Evaluation(whole, tuple(qualities), tuple(audits), chance, folds)


def prediction_quality(chance: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = 10) -> PredictionQuality:
    """Compare chances strictly within 0 and 1, or at them where nothing contradicts, with 0/1 answers."""
    right = float_vector(correct, np.asarray(correct).size, "correct")
    given = float_vector(chance, right.size, "chance")
    if right.size == 0 or not np.isin(right, (0.0, 1.0)).all() or given.min() < 0 or given.max() > 1:
        raise BadShape("Chances lie outside 0..1, or answers are not 0/1.", remedy="Pass one chance per answer, at least one.")
    if n_bins < 1:
        raise BadOption(f"n_bins is {n_bins}.", remedy="Use 1 or more.")
    order = np.argsort(given, kind="stable")
    count = min(n_bins, right.size)
    edges = np.arange(count) * right.size // count
    answers = np.diff(np.append(edges, right.size))
    bin_chance = np.add.reduceat(given[order], edges) / answers
    bin_right = np.add.reduceat(right[order], edges) / answers
    happened = np.where(right == 1, given, 1.0 - given)
    return PredictionQuality(
        auc=_auc(given[order], right[order]),
        log_loss=float(-np.log(np.maximum(happened, LEAST)).mean()),
        brier=float(((given - right) ** 2).mean()),
        calibration_error=float(answers @ np.abs(bin_chance - bin_right) / right.size),
        bin_chance=bin_chance,
        bin_right=bin_right,
        bin_answers=answers,
    )


def audit_leaks(
    predict: Callable[[Interactions], FloatArray],
    interactions: Interactions,
    *,
    rng: np.random.Generator,
    n_probes: int = 20,
    folds: npt.ArrayLike | None = None,
) -> LeakAudit:
    """Flip all answers from a moment on and see whether any prediction up to that moment changes.

    Parameters
    ----------
    predict
        From answers to one chance per row, with all that was learnt from other pupils held fixed.
        Predictors that fit on the rows they predict fail, as they should.
    interactions
        ``time`` is what counts as earlier.
    rng
        Draws the moments.
    folds
        Fold of every row, to be checked for pupils in several.

    Notes
    -----
    The prediction at the moment itself must stay too: the answer predicted is among those flipped.
    A predictor that passes uses later answers at none of the moments tried, to the last bit.
    """
    if n_probes < 1:
        raise BadOption(f"n_probes is {n_probes}.", remedy="Use 1 or more.")
    before = _predicted(predict, interactions)
    leaks, largest, compared = np.zeros(interactions.n, dtype=np.bool_), 0.0, 0
    for moment in np.append(rng.integers(interactions.n, size=n_probes - 1), 0):
        flipped = interactions.correct.copy()
        flipped[interactions.time[moment:]] ^= 1
        after = _predicted(predict, interactions.with_answers(flipped))
        earlier = interactions.time[: moment + 1]
        change = np.abs(after[earlier] - before[earlier])
        leaks[earlier[~(change == 0)]] = True
        largest, compared = max(largest, float(change.max())), compared + earlier.size
    return LeakAudit(n_probes, compared, np.flatnonzero(leaks), largest, _mixed(interactions, folds))


def _predicted(predict: Callable[[Interactions], FloatArray], interactions: Interactions) -> FloatArray:
    return float_vector(predict(interactions), interactions.n, "predict's result")


def _mixed(interactions: Interactions, folds: npt.ArrayLike | None) -> tuple[str, ...]:
    if folds is None:
        return ()
    given = np.asarray(folds)
    if given.shape != (interactions.n,):
        raise BadShape(f"folds has shape {given.shape} for {interactions.n} rows.", remedy="Give one fold per row.")
    own = np.empty(interactions.pupil_ids.size, dtype=given.dtype)
    own[interactions.pupils] = given
    mixed = np.unique(interactions.pupils[own[interactions.pupils] != given])
    return tuple(str(label) for label in interactions.pupil_ids[mixed])


def _auc(chance: FloatArray, right: FloatArray) -> float:
    """Mann & Whitney's (1947) statistic over its maximum; ``chance`` ascends, ties share their mean rank."""
    n_right = right.sum()
    if n_right in (0, right.size):
        return float("nan")
    starts = np.flatnonzero(np.append(True, chance[1:] != chance[:-1]))
    sizes = np.diff(np.append(starts, chance.size))
    ranks = np.repeat(starts + (sizes + 1) / 2.0, sizes)
    return float((ranks @ right - n_right * (n_right + 1) / 2.0) / (n_right * (right.size - n_right)))
