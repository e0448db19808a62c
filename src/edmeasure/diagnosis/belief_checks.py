"""How far beliefs about attributes lie from the posterior they stand for, measured on persons at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.diagnosis import _factor_graph
from edmeasure.diagnosis.structured import StructuredDiagnosis, expected_of, placed
from edmeasure.errors import BadOption
from edmeasure.responses import Responses

EXACT_UP_TO = 12
BATCHES = 20
FEWEST_DRAWS = 100


@dataclass(frozen=True, eq=False)
class BeliefCheck(Exported):
    """How far beliefs lie from the posterior of the same model.

    Attributes
    ----------
    method : "exact" or "Gibbs sampling"
    mean_error, largest_error : float
        Absolute differences of chances over persons and attributes.
    attribute_error : float64 (K,)
        Mean over persons.
    other_class : float
        Share of attributes of persons that fall on the other side of one half.
    sampling_error : float
        Mean standard error of the sampled chances, part of the differences; 0 for exact ones.
    loglik_error : float
        Approximate less exact log-likelihood per person; NaN where sampled.
    n_persons : int
    """

    method: str
    mean_error: float
    largest_error: float
    attribute_error: FloatArray
    other_class: float
    sampling_error: float
    loglik_error: float
    n_persons: int

    def __str__(self) -> str:
        sampled = f" (sampling error {self.sampling_error:.4f})" if self.sampling_error else ""
        return (
            f"beliefs against {self.method} for {self.n_persons} persons: chances differ by {self.mean_error:.4f} on average, "
            f"{self.largest_error:.4f} at most{sampled}; {self.other_class:.2%} are classified otherwise"
        )


def check_beliefs(
    fit: StructuredDiagnosis, responses: Responses, *, rng: np.random.Generator, n_persons: int = 200, n_draws: int = 4000
) -> BeliefCheck:
    """Compare beliefs of some persons with the posterior: exact up to 12 attributes, beyond by Gibbs sampling.

    Parameters
    ----------
    rng
        Draws persons, and the sampler's chain (Geman & Geman 1984); its error is that of the means of 20 batches.
    """
    if n_persons < 1 or n_draws < FEWEST_DRAWS:
        raise BadOption("n_persons is below 1 or n_draws below 100.", remedy="Use the defaults.")
    graph, scores = placed(fit, responses)
    chosen = np.sort(rng.permutation(scores.shape[0])[:n_persons])
    own = np.ascontiguousarray(scores[chosen])
    n = own.shape[0]
    found = expected_of(fit, graph, own, np.ones(n), np.zeros((n, graph.n_edges)))
    success, loglik, sampling = np.concatenate(fit.success), float("nan"), 0.0
    if fit.network.n_attributes <= EXACT_UP_TO:
        chances, logliks = _factor_graph.enumerated(graph, own, success, fit.mastered)
        loglik = (found.loglik - float(logliks.sum())) / n
    else:
        batches = _factor_graph.sampled(
            graph, own, success, fit.mastered, rng=rng, n_draws=n_draws - n_draws % BATCHES, n_batches=BATCHES
        )
        chances = batches.mean(axis=1)
        sampling = float((batches.std(axis=1, ddof=1) / np.sqrt(batches.shape[1])).mean())
    away = np.abs(found.beliefs - chances)
    return BeliefCheck(
        method="exact" if fit.network.n_attributes <= EXACT_UP_TO else "Gibbs sampling",
        mean_error=float(away.mean()),
        largest_error=float(away.max()),
        attribute_error=away.mean(axis=0),
        other_class=float(((found.beliefs > 0.5) != (chances > 0.5)).mean()),
        sampling_error=sampling,
        loglik_error=loglik,
        n_persons=n,
    )
