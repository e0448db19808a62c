"""From answers to scores: calibration, ability with its error, domains, plausible values, and the reported scale."""

# Annotations stay words: only who measures loads the compiler and the solvers behind `edmeasure`.
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

import edmeasure
from shuren.evaluation.data import Declaration, Domain, DomainKind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
STEPS = 6
MANY_PERSONS = 50_000
FEWEST_COMMON_ITEMS = 5


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """What a report says of an item; `unit` names its knowledge units, first one first."""

    code: str
    label: str
    content: str
    cognitive: str
    units: tuple[str, ...]
    max_score: int


@dataclass(frozen=True, eq=False)
class ItemParameters:
    """A calibrated item of another run: slope, and intercepts d_0 = 0 … d_K."""

    slope: float
    intercepts: FloatArray


@dataclass(frozen=True, eq=False)
class Answers:
    """Scored answers in order of person id. Org ids are 0 where the pupil has none at that level."""

    person_ids: IntArray
    class_ids: IntArray
    school_ids: IntArray
    district_ids: IntArray
    scores: npt.NDArray[np.int8]
    items: tuple[ItemInfo, ...]
    weights: FloatArray
    zones: IntArray | None
    reps: IntArray | None
    context: Mapping[str, FloatArray]
    reference: Mapping[str, FloatArray]

    @property
    def n(self) -> int:
        return int(self.person_ids.size)

    def responses(self, *, omitted_as: str, not_reached_as: str) -> edmeasure.Responses:
        """The answers with omitted and not reached turned into wrong or missing."""
        raw = edmeasure.Responses.from_array(
            self.scores,
            max_scores=[item.max_score for item in self.items],
            item_ids=[item.code for item in self.items],
            weights=self.weights,
        )
        return raw.scored(
            omitted_as=0 if omitted_as == "wrong" else "missing",
            not_reached_as=0 if not_reached_as == "wrong" else "missing",
        )


@dataclass(frozen=True, slots=True)
class Line:
    """Reported score = `slope` × ability + `intercept`."""

    slope: float
    intercept: float

    def apply(self, theta: npt.ArrayLike) -> FloatArray:
        return np.asarray(theta, dtype=np.float64) * self.slope + self.intercept


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all pupils on the reported scale, in the order of `Answers`; `pvs` is (draws, pupils)."""

    eap: FloatArray
    eap_se: FloatArray
    wle: FloatArray
    wle_se: FloatArray
    pvs: FloatArray
    domains: Mapping[str, tuple[FloatArray, FloatArray]]
    raw: FloatArray
    line: Line


@dataclass(frozen=True, eq=False)
class Measurement:
    """Scores, the calibrated items behind them, and the responses as they were scored."""

    fit: edmeasure.IRTFit
    scores: Scores
    scored: edmeasure.Responses
    conditioning_passes: int
    conditioning_converged: bool
    residual_variance: float


def domains_of(items: Sequence[ItemInfo]) -> tuple[tuple[Domain, IntArray], ...]:
    """Domains in order of appearance, content before cognitive, with the positions of their items."""
    found: dict[Domain, list[int]] = {}
    for kind in DomainKind:
        for position, item in enumerate(items):
            name = item.content if kind is DomainKind.CONTENT else item.cognitive
            if name:
                found.setdefault(Domain(kind, name), []).append(position)
    return tuple((domain, np.asarray(positions, dtype=np.int64)) for domain, positions in found.items())


def measure(
    answers: Answers,
    declaration: Declaration,
    *,
    anchor: Mapping[str, ItemParameters] | None = None,
    anchor_line: Line | None = None,
    progress: Callable[[int, str], None] = lambda _step, _name: None,
) -> Measurement:
    """Carry out the declaration; the same answers and declaration give the same numbers on any later day.

    `anchor` maps item codes to the anchoring run's parameters and `anchor_line` is that run's scale.
    """
    progress(0, "calibrate")
    fit = edmeasure.calibrate(
        answers.responses(omitted_as=declaration.omitted_as, not_reached_as=declaration.not_reached_in_calibration),
        standard_errors=answers.n <= MANY_PERSONS,
    )
    scored = answers.responses(omitted_as=declaration.omitted_as, not_reached_as=declaration.not_reached_in_scoring)
    progress(1, "eap")
    eap = edmeasure.score_eap(fit, scored)
    progress(2, "wle")
    wle = edmeasure.score_wle(fit, scored)
    progress(3, "domains")
    thetas = {domain.key: _domain_ability(fit, scored, positions) for domain, positions in domains_of(answers.items)}
    progress(4, "plausible values")
    draws = _plausible_values(fit, scored, answers, declaration)
    progress(5, "scale")
    line = _line(draws.values, answers, declaration, fit, anchor, anchor_line)
    scores = Scores(
        eap=line.apply(eap.theta),
        eap_se=eap.se * line.slope,
        wle=line.apply(wle.theta),
        wle_se=wle.se * line.slope,
        pvs=line.apply(draws.values),
        domains={key: (line.apply(theta), se * line.slope) for key, (theta, se) in thetas.items()},
        raw=np.where(scored.scores >= 0, scored.scores, 0).sum(axis=1, dtype=np.int64).astype(np.float64),
        line=line,
    )
    progress(STEPS, "scale")
    return Measurement(fit, scores, scored, draws.n_passes, draws.converged, float(draws.residual_variance))


def _domain_ability(fit: edmeasure.IRTFit, scored: edmeasure.Responses, positions: IntArray) -> tuple[FloatArray, FloatArray]:
    """EAP on the items of one domain; NaN for pupils who were given none of them."""
    part = scored.items(positions)
    found = edmeasure.score_eap(fit, part)
    is_given = (part.scores >= 0).any(axis=1)
    return np.where(is_given, found.theta, np.nan), np.where(is_given, found.se, np.nan)


def _plausible_values(
    fit: edmeasure.IRTFit, scored: edmeasure.Responses, answers: Answers, declaration: Declaration
) -> edmeasure.PlausibleValues:
    columns = [answers.context[name] for name in declaration.conditioning if name in answers.context]
    design = edmeasure.conditioning_components(np.column_stack(columns), weights=answers.weights) if columns else None
    return edmeasure.plausible_values(
        fit,
        scored,
        rng=np.random.default_rng(declaration.seed),
        design=design,
        groups=answers.school_ids if declaration.condition_on_school else None,
        group_effects="random",
        n_values=declaration.plausible_values,
    )


def _line(
    draws: FloatArray,
    answers: Answers,
    declaration: Declaration,
    fit: edmeasure.IRTFit,
    anchor: Mapping[str, ItemParameters] | None,
    anchor_line: Line | None,
) -> Line:
    scale = declaration.scale
    if scale.method == "anchor" and anchor is not None and anchor_line is not None:
        return linked_line(fit, anchor, anchor_line)
    mean, sd = scale.mean, scale.sd
    if scale.method == "reference":
        columns = np.stack([answers.reference[name] for name in declaration.reference])
        mean, sd = spread(columns, answers.weights)
    own_mean, own_sd = spread(draws, answers.weights)
    slope = sd / own_sd
    return Line(slope, mean - slope * own_mean)


def linked_line(own: edmeasure.IRTFit, anchor: Mapping[str, ItemParameters], anchor_line: Line) -> Line:
    """Own ability → the anchor's ability → its scale, by the common items' test characteristic curves.

    Stocking & Lord (1983): A and B such that the common items promise the same marks at A·theta + B on the anchor's
    scale as at theta on their own, weighted over a standard normal population.
    """
    common = [
        (at, anchor[code])
        for at, code in enumerate(own.item_ids)
        if code in anchor and np.isfinite(own.slopes[at]) and anchor[code].intercepts.size == own.max_scores[at] + 1
    ]
    if len(common) < FEWEST_COMMON_ITEMS:
        needed = f"at least {FEWEST_COMMON_ITEMS} are needed"
        raise ValueError(f"only {len(common)} common items link this run to its anchor; {needed}")
    grid = np.linspace(-4, 4, 81)
    weight = np.exp(-(grid**2) / 2)
    parameters = [ItemParameters(float(own.slopes[at]), own.intercepts[at, : own.max_scores[at] + 1]) for at, _ in common]
    mine = np.sum([expected_marks(item.slope, item.intercepts, grid) for item in parameters], axis=0)

    def loss(line: FloatArray) -> float:
        moved = np.exp(line[0]) * grid + line[1]
        theirs = np.sum([expected_marks(item.slope, item.intercepts, moved) for _, item in common], axis=0)
        return float(weight @ (mine - theirs) ** 2)

    options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 2000}
    found = scipy.optimize.minimize(loss, np.zeros(2), method="Nelder-Mead", options=options).x
    slope, shift = float(np.exp(found[0])), float(found[1])
    return Line(anchor_line.slope * slope, anchor_line.slope * shift + anchor_line.intercept)


def expected_marks(slope: float, intercepts: FloatArray, theta: FloatArray) -> FloatArray:
    """Expected score on one item at abilities `theta` (partial credit model)."""
    steps = np.arange(intercepts.size)
    logits = slope * theta[..., None] * steps + intercepts
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray((odds @ steps) / odds.sum(axis=-1))


def spread(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Weighted mean and standard deviation, averaged over the rows of `values` (sets of plausible values)."""
    share = weights / weights.sum()
    means = values @ share
    variances = ((values - means[:, None]) ** 2) @ share
    return float(means.mean()), float(np.sqrt(variances.mean()))
