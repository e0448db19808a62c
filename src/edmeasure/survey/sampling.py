"""How a sample was drawn, and so how far its figures may be off: one design for every survey function.

A `SampleDesign` holds the weights and one of two ways to sampling variance: Taylor linearisation from strata and clusters
(the first stage counts, as if clusters were drawn with replacement), or replicates - made here from strata and clusters,
or given with the data as TIMSS, PISA and PIRLS do - whose estimates are compared with the full one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._loops import each, parts_of, reordered
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape, BadWeight
from edmeasure.survey import _replication
from edmeasure.survey._clusters import Clusters, read_clusters
from edmeasure.survey._replication import Replication

Method = Literal["simple", "taylor", "jk1", "jkn", "jk2", "brr", "fay", "bootstrap"]
Lonely = Literal["refuse", "certainty", "centre"]
CHUNK_ROWS = 16_384
CHUNK_CELLS = 4_000_000
FAY = 0.5
EVERY = slice(None)


@reordered
def _add_to_cells(parts: FloatArray, weights: FloatArray, cells: IntArray, totals: FloatArray) -> None:
    """Add weighted parts (k, b) to the totals (k, C) of their cells."""
    for a in range(parts.shape[0]):
        for i in range(parts.shape[1]):
            totals[a, cells[i]] += weights[i] * parts[a, i]


@reordered
def _add_to_replicates(parts: FloatArray, replicates: FloatArray, totals: FloatArray) -> None:
    """Add parts (k, b) times replicate weights (b, R) to totals (k, R)."""
    for i in range(parts.shape[1]):
        for a in range(parts.shape[0]):
            factor = parts[a, i]
            for r in range(replicates.shape[1]):
                totals[a, r] += factor * replicates[i, r]


@dataclass(frozen=True, eq=False)
class SampleDesign:
    """Made by `simple`, `taylor`, `jackknife`, `paired`, `balanced`, `bootstrap` or `replicates`.

    Attributes
    ----------
    weights : float64 (n,)
    degrees : float
        Degrees of freedom of a variance: clusters minus strata, pairs, or replicates.
    certainty, lonely : tuple of str
        Strata that add no variance between clusters because all their clusters were taken; strata with a single cluster.
    """

    method: Method
    weights: FloatArray
    degrees: float
    certainty: tuple[str, ...] = ()
    lonely: tuple[str, ...] = ()
    _clusters: Clusters | None = None
    _replication: Replication | None = None
    _given: npt.NDArray[np.floating] | None = None
    _scales: FloatArray | None = None
    _members: BoolArray | None = None

    @classmethod
    def simple(cls, weights: npt.ArrayLike | None = None, *, n: int | None = None) -> SampleDesign:
        """Persons drawn one by one; ``n`` is needed where there are no weights."""
        if weights is None and n is None:
            raise BadOption("Neither weights nor n is given.", remedy="Say how many persons there are.")
        checked = _validate.weight_vector(weights, np.size(np.asarray(weights)) if n is None else n)
        return cls("simple", checked, float(np.count_nonzero(checked) - 1))

    @classmethod
    def taylor(
        cls,
        weights: npt.ArrayLike,
        *,
        strata: npt.ArrayLike | None = None,
        clusters: npt.ArrayLike | None = None,
        population_clusters: npt.ArrayLike | None = None,
        certainty: Sequence[object] = (),
        lonely: Lonely = "refuse",
    ) -> SampleDesign:
        """Taylor linearisation over clusters within strata (Binder 1983; Woodruff 1971).

        Parameters
        ----------
        weights : (n,)
        strata, clusters : (n,), optional
            Labels; clusters count within their stratum. Without them: one stratum, every person a cluster.
        population_clusters : (n,), optional
            Number of clusters in the population of the person's stratum: the variance shrinks by 1 - n_h / N_h.
        certainty
            Labels of strata all of whose clusters were taken; those with n_h = N_h are found.
        lonely
            What a stratum with one cluster, not taken with certainty, does: ``"refuse"`` names it in an error,
            ``"certainty"`` lets it add nothing, ``"centre"`` measures it from the mean of all clusters (on the safe side).
        """
        checked = _validate.weight_vector(weights, np.size(weights))
        found = read_clusters(checked.size, strata, clusters, population_clusters, certainty, lonely)
        return cls("taylor", checked, found.degrees, found.certainty_names, found.lonely_names, found)

    @classmethod
    def jackknife(
        cls,
        weights: npt.ArrayLike,
        *,
        strata: npt.ArrayLike | None = None,
        clusters: npt.ArrayLike | None = None,
        population_clusters: npt.ArrayLike | None = None,
        certainty: Sequence[object] = (),
        lonely: Literal["refuse", "certainty"] = "refuse",
    ) -> SampleDesign:
        """Every cluster drops out once: JK1 without strata, JKn with them; options as in `taylor`."""
        checked = _validate.weight_vector(weights, np.size(weights))
        _validate.choice(lonely, "lonely", ("refuse", "certainty"))
        found = read_clusters(checked.size, strata, clusters, population_clusters, certainty, lonely)
        dropped = _replication.Dropped(found.strata, found.sizes, found.kept)
        method: Method = "jk1" if strata is None else "jkn"
        return cls(method, checked, found.degrees, found.certainty_names, found.lonely_names, found, dropped)

    @classmethod
    def paired(
        cls,
        weights: npt.ArrayLike | None,
        *,
        zones: npt.ArrayLike,
        reps: npt.ArrayLike,
        sides: Literal["one", "both"] = "one",
    ) -> SampleDesign:
        """JK2 from zones of two half-samples ``reps`` 0/1; ``sides="both"`` is the practice of TIMSS since 2015."""
        _validate.choice(sides, "sides", ("one", "both"))
        checked = _validate.weight_vector(weights, np.size(zones))
        codes = _validate.replicate_codes(zones, reps, checked.size)
        assert codes is not None
        zone, rep = codes
        halves = _replication.Halves(int(zone.max(initial=-1)) + 1, sides == "both")
        of_cells = np.repeat(np.arange(halves.n_zones), 2)
        pairs = Clusters(2 * zone + rep, of_cells, np.full(halves.n_zones, 2.0), np.ones(halves.n_zones))
        return cls("jk2", checked, float(halves.n_zones), _clusters=pairs, _replication=halves)

    @classmethod
    def balanced(
        cls, weights: npt.ArrayLike, *, strata: npt.ArrayLike, clusters: npt.ArrayLike, fay: float = 0.0
    ) -> SampleDesign:
        """BRR from two clusters per stratum and a Hadamard matrix; ``fay`` > 0 is Fay's method with that k."""
        checked = _validate.weight_vector(weights, np.size(weights))
        if not 0 <= fay < 1:
            raise BadOption(f"fay is {fay}.", remedy="Use 0 for plain BRR, 0.5 as PISA, never 1.")
        # a stratum of one cluster is refused with the others that do not hold two
        found = read_clusters(checked.size, strata, clusters, None, (), "certainty")
        replication = _replication.balanced(found.strata, [str(name) for name in np.unique(np.asarray(strata))], fay)
        return cls("fay" if fay else "brr", checked, found.degrees, _clusters=found, _replication=replication)

    @classmethod
    def bootstrap(
        cls,
        weights: npt.ArrayLike,
        *,
        rng: np.random.Generator,
        strata: npt.ArrayLike | None = None,
        clusters: npt.ArrayLike | None = None,
        certainty: Sequence[object] = (),
        lonely: Literal["refuse", "certainty"] = "refuse",
        n_replicates: int = 500,
    ) -> SampleDesign:
        """Rescaling bootstrap of clusters (Rao & Wu 1988; Rao, Wu & Yue 1992); a variance's own error is sqrt(2 / R)."""
        checked = _validate.weight_vector(weights, np.size(weights))
        if n_replicates < 2:
            raise BadOption(f"n_replicates is {n_replicates}.", remedy="Draw at least 2, better 500.")
        _validate.choice(lonely, "lonely", ("refuse", "certainty"))
        found = read_clusters(checked.size, strata, clusters, None, certainty, lonely)
        drawn = _replication.resampled(found.strata, found.kept > 0, n_replicates, rng)
        return cls("bootstrap", checked, found.degrees, found.certainty_names, found.lonely_names, found, drawn)

    @classmethod
    def replicates(
        cls,
        weights: npt.ArrayLike,
        replicate_weights: npt.ArrayLike,
        *,
        method: Literal["jk1", "jkn", "jk2", "brr", "fay", "bootstrap"],
        fay: float = FAY,
        scales: npt.ArrayLike | None = None,
        degrees: float | None = None,
    ) -> SampleDesign:
        """Replicate weights that came with the data.

        Parameters
        ----------
        weights : (n,)
        replicate_weights : (n, R)
            Any floats; a ``numpy.memmap`` is read in chunks of rows and never held whole.
        method
            Variance is sum c_r (t_r - t)^2 with c_r: ``"jk1"`` (R - 1) / R, ``"jk2"`` 1, ``"brr"`` and ``"bootstrap"`` 1 / R,
            ``"fay"`` 1 / (R (1 - fay)^2) (PISA: 80 replicates, fay 0.5); ``"jkn"`` needs ``scales``.
        scales : float or (R,), optional
            The c_r themselves.
        degrees
            Degrees of freedom where the number of replicates is not a good guess.
        """
        checked = _validate.weight_vector(weights, np.size(weights))
        given = np.asanyarray(replicate_weights)
        if not np.issubdtype(given.dtype, np.number):
            raise BadWeight(f"Replicate weights have the type {given.dtype}.", remedy="Pass numbers.")
        if given.ndim != 2 or given.shape[0] != checked.size or given.shape[1] < 2:
            raise BadShape(
                f"Replicate weights have shape {given.shape} for {checked.size} persons.",
                remedy="Pass (n_persons, n_replicates) with at least two replicates.",
            )
        for rows in _row_chunks(checked.size, given.shape[1]):
            if not np.isfinite(given[rows]).all():
                raise BadWeight(
                    f"Replicate weights of persons {rows.start}..{rows.stop - 1} are not all finite.",
                    remedy="Drop those persons or give them weight 0.",
                )
        _validate.choice(method, "method", ("jk1", "jkn", "jk2", "brr", "fay", "bootstrap"))
        found = _scales(method, given.shape[1], fay, scales)
        freedom = given.shape[1] - (1 if method == "jk1" else 0) if degrees is None else degrees
        return cls(method, checked, _validate.positive(freedom, "degrees"), _given=given, _scales=found)

    def within(self, members: npt.ArrayLike) -> SampleDesign:
        """The same design for a part of the population: others weigh nothing, but their clusters still count.

        Values of the others are not looked at, but must be numbers: 0 where they are unknown.
        """
        chosen = np.asarray(members)
        if chosen.shape != self.weights.shape or chosen.dtype != np.bool_:
            raise BadOption("members is not a mask of the persons.", remedy="Pass bool (n,).")
        everyone = chosen if self._members is None else chosen & self._members
        weights = np.where(everyone, self.weights, 0.0)
        if weights.sum() <= 0:
            raise BadWeight("No member has a positive weight.", remedy="Choose a part with persons in it.")
        degrees = float(everyone.sum() - 1) if self.method == "simple" else self.degrees
        return replace(self, weights=weights, degrees=degrees, _members=everyone)

    @property
    def n(self) -> int:
        """Number of persons, or of members of the part."""
        return int(self.weights.size if self._members is None else self._members.sum())

    @property
    def n_replicates(self) -> int:
        """0 for the simple design and Taylor's."""
        return 0 if self.method in ("simple", "taylor") else int(self.coefficients.size)

    @property
    def coefficients(self) -> FloatArray:
        """c_r of every replicate, (R,)."""
        if self._scales is not None:
            return self._scales
        return np.empty(0) if self._replication is None else self._replication.coefficients

    @property
    def clusters(self) -> Clusters | None:
        """Which cluster everybody belongs to; None for the simple design and given replicate weights."""
        return self._clusters

    def chunks(self, width: int = 1) -> Iterator[slice]:
        """Rows to be worked on at once where each needs ``width`` numbers."""
        return _row_chunks(self.weights.size, width)

    def cell_totals(self, parts: FloatArray, rows: slice, totals: FloatArray) -> None:
        """Add the weighted parts (k, b) of these rows to the totals (k, C) of clusters."""
        assert self._clusters is not None
        cells = np.ascontiguousarray(self._clusters.cells[rows])
        filled = np.ascontiguousarray(parts, dtype=np.float64)
        _add_to_cells(filled, np.ascontiguousarray(self.weights[rows]), cells, totals)

    def replicate_weights(self, rows: slice | IntArray, columns: slice = EVERY) -> FloatArray:
        """Weights of some persons in all or some replicates, (b, R)."""
        if self._given is not None:
            found = np.array(self._given[rows][:, columns], dtype=np.float64, order="C")
            return found if self._members is None else found * self._members[rows][:, None]
        assert self._clusters is not None
        assert self._replication is not None
        return self.weights[rows][:, None] * self._replication.factors(self._clusters.cells[rows])[:, columns]

    def replicate_totals_of_cells(self, totals: FloatArray) -> FloatArray:
        """Totals (k, C) of clusters to totals (k, R) of replicates."""
        assert self._replication is not None
        return self._replication.totals(totals)

    def cell_factors(self, r: int) -> FloatArray:
        """What every cluster's weights are multiplied by in replicate r, (C,)."""
        assert self._replication is not None
        return self._replication.factors_in(r)

    def add_given(self, parts: FloatArray, rows: slice, totals: FloatArray) -> None:
        """Add parts (k, b) times given replicate weights to totals (k, R)."""
        filled = np.ascontiguousarray(parts, dtype=np.float64)
        weights = self.replicate_weights(rows)
        pieces = parts_of(filled.shape[1])
        own = np.zeros((len(pieces), *totals.shape))

        def add(piece: int) -> None:
            here = pieces[piece]
            _add_to_replicates(np.ascontiguousarray(filled[:, here]), weights[here], own[piece])

        each(add, range(len(pieces)))
        totals += own.sum(axis=0)

    @property
    def is_given(self) -> bool:
        """Whether the replicate weights came with the data."""
        return self._given is not None

    def __str__(self) -> str:
        words = {"simple": "simple random sample", "taylor": "Taylor linearisation"}.get(self.method, self.method.upper())
        named = f", {len(self.certainty)} certainty strata" if self.certainty else ""
        named += f", {len(self.lonely)} strata of one cluster" if self.lonely else ""
        counted = f", {self.n_replicates} replicates" if self.n_replicates else ""
        return f"{words}: {self.n:,} persons{counted}{named}, {self.degrees:.0f} degrees of freedom"


def _row_chunks(n: int, width: int) -> Iterator[slice]:
    size = max(1, min(CHUNK_ROWS, CHUNK_CELLS // max(width, 1)))
    return (slice(first, min(first + size, n)) for first in range(0, n, size))


def _scales(method: str, n_replicates: int, fay: float, scales: npt.ArrayLike | None) -> FloatArray:
    if scales is not None:
        return _validate.float_vector(scales, n_replicates, "scales")
    if method == "jkn":
        raise BadOption("JKn replicates have no scale of their own.", remedy="Pass `scales`, (n_h - 1) / n_h of each replicate.")
    if method == "fay" and not 0 <= fay < 1:
        raise BadOption(f"fay is {fay}.", remedy="Use the k of the survey's manual: 0.5 for PISA.")
    one = {"jk1": 1 - 1 / n_replicates, "jk2": 1.0, "fay": 1 / (n_replicates * (1 - fay) ** 2)}
    return np.full(n_replicates, one.get(method, 1 / n_replicates))
