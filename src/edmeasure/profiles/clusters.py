"""Profiles of persons: K-means and latent profiles with evidence for their number and their stability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.profiles import _cluster_evidence
from edmeasure.profiles._cluster_evidence import Fit, Fitter
from edmeasure.profiles._kmeans import KMeansFit, fit_kmeans
from edmeasure.profiles._mixture import MixtureFit, MixtureFitter
from edmeasure.profiles._table import Data, Table, complete, read_table, read_values

METHODS = ("kmeans", "latent")
CRITERIA = {"kmeans": ("gap", "silhouette"), "latent": ("bic", "abic", "bootstrap")}
EVIDENCE_SAMPLE = 4_000
FEWEST_PER_PROFILE = 2
SURE = 0.05


@dataclass(frozen=True, eq=False)
class ProfileEvidence(Exported):
    """What speaks for each number of profiles; arrays run over ``counts``, NaN where a figure is not of the method.

    Attributes
    ----------
    counts : int64 (N,)
    within : float64 (N,)
        Share of the variance that is left within profiles (K-means).
    gap, gap_error : float64 (N,)
        Gap statistic (K-means); best is the least number whose gap is within an error of the greatest.
    silhouette : float64 (N,)
        -1 to 1; above 0.5 clear, below 0.25 hardly any clusters.
    loglik, bic, abic : float64 (N,)
        Log-likelihood, Schwarz's criterion and its form adjusted for sample size (latent); less is better.
    entropy : float64 (N,)
        1 where everybody's profile is certain (latent).
    bootstrap_p : float64 (N,)
        Of the test against one profile less.
    stability : float64 (N,)
        Mean adjusted Rand index over bootstrap samples: above 0.8 stable, below 0.6 do not use.
    smallest : float64 (N,)
        Share of the smallest profile.
    agreeing : float64 (N,)
        Share of the starts that ended at the best.
    """

    counts: IntArray
    within: FloatArray
    gap: FloatArray
    gap_error: FloatArray
    silhouette: FloatArray
    loglik: FloatArray
    bic: FloatArray
    abic: FloatArray
    entropy: FloatArray
    bootstrap_p: FloatArray
    stability: FloatArray
    smallest: FloatArray
    agreeing: FloatArray

    def best(self, criterion: str) -> int:
        """The number that a criterion speaks for."""
        if criterion == "gap":
            greatest = int(np.argmax(self.gap))
            return int(self.counts[int(np.argmax(self.gap >= self.gap[greatest] - self.gap_error[greatest]))])
        if criterion == "bootstrap":
            unneeded = np.flatnonzero(self.bootstrap_p[1:] > SURE)
            return int(self.counts[unneeded[0] if unneeded.size else -1])
        values = {"silhouette": -self.silhouette, "bic": self.bic, "abic": self.abic}[criterion]
        return int(self.counts[int(np.nanargmin(values))]) if np.isfinite(values).any() else int(self.counts[0])

    def __str__(self) -> str:
        names = ("within", "gap", "silhouette", "bic", "abic", "entropy", "bootstrap_p", "stability", "smallest", "agreeing")
        shown = [name for name in names if np.isfinite(getattr(self, name)).any()]
        lines = ["profiles " + " ".join(f"{name:>11}" for name in shown)]
        for at, count in enumerate(self.counts):
            cells = [float(getattr(self, name)[at]) for name in shown]
            told = [
                f"{cell:11.1f}" if abs(cell) >= 1000 else f"{cell:11.3f}" if np.isfinite(cell) else f"{'-':>11}" for cell in cells
            ]
            lines.append(f"{count:8d} " + " ".join(told))
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Profiles(Exported):
    """K profiles of persons, numbered from the largest; arrays over profiles follow that order.

    Attributes
    ----------
    columns : tuple of str
    names : tuple of str
        Numbers until people name them (`named`).
    centres, spreads : float64 (K, J)
        Means and deviations within profiles, in the units of the data.
    shares : float64 (K,)
        Of the weighted persons.
    number : int64 (n,)
        Most likely profile of every person, 1 to K.
    membership : float64 (n, K)
        Chances; 0 or 1 for K-means.
    certainty : float64 (K,)
        Mean chance of a profile's members to belong to it.
    jaccard : float64 (K,)
        How far bootstrap samples find each profile again: below 0.6 it is no profile to report (Hennig 2007).
    evidence : ProfileEvidence
    n_starts, n_agreeing : int
        Of the profiles chosen.
    """

    method: str
    columns: tuple[str, ...]
    names: tuple[str, ...]
    centres: FloatArray
    spreads: FloatArray
    shares: FloatArray
    number: IntArray
    membership: FloatArray
    certainty: FloatArray
    jaccard: FloatArray
    evidence: ProfileEvidence
    n_starts: int
    n_agreeing: int
    converged: bool
    fit: KMeansFit | MixtureFit
    means: FloatArray
    scales: FloatArray

    @property
    def n_profiles(self) -> int:
        return int(self.shares.size)

    def named(self, names: Mapping[int, str]) -> Profiles:
        """The same profiles with names that people gave, by number."""
        strangers = sorted(set(names) - set(range(1, self.n_profiles + 1)))
        if strangers:
            raise BadOption(f"There are no profiles {strangers}.", remedy=f"Name profiles 1 to {self.n_profiles}.")
        given = tuple(names.get(at + 1, old) for at, old in enumerate(self.names))
        if len(set(given)) != len(given):
            raise BadOption("Two profiles have the same name.", remedy="Give every profile its own.")
        return replace(self, names=given)

    def assign(self, data: Data) -> FloatArray:
        """Chances of other persons to belong to each profile, (n, K)."""
        values = (read_values(data, self.columns) - self.means) / self.scales
        if self.method == "kmeans" and np.isnan(values).any():
            rows = np.flatnonzero(np.isnan(values).any(axis=1))[:10].tolist()
            raise BadOption(f"Persons at positions {rows} lack a value.", remedy="Leave them out, or use method='latent'.")
        return self.fit.chances(values)

    def to_dict(self) -> dict[str, object]:
        """As of every result, without the inner fit."""
        return {name: value for name, value in super().to_dict().items() if name not in ("fit", "means", "scales")}

    def _columns(self) -> Mapping[str, object]:
        chances = {f"profile_{at + 1}": column for at, column in enumerate(self.membership.T)}
        return {"number": self.number, **chances}

    def __str__(self) -> str:
        chosen = int(np.flatnonzero(self.evidence.counts == self.n_profiles)[0])
        stable = self.evidence.stability[chosen]
        told = f"stability {stable:.2f}, " if np.isfinite(stable) else ""
        lines = [
            f"{self.n_profiles} profiles ({self.method}) of {self.number.size:,} persons, {told}"
            f"{self.n_agreeing} of {self.n_starts} starts agree" + ("" if self.converged else ", NOT CONVERGED"),
            str(self.evidence),
        ]
        width = max(8, *(len(name) for name in self.columns))
        lines.append(f"{'name':<12} {'share':>6} " + " ".join(f"{name:>{width}}" for name in self.columns))
        for name, share, centre in zip(self.names, self.shares, self.centres, strict=True):
            lines.append(f"{name:<12} {share:6.1%} " + " ".join(f"{value:{width}.2f}" for value in centre))
        return "\n".join(lines)


def find_profiles(
    data: Data,
    *,
    rng: np.random.Generator,
    method: str = "kmeans",
    n_profiles: int | Iterable[int] = range(1, 9),
    criterion: str | None = None,
    weights: npt.ArrayLike | None = None,
    columns: Sequence[str] | None = None,
    is_standardized: bool = True,
    has_shared_variances: bool = False,
    n_starts: int = 50,
    n_replications: int = 20,
    n_tests: int = 0,
) -> Profiles:
    """Group persons by their values on several scales, with evidence that there are groups.

    Parameters
    ----------
    data : (n, J)
        Scores or other measures; NaN where there is none (latent profiles only).
    method
        ``"kmeans"``: least squares around centres. ``"latent"``: a mixture of normal densities,
        independent within a profile, by maximum likelihood; persons get chances.
    n_profiles
        Numbers to try, or the one wanted. One profile is worth trying: there may be no groups.
    criterion
        What chooses: ``"gap"`` (default) or ``"silhouette"`` (default without replications) of K-means,
        ``"bic"`` (default), ``"abic"`` or ``"bootstrap"`` of latent profiles.
    is_standardized
        Let every column weigh the same in K-means.
    has_shared_variances
        All latent profiles have the same variances.
    n_starts
        The best of so many counts.
    n_replications
        Bootstrap samples for stability and reference sets for the gap, of at most 4,000 persons; 0 for none.
    n_tests
        Draws for the bootstrap test of every number against one less, of at most 4,000 persons; 99 is usual.

    Notes
    -----
    Profiles describe; most school data lie on a slope without gaps, and K-means cuts any slope into as
    many pieces as asked. Look at stability and silhouette before anybody names a profile.
    """
    criterion = _check_options(method, criterion, n_starts, n_replications, n_tests)
    table = read_table(data, weights, columns)
    counts = _counts(n_profiles, table)
    values = complete(table) if method == "kmeans" else table.values
    means, scales = table.moments()
    if method == "kmeans" and not is_standardized:
        means, scales = np.zeros(means.size), np.ones(scales.size)
    z = (values - means) / scales
    fitter: Fitter = fit_kmeans if method == "kmeans" else MixtureFitter(has_shared_variances)
    alive = np.flatnonzero((table.weights > 0) & table.present.any(axis=1))
    search = _Search(z[alive], table.weights[alive], counts, fitter, n_starts, n_replications, n_tests, rng)
    # one thread: sums would depend on their number in the last digits, and small products gain nothing from more
    with threadpool_limits(limits=1):
        fits = [fitter(search.values, search.weights, int(k), n_starts, rng) for k in counts]
        evidence, stabilities = search.evidence(fits)
    at = 0 if counts.size == 1 else int(np.flatnonzero(counts == evidence.best(criterion))[0])
    return _result(method, table, z, means, scales, fits[at], evidence, stabilities[at].jaccard)


def _check_options(method: str, criterion: str | None, n_starts: int, n_replications: int, n_tests: int) -> str:
    _validate.choice(method, "method", METHODS)
    has_gap = method == "kmeans" and n_replications > 0
    chosen = criterion or (CRITERIA[method][0] if has_gap or method == "latent" else "silhouette")
    _validate.choice(chosen, "criterion", CRITERIA[method])
    if n_starts < 1 or n_replications < 0 or n_replications == 1 or n_tests < 0:
        raise BadOption(
            f"n_starts is {n_starts}, n_replications {n_replications}, n_tests {n_tests}.",
            remedy="Use at least 1 start, 0 or at least 2 replications, 0 or more tests.",
        )
    if chosen == "gap" and not has_gap:
        raise BadOption("The gap chooses without reference sets.", remedy="Give n_replications, such as 20.")
    if chosen == "bootstrap" and n_tests == 0:
        raise BadOption("The bootstrap chooses without draws.", remedy="Give n_tests, such as 99.")
    return chosen


def _counts(n_profiles: int | Iterable[int], table: Table) -> IntArray:
    asked = [n_profiles] if isinstance(n_profiles, int) else list(n_profiles)
    counts = np.unique(np.array(asked, dtype=np.int64))
    if counts.size == 0 or counts[0] < 1:
        raise BadOption(f"n_profiles is {asked[:10]}.", remedy="Ask for one profile or more.")
    distinct = np.unique(table.values[: 100 * counts[-1]], axis=0).shape[0]
    if distinct < FEWEST_PER_PROFILE * counts[-1]:
        distinct = np.unique(table.values, axis=0).shape[0]
    if distinct < FEWEST_PER_PROFILE * counts[-1]:
        raise BadShape(
            f"{distinct} different persons for {counts[-1]} profiles.",
            remedy="Ask for fewer profiles, at most one for two different persons.",
        )
    return counts


@dataclass(frozen=True, eq=False)
class _Search:
    values: FloatArray
    weights: FloatArray
    counts: IntArray
    fitter: Fitter
    n_starts: int
    n_replications: int
    n_tests: int
    rng: np.random.Generator

    def evidence(self, fits: list[Fit]) -> tuple[ProfileEvidence, list[_cluster_evidence.Stability]]:
        """Figures for every number; those that take replications on a sample of the persons."""
        n, size = self.values.shape[0], self.counts.size
        rows = np.sort(self.rng.permutation(n)[:EVIDENCE_SAMPLE])
        some, weights = self.values[rows], self.weights[rows]
        again = replace(self.fitter, is_coarse=True) if isinstance(self.fitter, MixtureFitter) else self.fitter
        stabilities = [_cluster_evidence.stability(some, weights, fit, again, self.n_replications, self.rng) for fit in fits]
        figures = {name: np.full(size, np.nan) for name in ProfileEvidence.__dataclass_fields__ if name != "counts"}
        figures["stability"] = np.array([one.rand for one in stabilities])
        figures["smallest"] = np.array([fit.shares.min() for fit in fits])
        figures["agreeing"] = np.array([fit.n_agreeing / fit.n_starts for fit in fits])
        if isinstance(again, MixtureFitter):
            self._add_likelihoods(figures, fits, again, some, weights)
        else:
            self._add_distances(figures, fits, some, weights)
        return ProfileEvidence(self.counts, **figures), stabilities

    def _add_distances(self, figures: dict[str, FloatArray], fits: list[Fit], some: FloatArray, weights: FloatArray) -> None:
        mean = np.average(self.values, axis=0, weights=self.weights)
        total = float((self.weights[:, None] * (self.values - mean) ** 2).sum())
        figures["within"] = np.array([-fit.value / total for fit in fits])
        figures["silhouette"] = np.array([_cluster_evidence.silhouette(some, fit.nearest(some), self.rng) for fit in fits])
        if self.n_replications:
            apart = [weights @ ((some - fit.centres[fit.nearest(some)]) ** 2).sum(axis=1) for fit in fits]
            figures["gap"], figures["gap_error"] = _cluster_evidence.gaps(
                some, weights, self.counts, np.array(apart), self.fitter, self.n_replications, self.rng
            )

    def _add_likelihoods(
        self, figures: dict[str, FloatArray], fits: list[Fit], fitter: MixtureFitter, some: FloatArray, weights: FloatArray
    ) -> None:
        n, n_columns = self.values.shape
        figures["loglik"] = np.array([fit.value for fit in fits])
        parameters = np.array([fitter.n_parameters(int(k), n_columns) for k in self.counts])
        figures["bic"] = -2 * figures["loglik"] + parameters * np.log(n)
        figures["abic"] = -2 * figures["loglik"] + parameters * np.log((n + 2) / 24)
        figures["entropy"] = np.array([_cluster_evidence.entropy(fit.chances(self.values), self.weights) for fit in fits])
        for at, fit in enumerate(fits[:-1]):
            if self.n_tests and isinstance(fit, MixtureFit) and self.counts[at + 1] == self.counts[at] + 1:
                figures["bootstrap_p"][at + 1] = _cluster_evidence.bootstrap_test(
                    some, weights, fit, fitter, self.n_tests, self.rng
                )


def _result(
    method: str,
    table: Table,
    z: FloatArray,
    means: FloatArray,
    scales: FloatArray,
    found: Fit,
    evidence: ProfileEvidence,
    jaccard: FloatArray,
) -> Profiles:
    """Profiles from the largest to the smallest, in the units of the data."""
    order = np.argsort(-found.shares, kind="stable")
    ordered = _ordered(found, order)
    membership = ordered.chances(z)
    number = membership.argmax(axis=1) + 1
    weighted = membership * table.weights[:, None]
    within = _spreads(z, weighted, ordered)
    own = number[:, None] == np.arange(1, order.size + 1)
    mass = np.maximum((own * table.weights[:, None]).sum(axis=0), 1e-300)
    return Profiles(
        method=method,
        columns=table.item_ids,
        names=tuple(str(at + 1) for at in range(order.size)),
        centres=means + scales * ordered.centres,
        spreads=scales * within,
        shares=ordered.shares,
        number=number.astype(np.int64),
        membership=membership,
        certainty=(own * weighted).sum(axis=0) / mass,
        jaccard=jaccard[order],
        evidence=evidence,
        n_starts=found.n_starts,
        n_agreeing=found.n_agreeing,
        converged=found.converged,
        fit=ordered,
        means=means,
        scales=scales,
    )


def _ordered(found: Fit, order: IntArray) -> KMeansFit | MixtureFit:
    if isinstance(found, MixtureFit):
        return replace(found, centres=found.centres[order], variances=found.variances[order], shares=found.shares[order])
    return KMeansFit(found.centres[order], found.shares[order], found.value, found.n_starts, found.n_agreeing, found.converged)


def _spreads(z: FloatArray, weighted: FloatArray, found: KMeansFit | MixtureFit) -> FloatArray:
    if isinstance(found, MixtureFit):
        return np.asarray(np.sqrt(found.variances))
    squares = weighted.T @ z**2 / np.maximum(weighted.sum(axis=0), 1e-300)[:, None] - found.centres**2
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
