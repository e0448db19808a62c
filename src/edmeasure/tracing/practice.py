"""Logistic knowledge tracing: a right answer's chance from counts, recency and spacing of earlier ones.

The framework of Pavlik, Eglington & Harrell-Williams (2021, IEEE Transactions on Learning Technologies 14):
the logit is a sum of features of the pupil's earlier answers, each weighted by skill or once for all; decays
inside features are estimated with the weights. Additive and performance factors are special cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.tracing import _practice_kernels
from edmeasure.tracing._practice_kernels import KINDS
from edmeasure.tracing.interactions import Interactions

NEWTON_STEPS = 50
HALVINGS = 30
CLOSE = 1e-8
STEP = 1e-4
LARGEST_LOGIT = 500.0
BOUNDS = {
    "decayed-share": ((0.02, 0.999),),
    "decayed-logit": ((0.02, 0.999),),
    "recency": ((0.01, 3.0),),
    "age": ((0.01, 3.0),),
    "spacing": ((0.0, 1.0), (0.0, 1.0)),
}
USUAL = {"decayed-share": (0.7,), "decayed-logit": (0.7,), "recency": (0.3,), "age": (0.3,), "spacing": (0.04, 0.08)}
LEVELS = ("skill", "pupil")


@dataclass(frozen=True)
class PracticeFeature:
    """What of the earlier answers counts.

    Attributes
    ----------
    kind : str
        ``"intercept"``; ``"count"``, ``"right"``, ``"wrong"`` (earlier answers) and ``"log-count"``, ``"log-right"``,
        ``"log-wrong"``, the logarithm of one more; ``"decayed-share"``, the share right of recent answers after three
        imagined wrong ones (Galyardt & Goldin 2015); ``"decayed-logit"``, log((1/2 + right) / (1/2 + wrong)) of decayed
        numbers; ``"recency"``, the time since the last answer to the power -d; ``"age"``, log(1 + count) times the time
        since the first to the power -d; ``"spacing"``, N^0.1 T^-(b + m mean(1 / ln(lag + e))), the predictive performance
        equation of Walsh et al. (2018, Cognitive Science 42).
    of : "skill" or "pupil"
        Earlier answers of the pupil to the same skill, or all of the pupil.
    by_skill : bool
        A weight for every skill, or one for all.
    parameters : tuple of float
        The decay (per answer, or the power -d of time), for spacing b and m; none to have them estimated.
    """

    kind: str
    of: str = "skill"
    by_skill: bool = True
    parameters: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        _validate.choice(self.kind, "kind", KINDS)
        _validate.choice(self.of, "of", LEVELS)
        bounds = BOUNDS.get(self.kind, ())
        if self.parameters and len(self.parameters) != len(bounds):
            raise BadOption(f"{self.kind} has {len(self.parameters)} parameters.", remedy=f"Give {len(bounds)}, or none.")
        for value, (low, high) in zip(self.parameters, bounds, strict=False):
            if not low <= value <= high:
                raise BadOption(f"A parameter of {self.kind} is {value}.", remedy=f"Use {low} to {high}.")

    def __str__(self) -> str:
        held = "" if not self.parameters else " " + ", ".join(f"{value:.3f}" for value in self.parameters)
        return f"{self.kind}{held} of {self.of}"


USUAL_FEATURES = (
    PracticeFeature("intercept"),
    PracticeFeature("log-right"),
    PracticeFeature("log-wrong"),
    PracticeFeature("recency", by_skill=False),
    PracticeFeature("decayed-logit", of="pupil", by_skill=False),
)


@dataclass(frozen=True, eq=False)
class PracticeTracing(Exported):
    """Weights of features of practice.

    Attributes
    ----------
    skill_ids : array of labels (S,)
    features : tuple of PracticeFeature
        With their parameters, estimated or given.
    weights : float64 (S, n_features)
        Columns of features without a weight per skill are constant.
    loglik : float
        Without the penalty.
    n_parameters, n_answers : int
    converged : bool
    """

    skill_ids: npt.NDArray[np.generic]
    features: tuple[PracticeFeature, ...]
    weights: FloatArray
    loglik: float
    n_parameters: int
    n_answers: int
    converged: bool

    @property
    def aic(self) -> float:
        return 2.0 * self.n_parameters - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        return float(np.log(self.n_answers) * self.n_parameters - 2.0 * self.loglik)

    def chances(self, interactions: Interactions) -> FloatArray:
        """Chance of a right answer in every row, from earlier rows of the same pupil."""
        place = {label: at for at, label in enumerate(self.skill_ids.tolist())}
        strangers = [label for label in interactions.skill_ids.tolist() if label not in place]
        if strangers:
            raise BadShape(f"Skills {strangers[:10]} are not in the fit.", remedy="Fit them too, or leave their rows out.")
        skill = np.array([place[label] for label in interactions.skill_ids.tolist()])[interactions.skills]
        histories = _Histories(interactions)
        logit = np.zeros(interactions.n)
        for at, feature in enumerate(self.features):
            logit += self.weights[skill, at] * histories.column(feature)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT))))

    def _columns(self) -> Mapping[str, object]:
        return {"skill": self.skill_ids, **{str(one): column for one, column in zip(self.features, self.weights.T, strict=True)}}

    def __str__(self) -> str:
        lines = [
            f"logistic tracing of {self.skill_ids.size} skills, {self.n_answers:,} answers: log-likelihood {self.loglik:.4f}, "
            f"{self.n_parameters} parameters" + ("" if self.converged else ", NOT CONVERGED")
        ]
        for feature, column in zip(self.features, self.weights.T, strict=True):
            low, middle, high = np.percentile(column, [5, 50, 95])
            spread = f" ({low:.3f} to {high:.3f})" if feature.by_skill else ""
            lines.append(f"{feature}: {middle:.3f}{spread}")
        return "\n".join(lines)


def trace_practice(
    interactions: Interactions,
    *,
    features: Sequence[PracticeFeature] = USUAL_FEATURES,
    ridge: float = 0.1,
    max_evaluations: int = 60,
) -> PracticeTracing:
    """Fit weights, and decays that are not given, by penalised maximum likelihood.

    Parameters
    ----------
    interactions
        ``order`` is the time in recency, age and spacing (dates: seconds); gaps below 1 count as 1.
    features
        There is no intercept for every pupil: it would be fitted on the answers it predicts, and new pupils have none.
        Features ``of="pupil"`` say from earlier answers how able a pupil is.
    ridge
        Precision of a normal prior of every weight around 0.
    max_evaluations
        Fits of the weights while decays are sought.

    Notes
    -----
    Newton's method, whose curvature is blocks of skills with a border of common weights. Decays climb the
    profile likelihood, whose slope is the partial one at the best weights.

    Raises
    ------
    BadOption
    """
    asked = tuple(features)
    if not asked:
        raise BadOption("features is empty.", remedy="Begin with PracticeFeature('intercept').")
    if len(set(asked)) != len(asked):
        raise BadOption("A feature is named twice.", remedy="Name every feature once.")
    if max_evaluations < 1:
        raise BadOption("max_evaluations is below 1.", remedy="Use at least 1.")
    fit = _Fit(interactions, asked, _validate.positive(ridge, "ridge"))
    found, has_settled = _with_decays(fit, asked, max_evaluations)
    fit.set_columns(found)
    loglik, is_close = fit.climb()
    n_own = sum(feature.by_skill for feature in found)
    free = sum(len(feature.parameters) for feature, given in zip(found, asked, strict=True) if not given.parameters)
    return PracticeTracing(
        skill_ids=interactions.skill_ids,
        features=found,
        weights=fit.table(found),
        loglik=loglik,
        n_parameters=n_own * interactions.skill_ids.size + len(found) - n_own + free,
        n_answers=interactions.n,
        converged=is_close and has_settled,
    )


class _Histories:
    """Rows as sequences of pupils on a skill, and of pupils."""

    def __init__(self, interactions: Interactions) -> None:
        self.correct, self.clock, self.n = interactions.correct, interactions.clock, interactions.n
        by_pupil = interactions.time[np.argsort(interactions.pupils[interactions.time], kind="stable")]
        changes = np.flatnonzero(np.diff(interactions.pupils[by_pupil])) + 1
        pupil_starts = np.concatenate([[0], changes, [interactions.n]]).astype(np.int64)
        self.sequences: dict[str, tuple[IntArray, IntArray]] = {
            "skill": (interactions.rows, interactions.starts),
            "pupil": (by_pupil, pupil_starts),
        }

    def column(self, feature: PracticeFeature) -> FloatArray:
        rows, starts = self.sequences[feature.of]
        first, second = (*feature.parameters, 0.0, 0.0)[:2]
        values = np.empty(self.n)
        _practice_kernels.fill_feature(KINDS.index(feature.kind), first, second, rows, starts, self.correct, self.clock, values)
        return values


class _Fit:
    """The weights of a set of features, kept between fits so that each begins where the last one ended."""

    def __init__(self, interactions: Interactions, features: tuple[PracticeFeature, ...], ridge: float) -> None:
        self.histories, self.skills, self.ridge = _Histories(interactions), interactions.skills, ridge
        self.is_own = np.array([feature.by_skill for feature in features])
        n_own, n_skills = int(self.is_own.sum()), interactions.skill_ids.size
        self.weights, self.common = np.zeros((n_skills, n_own)), np.zeros(len(features) - n_own)
        self.columns = np.empty((interactions.n, len(features)))
        self.known: list[PracticeFeature | None] = [None] * len(features)
        self.split()

    def split(self) -> None:
        self.own, self.shared = (np.ascontiguousarray(self.columns[:, chosen]) for chosen in (self.is_own, ~self.is_own))

    def set_columns(self, features: tuple[PracticeFeature, ...]) -> None:
        """Reckon the features that changed."""
        for at, feature in enumerate(features):
            if self.known[at] != feature:
                self.columns[:, at], self.known[at] = self.histories.column(feature), feature
        self.split()

    def sums(self, weights: FloatArray, common: FloatArray) -> tuple[float, tuple[FloatArray, ...]]:
        """Log-likelihood, slopes and curvatures."""
        n_skills, k, m = *weights.shape, common.size

        def of_part(part: slice) -> tuple[float, tuple[FloatArray, ...]]:
            shapes = ((n_skills, k), (m,), (n_skills, k, k), (n_skills, k, m), (m, m))
            held = tuple(np.zeros(shape) for shape in shapes)
            loglik = _practice_kernels.newton_sums(
                self.skills[part],
                _validate.read_only(self.histories.correct[part]),
                self.own[part],
                self.shared[part],
                weights,
                common,
                *held,
            )
            return loglik, held

        found = each(of_part, parts_of(self.skills.size))
        return sum(one[0] for one in found), tuple(
            np.sum(of_kind, axis=0) for of_kind in zip(*(one[1] for one in found), strict=True)
        )

    def penalised(self, loglik: float, weights: FloatArray, common: FloatArray) -> float:
        return loglik - 0.5 * self.ridge * float((weights**2).sum() + (common**2).sum())

    def climb(self) -> tuple[float, bool]:
        """Newton's method with halved steps; the log-likelihood and whether it came to rest."""
        loglik, held = self.sums(self.weights, self.common)
        for _ in range(NEWTON_STEPS):
            own, common = self.step(held)
            value, share = self.penalised(loglik, self.weights, self.common), 1.0
            for _ in range(HALVINGS):
                tried = self.weights + share * own, self.common + share * common
                reached, sums = self.sums(*tried)
                if self.penalised(reached, *tried) >= value - CLOSE:
                    break
                share /= 2.0
            (self.weights, self.common), loglik, held = tried, reached, sums
            if max(np.abs(own).max(initial=0.0), np.abs(common).max(initial=0.0)) < np.sqrt(CLOSE):
                return loglik, True
        return loglik, False

    def step(self, held: tuple[FloatArray, ...]) -> tuple[FloatArray, FloatArray]:
        """Newton's step: skills' blocks are eliminated, the common weights solved, and put back."""
        own_slope, common_slope, own_bend, cross, common_bend = held
        k, m = own_slope.shape[1], common_slope.size
        own_slope = own_slope - self.ridge * self.weights
        common_slope = common_slope - self.ridge * self.common
        block = np.tril(own_bend) + np.swapaxes(np.tril(own_bend, -1), 1, 2) + self.ridge * np.eye(k)
        border = np.tril(common_bend) + np.tril(common_bend, -1).T + self.ridge * np.eye(m)
        inner = np.linalg.solve(block, np.concatenate([own_slope[:, :, None], cross], axis=2))
        to_slope, to_cross = inner[:, :, 0], inner[:, :, 1:]
        left = border - np.einsum("skm,skn->mn", cross, to_cross)
        common = np.linalg.solve(left, common_slope - np.einsum("skm,sk->m", cross, to_slope))
        return np.asarray(to_slope - to_cross @ common), np.asarray(common)

    def table(self, features: tuple[PracticeFeature, ...]) -> FloatArray:
        found = np.empty((self.weights.shape[0], len(features)))
        found[:, self.is_own], found[:, ~self.is_own] = self.weights, self.common
        return found

    def rest(self, features: tuple[PracticeFeature, ...]) -> tuple[FloatArray, FloatArray]:
        """Answer minus chance in every row, and every row's weights."""
        weights = self.table(features)[self.skills]
        logit = np.einsum("nf,nf->n", weights, self.columns)
        chance = 1.0 / (1.0 + np.exp(-np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT)))
        return np.asarray(self.histories.correct - chance), weights


def _with_decays(fit: _Fit, asked: tuple[PracticeFeature, ...], most: int) -> tuple[tuple[PracticeFeature, ...], bool]:
    """The features with the best parameters for those not given, and whether the search came to rest."""
    places = [at for at, feature in enumerate(asked) if feature.kind in BOUNDS and not feature.parameters]
    if not places:
        return asked, True
    bounds = [bound for at in places for bound in BOUNDS[asked[at].kind]]
    owners = [(at, which) for at in places for which in range(len(BOUNDS[asked[at].kind]))]

    def features_at(point: FloatArray) -> tuple[PracticeFeature, ...]:
        found = list(asked)
        for at in places:
            held = [float(value) for value, (owner, _) in zip(point, owners, strict=True) if owner == at]
            found[at] = replace(asked[at], parameters=tuple(held))
        return tuple(found)

    def fall(point: FloatArray) -> tuple[float, FloatArray]:
        features = features_at(point)
        fit.set_columns(features)
        loglik, _ = fit.climb()
        rest, weights = fit.rest(features)
        slopes = np.empty(point.size)
        for place, ((at, _), (low, high)) in enumerate(zip(owners, bounds, strict=True)):
            ends = np.tile(point, (2, 1))
            ends[:, place] = max(low, point[place] - STEP), min(high, point[place] + STEP)
            below, above = (fit.histories.column(features_at(end)[at]) for end in ends)
            slopes[place] = rest @ (weights[:, at] * (above - below)) / (ends[1, place] - ends[0, place])
        return -fit.penalised(loglik, fit.weights, fit.common) / fit.skills.size, -slopes / fit.skills.size

    usual = np.array([value for at in places for value in USUAL[asked[at].kind]])
    end = minimize(fall, usual, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxfun": most, "ftol": 1e-10})
    return features_at(end.x), bool(end.success)
