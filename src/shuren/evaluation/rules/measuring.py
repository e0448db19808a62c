"""From answers to scores: calibration, ability with its error, domains, plausible values, and the reported scale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import irt, plausible, scoring
from edmeasure.responses import Responses
from shuren.evaluation.data import Declaration, Domain, DomainKind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
STEPS = 6
MANY_PERSONS = 50_000


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

    def responses(self, *, omitted_as: str, not_reached_as: str) -> Responses:
        """The answers with omitted and not reached turned into wrong or missing."""
        raw = Responses.from_array(
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

    fit: irt.IRTFit
    scores: Scores
    scored: Responses
    conditioning_passes: int
    conditioning_converged: bool
    residual_variance: float


def domains_of(items: Sequence[ItemInfo]) -> tuple[tuple[Domain, IntArray], ...]:
    """Domains in order of appearance, content before cognitive, with the positions of their items."""
    found: dict[Domain, list[int]] = {}
    for kind, name_of in ((DomainKind.CONTENT, lambda item: item.content), (DomainKind.COGNITIVE, lambda item: item.cognitive)):
        for position, item in enumerate(items):
            if name_of(item):
                found.setdefault(Domain(kind, name_of(item)), []).append(position)
    return tuple((domain, np.asarray(positions, dtype=np.int64)) for domain, positions in found.items())


def measure(
    answers: Answers,
    declaration: Declaration,
    *,
    anchor: Mapping[str, float] | None = None,
    anchor_line: Line | None = None,
    progress: Callable[[int, str], None] = lambda _step, _name: None,
) -> Measurement:
    """Carry out the declaration; the same answers and declaration give the same numbers on any later day.

    `anchor` maps item codes to difficulties of the anchoring run and `anchor_line` is that run's scale.
    """
    progress(0, "calibrate")
    fit = irt.calibrate(
        answers.responses(
            omitted_as=declaration.omitted_as, not_reached_as=declaration.not_reached_in_calibration
        ),
        standard_errors=answers.n <= MANY_PERSONS,
    )
    scored = answers.responses(omitted_as=declaration.omitted_as, not_reached_as=declaration.not_reached_in_scoring)
    progress(1, "eap")
    eap = scoring.score_eap(fit, scored)
    progress(2, "wle")
    wle = scoring.score_wle(fit, scored)
    progress(3, "domains")
    thetas = {
        domain.key: _domain_ability(fit, scored, positions) for domain, positions in domains_of(answers.items)
    }
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


def _domain_ability(fit: irt.IRTFit, scored: Responses, positions: IntArray) -> tuple[FloatArray, FloatArray]:
    """EAP on the items of one domain; NaN for pupils who were given none of them."""
    part = scored.items(positions)
    found = scoring.score_eap(fit, part)
    is_given = (part.scores >= 0).any(axis=1)
    return np.where(is_given, found.theta, np.nan), np.where(is_given, found.se, np.nan)


def _plausible_values(
    fit: irt.IRTFit, scored: Responses, answers: Answers, declaration: Declaration
) -> plausible.PlausibleValues:
    columns = [answers.context[name] for name in declaration.conditioning if name in answers.context]
    design = plausible.conditioning_components(np.column_stack(columns), weights=answers.weights) if columns else None
    return plausible.plausible_values(
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
    fit: irt.IRTFit,
    anchor: Mapping[str, float] | None,
    anchor_line: Line | None,
) -> Line:
    scale = declaration.scale
    if scale.method == "anchor" and anchor is not None and anchor_line is not None:
        return linked_line(dict(zip(fit.item_ids, fit.difficulties.tolist(), strict=True)), anchor, anchor_line)
    mean, sd = scale.mean, scale.sd
    if scale.method == "reference":
        columns = np.stack([answers.reference[name] for name in declaration.reference])
        mean, sd = spread(columns, answers.weights)
    own_mean, own_sd = spread(draws, answers.weights)
    slope = sd / own_sd
    return Line(slope, mean - slope * own_mean)


def linked_line(own: Mapping[str, float], anchor: Mapping[str, float], anchor_line: Line) -> Line:
    """Mean/sigma linking by common items (Kolen & Brennan 2014, ch. 6): own ability → anchor's ability → its scale."""
    common = [code for code in own if code in anchor and np.isfinite(own[code]) and np.isfinite(anchor[code])]
    if len(common) < 5:
        raise ValueError(f"only {len(common)} common items link this run to its anchor; at least 5 are needed")
    mine = np.array([own[code] for code in common])
    theirs = np.array([anchor[code] for code in common])
    slope = float(theirs.std() / mine.std())
    shift = float(theirs.mean() - slope * mine.mean())
    return Line(anchor_line.slope * slope, anchor_line.slope * shift + anchor_line.intercept)


def spread(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Weighted mean and standard deviation, averaged over the rows of `values` (sets of plausible values)."""
    share = weights / weights.sum()
    means = values @ share
    variances = ((values - means[:, None]) ** 2) @ share
    return float(means.mean()), float(np.sqrt(variances.mean()))
