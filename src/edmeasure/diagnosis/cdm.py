"""Cognitive diagnosis: which attributes persons master, from answers and a Q-matrix.

A person has a pattern of attributes; item j sees the part of it that its row of the Q-matrix
requires and is answered right with a chance that depends on that part only:

    dina    guessing, or 1 - slip when every required attribute is there (Junker & Sijtsma 2001)
    dino    the same with any required attribute (Templin & Henson 2006)
    gdina   one chance for every part (de la Torre 2011)
    acdm, llm, rrum    chance, its logit, or its logarithm adds up over required attributes
                       (de la Torre 2011; Maris 1999; Hartz 2002)

Patterns have free probabilities. All items' answers are independent given the pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import FloatArray, Int8Array
from edmeasure.diagnosis import _cdm_em, _cdm_information
from edmeasure.diagnosis._cdm_em import Problem, Search
from edmeasure.diagnosis._cdm_information import Errors
from edmeasure.diagnosis._latent_classes import LatentClasses, Model
from edmeasure.diagnosis.items import DiagnosisCertificate, DiagnosticItem, certify, items_of
from edmeasure.diagnosis.qmatrix import MODELS, Identifiability, QMatrix, identifiability
from edmeasure.errors import BadOption, BadScore, NothingToCalibrate
from edmeasure.responses import Responses, unit_weights


@dataclass(frozen=True, eq=False)
class CDMFit:
    """Items, patterns and attributes of one calibration.

    Attributes
    ----------
    items : tuple of DiagnosticItem
    pattern_probabilities, pattern_se : float64 (n_patterns,)
        In the order of ``q_matrix.patterns``; patterns that no item tells apart share equally.
    prevalence, prevalence_se : float64 (n_attributes,)
        Share of persons who master each attribute.
    n_parameters : int
        Free chances or coefficients, and classes less one.
    history : tuple of float
        Log-likelihoods of the best start's last steps, which no longer fall.
    """

    q_matrix: QMatrix
    items: tuple[DiagnosticItem, ...]
    pattern_probabilities: FloatArray
    pattern_se: FloatArray
    prevalence: FloatArray
    prevalence_se: FloatArray
    loglik: float
    n_parameters: int
    n_persons: int
    n_iterations: int
    converged: bool
    history: tuple[float, ...]
    certificate: DiagnosisCertificate
    identifiability: Identifiability
    classes: LatentClasses
    success: FloatArray
    class_probabilities: FloatArray

    @property
    def pattern_shares(self) -> FloatArray:
        """Every pattern's share of the probability of its class."""
        class_of_pattern = self.classes.class_of_pattern
        whole = np.bincount(class_of_pattern, weights=self.pattern_probabilities)[class_of_pattern]
        equal = 1.0 / self.classes.class_size[class_of_pattern]
        return np.divide(self.pattern_probabilities, whole, out=equal, where=whole > 0)

    @property
    def patterns(self) -> Int8Array:
        return self.q_matrix.patterns

    @property
    def item_ids(self) -> tuple[str, ...]:
        return tuple(item.item_id for item in self.items)

    @property
    def guessing(self) -> FloatArray:
        return np.array([item.guessing for item in self.items])

    @property
    def slip(self) -> FloatArray:
        return np.array([item.slip for item in self.items])

    @property
    def guessing_se(self) -> FloatArray:
        return np.array([item.success_se[0] for item in self.items])

    @property
    def slip_se(self) -> FloatArray:
        return np.array([item.success_se[-1] for item in self.items])

    @property
    def aic(self) -> float:
        return 2.0 * self.n_parameters - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        return float(np.log(self.n_persons) * self.n_parameters - 2.0 * self.loglik)

    def item(self, item_id: str) -> DiagnosticItem:
        """The item with this id."""
        return self.items[self.item_ids.index(item_id)]

    def __str__(self) -> str:
        shares = ", ".join(
            f"{name} {share:.3f} ({se:.3f})"
            for name, share, se in zip(self.q_matrix.attribute_names, self.prevalence, self.prevalence_se, strict=True)
        )
        return "\n".join(
            [
                f"Diagnosis: {len(self.items)} items, {self.q_matrix.n_attributes} attributes, "
                f"log-likelihood {self.loglik:.4f}, {self.n_iterations} iterations"
                + ("" if self.converged else ", NOT CONVERGED"),
                f"mastered: {shares}",
                str(self.certificate),
                str(self.identifiability),
            ]
        )


def diagnose(
    responses: Responses,
    q_matrix: QMatrix,
    *,
    rng: np.random.Generator,
    model: Model | Mapping[str, Model] = "gdina",
    weights: npt.ArrayLike | None = None,
    n_starts: int = 20,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
    standard_errors: bool = True,
) -> CDMFit:
    """Estimate a diagnosis model by marginal maximum likelihood from many random starts.

    Parameters
    ----------
    responses
        Right/wrong items, matched to the Q-matrix by id; negative codes count as missing.
    rng
        Draws the starts (and a sample of persons to try them on, where there are many).
    model
        One model for all items, or one for every item id.
    weights : float64 (n_persons,), optional
        Default ``responses.weights``; rescaled to the number of persons.
    tolerance
        Gain of the log-likelihood over ten steps at which iteration stops.
    standard_errors
        Also compute the observed information of all parameters together.

    Returns
    -------
    CDMFit

    Raises
    ------
    NothingToCalibrate, BadOption, BadScore, BadShape, BadWeight

    Notes
    -----
    The likelihood of a diagnosis model has many maxima, so ``certificate.starts_at_best`` should be
    more than one. Given data, options and ``rng`` estimates are the same to the last bit whatever
    the number of threads.
    """
    _validate.positive(tolerance, "tolerance")
    models = models_of(model, responses.item_ids)
    problem = problem_of(responses, q_matrix, models, weights)
    found = _cdm_em.search(problem, rng, n_starts=n_starts, max_iterations=max_iterations, stall=tolerance)
    errors = _cdm_information.errors_of(problem, found.point) if standard_errors else _cdm_information.no_errors(problem)
    probabilities = problem.classes.spread(problem.prior(found.point))
    return result_of(responses, q_matrix, models, problem, found, errors, probabilities)


def problem_of(responses: Responses, q_matrix: QMatrix, models: list[Model], weights: npt.ArrayLike | None) -> Problem:
    """What is to be maximized, after a look at the scores."""
    _check_scores(responses)
    # persons without answers say nothing about items and hold back the class probabilities
    person_weights = np.where((responses.scores >= 0).any(axis=1), unit_weights(responses, weights), 0.0)
    entries = q_matrix.rows_of(responses.item_ids)
    return _cdm_em.problem_of(responses.scores, person_weights, entries, models, q_matrix.patterns)


def _check_scores(responses: Responses) -> None:
    if not (responses.scores >= 0).any():
        raise NothingToCalibrate("Nobody answered anything.", remedy="Pass at least a few hundred persons.")
    graded = [name for name, highest in zip(responses.item_ids, responses.max_scores, strict=True) if highest > 1]
    if graded:
        raise BadScore(f"Items {graded[:10]} have more than two scores.", remedy="Score them right/wrong (0/1).")


def models_of(model: Model | Mapping[str, Model], item_ids: tuple[str, ...]) -> list[Model]:
    """The model of every item."""
    if isinstance(model, str):
        _validate.choice(model, "model", MODELS)
        return [model] * len(item_ids)
    lacking = [name for name in item_ids if name not in model]
    if lacking:
        raise BadOption(f"No model is given for items {lacking[:10]}.", remedy="Name one for every item.")
    for name in item_ids:
        _validate.choice(model[name], f"model of {name}", MODELS)
    return [model[name] for name in item_ids]


def result_of(
    responses: Responses,
    q_matrix: QMatrix,
    models: list[Model],
    problem: Problem,
    found: Search,
    errors: Errors,
    pattern_probabilities: FloatArray,
    structure: FloatArray | None = None,
) -> CDMFit:
    """Put a fit together; ``structure`` holds the derivatives of patterns' probabilities, where these are not free."""
    n_structure = problem.classes.n_classes - 1 if structure is None else structure.shape[1]
    items = items_of(
        problem,
        found.point,
        errors,
        item_ids=responses.item_ids,
        attribute_names=q_matrix.attribute_names,
        entries=q_matrix.rows_of(responses.item_ids),
        models=models,
    )
    history = tuple(found.history.tolist())
    return CDMFit(
        q_matrix=q_matrix,
        items=items,
        pattern_probabilities=pattern_probabilities,
        pattern_se=errors.pattern_se,
        prevalence=pattern_probabilities @ q_matrix.patterns,
        prevalence_se=errors.prevalence_se,
        loglik=history[-1],
        n_parameters=problem.n_coefficients + n_structure,
        n_persons=responses.n_persons,
        n_iterations=len(history),
        converged=found.has_converged,
        history=history,
        certificate=certify(problem, found, items, errors, structure),
        identifiability=identifiability(q_matrix, models=models),
        classes=problem.classes,
        success=problem.success(found.point),
        class_probabilities=problem.prior(found.point),
    )
