"""The one gate through which caller input passes before any number is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edmeasure.errors import BadOption, BadScore, BadShape, BadWeight

FloatArray = npt.NDArray[np.float64]
Int8Array = npt.NDArray[np.int8]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LOWEST_CODE = -3
MISSING = -1


def _per_person(given: npt.NDArray[np.generic], n: int, name: str, one: str) -> None:
    if given.shape != (n,):
        raise BadShape(f"{name} has shape {given.shape} for {n} persons.", remedy=f"Give one {one} per person.")


def _finite(given: FloatArray, name: str, remedy: str) -> None:
    if not np.isfinite(given).all():
        raise BadOption(f"{name} holds NaN or infinity.", remedy=remedy)


def score_matrix(scores: npt.ArrayLike) -> Int8Array:
    """Two-dimensional int8 scores; floats must be whole numbers, NaN becomes not administered."""
    given = np.asarray(scores)
    if given.ndim != 2:
        raise BadShape(
            f"Scores have {given.ndim} dimensions.",
            remedy="Pass a matrix of shape (n_persons, n_items).",
        )
    if given.dtype == np.int8:
        return np.ascontiguousarray(given)
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == np.bool_):
        raise BadScore(f"Scores have the type {given.dtype}.", remedy="Pass numbers; code text keys first.")
    if np.issubdtype(given.dtype, np.floating):
        given = np.where(np.isnan(given), MISSING, given)
        if not np.array_equal(given, np.round(given)):
            raise BadScore(
                "Some scores are not whole numbers.",
                remedy="Multiply partial scores up to whole points.",
            )
    if given.size and (given.max() > 126 or given.min() < LOWEST_CODE):
        raise BadScore(
            f"Scores reach from {given.min()} to {given.max()}.",
            remedy="Use 0..126 for scores and -1, -2, -3 for the three kinds of no answer.",
        )
    return np.ascontiguousarray(given, dtype=np.int8)


def read_only(scores: Int8Array) -> Int8Array:
    """The same scores, not to be written: loops then meet one kind of array, whatever the caller holds."""
    view = scores.view()
    view.flags.writeable = False
    return view


def max_score_vector(scores: Int8Array, max_scores: npt.ArrayLike | None) -> Int8Array:
    """Given or observed highest score of each item, checked against the data."""
    n_items = scores.shape[1]
    if scores.shape[0] == 0:
        observed = np.zeros(n_items, dtype=np.int8)
        lowest = 0
    else:
        observed = scores.max(axis=0)
        lowest = int(scores.min(initial=0))
    if lowest < LOWEST_CODE:
        raise BadScore(
            f"The code {lowest} is unknown.",
            remedy="Use -1 not administered, -2 omitted, -3 not reached.",
        )
    if max_scores is None:
        return np.maximum(observed, 1).astype(np.int8)
    highest = np.asarray(max_scores, dtype=np.int64)
    if highest.shape != (n_items,):
        raise BadShape(
            f"max_scores has shape {highest.shape} for {n_items} items.",
            remedy="Give one maximum per item.",
        )
    if highest.size and (highest.min() < 1 or highest.max() > 126):
        raise BadScore("A maximum score lies outside 1..126.", remedy="Rescale that item.")
    above = np.flatnonzero(observed > highest)
    if above.size:
        raise BadScore(
            f"Items at positions {above[:10].tolist()} have scores above their maximum.",
            remedy="Mend the scores or raise max_scores.",
        )
    return highest.astype(np.int8)


def weight_vector(weights: npt.ArrayLike | None, n: int) -> FloatArray:
    """Non-negative finite weights of shape (n,); ones where none are given."""
    if weights is None:
        return np.ones(n)
    given = np.ascontiguousarray(weights, dtype=np.float64)
    _per_person(given, n, "weights", "weight")
    if not np.isfinite(given).all() or (given < 0).any():
        raise BadWeight(
            "Some weights are negative or not finite.",
            remedy="Drop those persons or give them weight 0.",
        )
    if n and given.sum() <= 0:
        raise BadWeight("All weights are zero.", remedy="Give at least one positive weight.")
    return given


def float_vector(values: npt.ArrayLike, n: int, name: str) -> FloatArray:
    """Finite floats of shape (n,), always a copy; a scalar is spread out."""
    given = np.array(values, dtype=np.float64)
    if given.ndim == 0:
        given = np.full(n, float(given))
    _per_person(given, n, name, "number")
    _finite(given, name, "Replace or drop those persons.")
    return given


def value_matrix(values: npt.ArrayLike) -> FloatArray:
    """Float values of shape (m, n); one set of values may be given as (n,)."""
    given = np.asarray(values, dtype=np.float64)
    if given.ndim == 1:
        given = given[None, :]
    if given.ndim != 2 or given.size == 0:
        raise BadShape(
            f"Values have shape {given.shape}.",
            remedy="Pass (n,) or (m, n): m plausible values of n persons, n at least 1.",
        )
    _finite(given, "values", "Drop those persons before estimating.")
    return np.ascontiguousarray(given)


def group_codes(groups: npt.ArrayLike, n: int) -> tuple[npt.NDArray[np.generic], IntArray]:
    """Sorted labels and the code 0..G-1 of every person."""
    given = np.asarray(groups)
    _per_person(given, n, "groups", "label")
    labels, codes = np.unique(given, return_inverse=True)
    return labels, codes.astype(np.int64)


def design_matrix(design: npt.ArrayLike | None, n: int) -> FloatArray:
    """Finite float design of shape (n, p) without intercept; empty when None."""
    if design is None:
        return np.empty((n, 0))
    given = np.asarray(design, dtype=np.float64)
    if given.ndim == 1:
        given = given[:, None]
    if given.ndim != 2 or given.shape[0] != n:
        raise BadShape(
            f"The design has shape {given.shape} for {n} persons.",
            remedy="Pass (n_persons, n_covariates).",
        )
    _finite(given, "design", "Code missing answers as categories first (`conditioning_components`).")
    return np.ascontiguousarray(given)


def replicate_codes(zones: npt.ArrayLike | None, reps: npt.ArrayLike | None, n: int) -> tuple[IntArray, IntArray] | None:
    """Jackknife zones as codes 0..H-1 and reps as 0/1, or None when there are none."""
    if zones is None and reps is None:
        return None
    if zones is None or reps is None:
        raise BadOption("Only one of zones and reps is given.", remedy="Give both or neither.")
    _, codes = group_codes(zones, n)
    given = np.asarray(reps)
    _per_person(given, n, "reps", "rep")
    if not np.isin(given, (0, 1)).all():
        raise BadOption("reps holds values other than 0 and 1.", remedy="Code the half-samples 0/1.")
    return codes, given.astype(np.int64)


def item_names(item_ids: Sequence[str] | None, n_items: int) -> tuple[str, ...]:
    """Given names, or I1..IJ."""
    if item_ids is None:
        return tuple(f"I{position + 1}" for position in range(n_items))
    names = tuple(str(name) for name in item_ids)
    if len(names) != n_items:
        raise BadShape(f"{len(names)} item ids for {n_items} items.", remedy="Give one id per item.")
    if len(set(names)) != n_items:
        raise BadShape("Some item ids appear twice.", remedy="Give every item its own id.")
    return names


def positive(value: float, name: str) -> float:
    """A finite number above zero."""
    if not np.isfinite(value) or value <= 0:
        raise BadOption(f"{name} is {value}.", remedy=f"Give a {name} above zero.")
    return float(value)


def choice(value: object, name: str, options: tuple[str, ...]) -> None:
    """Refuse a word that is none of ``options``."""
    if value not in options:
        raise BadOption(f"{name} is {value!r}.", remedy=f"Use {' or '.join(map(repr, options))}.")


def probability_vector(probabilities: Sequence[float]) -> FloatArray:
    """At least one probability, each strictly between 0 and 1."""
    asked = np.asarray(probabilities, dtype=np.float64)
    if asked.size == 0 or (asked <= 0).any() or (asked >= 1).any():
        raise BadOption("A probability lies outside 0..1.", remedy="Use e.g. 0.05, 0.5, 0.95.")
    return asked


def scoring_policy(value: object, name: str) -> int:
    """The code a kind of no answer turns into: score 0 or missing."""
    if value == "missing":
        return MISSING
    if value == 0:
        return 0
    raise BadOption(f"{name} is {value!r}.", remedy="Use 0 (counts as wrong) or 'missing'.")
