"""What a diagnosis fit says item by item: chances, coefficients, and what to be wary of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._validate import FloatArray, Int8Array
from edmeasure.calibration._em import item_parts
from edmeasure.diagnosis import _cdm_em
from edmeasure.diagnosis._cdm_em import RARE, Problem, Search
from edmeasure.diagnosis._cdm_information import BOUNDARY, Errors
from edmeasure.diagnosis._cdm_kernels import IDENTITY, LOG, LOGIT, SATURATED
from edmeasure.diagnosis._latent_classes import Model

LINK_NAMES = {SATURATED: "identity", IDENTITY: "identity", LOGIT: "logit", LOG: "log"}
NOTICED_DROP = 1e-3
STEEP = 1e-2


@dataclass(frozen=True, eq=False)
class DiagnosticItem:
    """One item's estimates.

    Attributes
    ----------
    attributes : tuple of str
        Those the item requires.
    patterns : int8 (n_groups, n_required)
        What the item sees of a person's attributes, fewest first; for DINA and DINO all 0 or all 1,
        whether its condition holds.
    success : float64 (n_groups,)
        Chance of a right answer in every group.
    success_covariance : float64 (n_groups, n_groups)
        NaN for chances at 0 and 1 and in empty groups.
    link : str
        Scale on which the coefficients add up: "identity", "logit" or "log".
    terms : tuple of str
        Intercept "1", main effects "A", interactions "A:B" (DINO: "A|B").
    coefficients, coefficient_se : float64 (n_terms,)
        The item's delta parameters.
    """

    item_id: str
    model: Model
    attributes: tuple[str, ...]
    patterns: Int8Array
    success: FloatArray
    success_covariance: FloatArray
    link: str
    terms: tuple[str, ...]
    coefficients: FloatArray
    coefficient_se: FloatArray

    @property
    def success_se(self) -> FloatArray:
        """Standard errors of ``success``."""
        return np.asarray(np.sqrt(np.diag(self.success_covariance)))

    @property
    def guessing(self) -> float:
        """Chance of a right answer without any required attribute (DINA: without all)."""
        return float(self.success[0])

    @property
    def slip(self) -> float:
        """Chance of a wrong answer with every required attribute (DINO: with any)."""
        return float(1.0 - self.success[-1])

    @property
    def discrimination(self) -> float:
        """1 - slip - guessing."""
        return float(self.success[-1] - self.success[0])

    def __str__(self) -> str:
        shown = ", ".join(
            f"{_digits(pattern)} {chance:.3f} ({error:.3f})"
            for pattern, chance, error in zip(self.patterns, self.success, self.success_se, strict=True)
        )
        return f"{self.item_id} {self.model} on {', '.join(self.attributes)}: {shown}"


@dataclass(frozen=True)
class DiagnosisCertificate:
    """Evidence that a fit is the best maximum and that it makes sense.

    ``starts_at_best`` of ``n_starts`` random starts climbed to within 0.1 of the highest
    log-likelihood among them (on a sample of the persons when there are many); ``gradient`` is the
    largest derivative of the mean log-likelihood that could still raise it; ``boundary`` names
    chances at 0 or 1, ``falling`` items whose chance drops when an attribute is added.
    """

    n_starts: int
    starts_at_best: int
    start_logliks: tuple[float, ...]
    gradient: float
    is_maximum: bool | None
    n_flat: int
    boundary: tuple[str, ...]
    falling: tuple[str, ...]
    empty_classes: int

    @property
    def is_sound(self) -> bool:
        """More than one start found this maximum, the gradient vanishes, nothing contradicts."""
        return self.starts_at_best > 1 and self.gradient < STEEP and self.is_maximum is not False and not self.n_flat

    def __str__(self) -> str:
        lines = [
            f"{self.starts_at_best} of {self.n_starts} starts reached the best maximum",
            f"largest gradient {self.gradient:.1e}",
        ]
        if self.is_maximum is not None:
            lines.append("observed information is " + ("" if self.is_maximum else "NOT ") + "that of a maximum")
        if self.n_flat:
            lines.append(f"the likelihood does not change along {self.n_flat} directions: errors of what they move are NaN")
        if self.empty_classes:
            lines.append(f"{self.empty_classes} classes of patterns are empty")
        if self.boundary:
            lines.append("chances at 0 or 1: " + ", ".join(self.boundary))
        if self.falling:
            lines.append("an added attribute lowers the chance: " + ", ".join(self.falling))
        return "\n".join(lines)


def _digits(pattern: Int8Array) -> str:
    return "".join(str(bit) for bit in pattern)


def _includes(patterns: Int8Array) -> FloatArray:
    """1 where the row's pattern holds all of the column's attributes: chances as sums of effects."""
    return np.asarray((patterns[:, None, :] >= patterns[None, :, :]).all(axis=2), dtype=np.float64)


def _terms(model: Model, attributes: tuple[str, ...], patterns: Int8Array) -> tuple[str, ...]:
    if model in ("acdm", "llm", "rrum"):
        return ("1", *attributes)
    sign = "|" if model == "dino" else ":"
    named = (sign.join(name for name, bit in zip(attributes, pattern, strict=True) if bit) for pattern in patterns)
    return tuple(name or "1" for name in named)


def _effects(patterns: Int8Array, success: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Effects whose sums are the chances, and their standard errors; NaN where a chance it needs has none."""
    turn = np.linalg.inv(_includes(patterns))
    errors = np.empty(success.size)
    for row, factors in enumerate(turn):
        used = np.flatnonzero(np.abs(factors) > 1e-12)
        errors[row] = np.sqrt(factors[used] @ covariance[np.ix_(used, used)] @ factors[used])
    return turn @ success, errors


def items_of(
    problem: Problem,
    point: FloatArray,
    errors: Errors,
    *,
    item_ids: tuple[str, ...],
    attribute_names: tuple[str, ...],
    entries: Int8Array,
    models: list[Model],
) -> tuple[DiagnosticItem, ...]:
    """Every item's estimates in the words of its attributes."""
    classes, success = problem.classes, problem.success(point)
    items: list[DiagnosticItem] = []
    for j, (rows, part) in enumerate(zip(classes.parts, item_parts(problem.cells.coefficient_start), strict=True)):
        required = entries[j] == 1
        attributes = tuple(name for name, is_required in zip(attribute_names, required, strict=True) if is_required)
        patterns = classes.cell_patterns[rows][:, required]
        covariance = errors.coefficients[part, part]
        coefficients, coefficient_se = point[part], np.sqrt(np.diag(covariance))
        if problem.cells.link[j] == SATURATED:
            coefficients, coefficient_se = _effects(patterns, success[rows], covariance)
        items.append(
            DiagnosticItem(
                item_id=item_ids[j],
                model=models[j],
                attributes=attributes,
                patterns=patterns,
                success=success[rows],
                success_covariance=errors.success[rows, rows],
                link=LINK_NAMES[int(problem.cells.link[j])],
                terms=_terms(models[j], attributes, patterns),
                coefficients=coefficients,
                coefficient_se=coefficient_se,
            )
        )
    return tuple(items)


def _drops(item: DiagnosticItem) -> bool:
    """Whether some pattern has a lower chance than one that it includes."""
    includes = _includes(item.patterns) > 0
    return bool((includes & (item.success[None, :] > item.success[:, None] + NOTICED_DROP)).any())


def certify(
    problem: Problem,
    found: Search,
    items: tuple[DiagnosticItem, ...],
    errors: Errors,
    structure: FloatArray | None,
) -> DiagnosisCertificate:
    """Gradient at the end, agreement of the starts, and everything odd about the estimates."""
    success, prior = problem.success(found.point), problem.prior(found.point)
    expected, _ = _cdm_em.expectation(problem, found.point)
    n_persons = expected.persons.sum()
    # at 0 and 1 only a derivative that points inside could raise the likelihood
    slopes = (expected.right / success - expected.wrong / (1.0 - success)) / n_persons
    pulls = np.where(success < BOUNDARY, np.maximum(slopes, 0), np.where(success > 1 - BOUNDARY, np.minimum(slopes, 0), slopes))
    saturated = np.repeat(problem.cells.link == SATURATED, np.diff(problem.cells.cell_start))
    class_pulls = _cdm_em.class_pulls(problem, found.point, expected)
    if structure is not None:
        class_pulls = structure.T @ class_pulls[problem.classes.class_of_pattern]
    boundary = tuple(
        f"{item.item_id} {_digits(pattern)}"
        for item in items
        for pattern, chance in zip(item.patterns, item.success, strict=True)
        if not BOUNDARY < chance < 1.0 - BOUNDARY
    )
    return DiagnosisCertificate(
        n_starts=found.start_logliks.size,
        starts_at_best=found.starts_at_best,
        start_logliks=tuple(np.sort(found.start_logliks)[::-1].tolist()),
        gradient=float(max(np.abs(pulls[saturated]).max(initial=0.0), np.abs(class_pulls).max())),
        is_maximum=errors.is_maximum,
        n_flat=errors.n_flat,
        boundary=boundary,
        falling=tuple(item.item_id for item in items if _drops(item)),
        empty_classes=int((prior < RARE).sum()),
    )
