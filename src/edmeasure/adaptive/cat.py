"""Adaptive tests: which item comes next, when to stop, and how such tests would go for many examinees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.adaptive import _cat_kernels as _adaptive_kernels
from edmeasure.adaptive._cat_kernels import UNANSWERED
from edmeasure.calibration._em import quadrature
from edmeasure.calibration._items import ScoringItems, parameters_of
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption, BadScore, BadShape

METHODS = ("information", "kullback-leibler")
REASONS = ("longest test", "error reached", "too little information left", "no item left", "waiting for an answer")
DIFFERENCE = 1e-5
DRAWN_AT_ONCE = 1000
LARGEST_SEED = 2**62


@dataclass(frozen=True, eq=False)
class ItemBank:
    """Calibrated items with their curves and information at nodes.

    Attributes
    ----------
    item_ids : tuple of str (J,)
    areas : int64 (J,), area_names : tuple of str
        Content area of every item.
    nodes, prior : float64 (Q,)
    information : float64 (J, Q)
    probabilities : float64 (n_categories, Q)
        Items one after the other, from ``category_start``.
    """

    item_ids: tuple[str, ...]
    areas: IntArray
    area_names: tuple[str, ...]
    nodes: FloatArray
    prior: FloatArray
    information: FloatArray
    probabilities: FloatArray
    items: ScoringItems

    @property
    def category_start(self) -> IntArray:
        return self.items.category_start

    def draw(self, thetas: npt.ArrayLike, *, rng: np.random.Generator) -> Int8Array:
        """Answers of examinees with these abilities to all items, (n, J)."""
        ability = np.asarray(thetas, dtype=np.float64)
        drawn = np.zeros((ability.size, len(self.item_ids)), dtype=np.int8)
        for begin in range(0, ability.size, DRAWN_AT_ONCE):
            part = slice(begin, begin + DRAWN_AT_ONCE)
            chance = np.exp(self.items.log_probabilities(ability[part])).T
            luck = rng.random(drawn[part].shape)
            for category in range(int(self.items.max_scores.max())):
                has_more = np.flatnonzero(self.items.max_scores > category)
                luck[:, has_more] -= chance[:, self.category_start[has_more] + category]
                drawn[part, has_more] += luck[:, has_more] >= 0
        return drawn


@dataclass(frozen=True)
class TestRules:
    """How items are chosen and when a test ends.

    Attributes
    ----------
    method : "information" or "kullback-leibler"
    among : int
        One of that many best items is taken at random (randomesque; Kingsbury & Zara 1989).
    min_items, max_items : int
    max_error : float
        The test ends once the posterior deviation is that small.
    min_information : float
        It also ends when the next item would tell less than that at the estimate.
    area_shares : tuple of float
        Share of every content area, in the order of ``ItemBank.area_names``; none leaves areas free.
    chances : tuple of float
        With what chance every item is given once chosen (Sympson & Hetter 1985).
    weights : tuple of float
        Factor of every item's criterion; see `fade_away`.
    """

    __test__ = False

    method: str = "information"
    among: int = 1
    min_items: int = 1
    max_items: int = 30
    max_error: float = 0.0
    min_information: float = 0.0
    area_shares: tuple[float, ...] = ()
    chances: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no test could follow."""
        _validate.choice(self.method, "method", METHODS)
        if self.among < 1 or not 0 <= self.min_items <= self.max_items or self.max_items < 1:
            raise BadOption("among, min_items or max_items do not fit.", remedy="Use among >= 1 and min_items <= max_items.")
        for value, name in ((self.max_error, "max_error"), (self.min_information, "min_information")):
            if not value >= 0:
                raise BadOption(f"{name} is {value}.", remedy="Use 0 or more.")


@dataclass(frozen=True)
class TestState:
    """Where one examinee's test stands: everything that the next item depends on."""

    __test__ = False

    seed: int
    item_ids: tuple[str, ...] = ()
    scores: tuple[int, ...] = ()

    def answered(self, item_id: str, score: int) -> TestState:
        """The state after one more answer."""
        return TestState(self.seed, (*self.item_ids, item_id), (*self.scores, int(score)))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TestState:
        """The state that `to_json` wrote: the test goes on with the same item."""
        read = json.loads(text)
        return cls(int(read["seed"]), tuple(read["item_ids"]), tuple(int(score) for score in read["scores"]))


@dataclass(frozen=True)
class NextStep:
    """The next item, or None and the reason, with the estimate so far."""

    item_id: str | None
    reason: str
    theta: float
    se: float

    def __str__(self) -> str:
        ahead = f"next {self.item_id}" if self.item_id is not None else f"ended: {self.reason}"
        return f"theta {self.theta:.3f} ({self.se:.3f}), {ahead}"


@dataclass(frozen=True, eq=False)
class SimulatedTests(Exported):
    """Tests of many examinees.

    Attributes
    ----------
    theta, se : float64 (n,)
        Posterior means and deviations.
    n_items : int64 (n,)
    items : int64 (n, max_items)
        Positions in the bank in order, -1 after the last.
    reasons : int64 (n,)
        Places in ``REASONS``.
    exposure, proposed : float64 (J,)
        Share of tests that gave the item, and that chose it.
    """

    theta: FloatArray
    se: FloatArray
    n_items: IntArray
    items: IntArray
    reasons: IntArray
    exposure: FloatArray
    proposed: FloatArray

    def __str__(self) -> str:
        return (
            f"{self.theta.size:,} tests of {self.n_items.mean():.1f} items: mean error {self.se.mean():.3f}, "
            f"highest exposure {self.exposure.max():.3f}, {(self.exposure == 0).sum()} items never given"
        )


def item_bank(
    fit: IRTFit,
    *,
    areas: Sequence[str] | None = None,
    prior_mean: float = 0.0,
    prior_sd: float = 1.0,
    n_nodes: int = 101,
    bound: float = 5.0,
) -> ItemBank:
    """Tabulate a fit's items once, for any number of tests."""
    known = [j for j, name in enumerate(fit.item_ids) if name not in fit.excluded]
    nobody = np.empty((0, len(known)), dtype=np.int8)
    items = parameters_of(fit, np.array(known, dtype=np.int64), nobody)
    names = tuple(fit.item_ids[j] for j in known)
    given = ["" for _ in fit.item_ids] if areas is None else list(areas)
    if len(given) != len(fit.item_ids):
        raise BadShape(f"{len(given)} areas for {len(fit.item_ids)} items.", remedy="Give one area per item.")
    area_names, area_codes = np.unique([given[j] for j in known], return_inverse=True)
    return bank_of_items(
        items, names, area_codes.astype(np.int64), tuple(map(str, area_names)), (prior_mean, prior_sd), n_nodes, bound
    )


def bank_of_items(
    items: ScoringItems,
    names: tuple[str, ...],
    areas: IntArray,
    area_names: tuple[str, ...],
    prior: tuple[float, float],
    n_nodes: int,
    bound: float,
) -> ItemBank:
    """Curves, and information as the expected square of the derivative of log P."""
    _validate.positive(prior[1], "prior_sd")
    if n_nodes < 11:
        raise BadOption(f"n_nodes is {n_nodes}.", remedy="Use at least 11.")
    nodes, _ = quadrature(n_nodes, _validate.positive(bound, "bound"))
    weights = np.exp(-0.5 * ((nodes - prior[0]) / prior[1]) ** 2)
    probabilities = np.exp(items.log_probabilities(nodes))
    slope = (items.log_probabilities(nodes + DIFFERENCE) - items.log_probabilities(nodes - DIFFERENCE)) / (2 * DIFFERENCE)
    information = np.add.reduceat(probabilities * slope**2, items.category_start[:-1], axis=0)
    return ItemBank(names, areas, area_names, nodes, weights / weights.sum(), information, probabilities, items)


def start_test(*, rng: np.random.Generator) -> TestState:
    """A test without answers; its seed settles every later chance."""
    return TestState(int(rng.integers(LARGEST_SEED)))


def next_step(bank: ItemBank, rules: TestRules, state: TestState) -> NextStep:
    """What follows from the answers so far, by going through them again as `simulate_tests` would.

    Raises
    ------
    BadScore, BadShape
        Also if bank or rules are no longer those under which the state came about.
    """
    place = {name: j for j, name in enumerate(bank.item_ids)}
    answers = np.full((1, len(bank.item_ids)), -1, dtype=np.int8)
    for name, score in zip(state.item_ids, state.scores, strict=True):
        if name not in place:
            raise BadShape(f"Item {name} is not in the bank.", remedy="Use the bank with which the test began.")
        if not 0 <= score <= bank.items.max_scores[place[name]]:
            raise BadScore(f"Item {name} has the score {score}.", remedy="Use 0 to the item's maximum.")
        answers[0, place[name]] = score
    found = _run(bank, rules, answers, np.array([state.seed]))
    path = tuple(bank.item_ids[j] for j in found.items[0] if j >= 0)
    is_waiting = found.reasons[0] == UNANSWERED
    if path[: len(path) - is_waiting] != state.item_ids:
        raise BadShape("Bank and rules lead to other items than were given.", remedy="Use those with which the test began.")
    return NextStep(path[-1] if is_waiting else None, REASONS[int(found.reasons[0])], float(found.theta[0]), float(found.se[0]))


def simulate_tests(bank: ItemBank, rules: TestRules, answers: npt.ArrayLike, *, rng: np.random.Generator) -> SimulatedTests:
    """Run the test of every row of ``answers`` (n, J), drawn by `ItemBank.draw` or observed on the whole bank.

    Notes
    -----
    EAP at the bank's nodes after every answer. Information (Lord 1980) is taken at the estimate;
    Kullback-Leibler information (Chang & Ying 1996) between the estimate and every node is weighted
    by the posterior. Areas: the one furthest behind its share comes next (Kingsbury & Zara 1989).
    """
    given = _validate.score_matrix(answers)
    if given.shape[1] != len(bank.item_ids) or given.shape[0] == 0:
        raise BadShape(f"answers has shape {given.shape}.", remedy=f"Give at least one row of {len(bank.item_ids)} answers.")
    if (given < 0).any() or (given > bank.items.max_scores).any():
        raise BadScore("Some answers are missing or above the item's maximum.", remedy="Give an answer to every item.")
    return _run(bank, rules, given, np.asarray(rng.integers(LARGEST_SEED, size=given.shape[0])))


def exposure_chances(
    bank: ItemBank, rules: TestRules, answers: npt.ArrayLike, *, highest: float, rng: np.random.Generator, n_rounds: int = 10
) -> TestRules:
    """Rules whose chances keep every item's exposure near ``highest`` (Sympson & Hetter 1985).

    Simulates tests of the same examinees again and again: an item chosen in a share P of tests gets
    the chance min(1, highest / P).
    """
    if not 0 < highest <= 1 or n_rounds < 1:
        raise BadOption(f"highest is {highest}.", remedy="Use a share above 0 and up to 1, and at least one round.")
    current = TestRules(**{**asdict(rules), "chances": (1.0,) * len(bank.item_ids)})
    for _ in range(n_rounds):
        found = simulate_tests(bank, current, answers, rng=rng)
        chances = np.minimum(1.0, highest / np.maximum(found.proposed, highest))
        current = TestRules(**{**asdict(rules), "chances": tuple(chances.tolist())})
    return current


def fade_away(rules: TestRules, exposure: npt.ArrayLike, *, highest: float) -> TestRules:
    """Rules in which an item's criterion fades as its share of earlier tests nears ``highest``: factor 1 - exposure / highest."""
    used = np.asarray(exposure, dtype=np.float64)
    if not 0 < highest <= 1 or used.ndim != 1 or not ((used >= 0) & (used <= 1)).all():
        raise BadOption("highest or an exposure lies outside 0..1.", remedy="Use shares of tests.")
    return TestRules(**{**asdict(rules), "weights": tuple(np.maximum(0.0, 1.0 - used / highest).tolist())})


def _run(bank: ItemBank, rules: TestRules, answers: Int8Array, seeds: IntArray) -> SimulatedTests:
    n, n_items = answers.shape
    longest = min(rules.max_items, n_items)
    shares = _per(rules.area_shares, len(bank.area_names), "area_shares")
    # without shares the whole bank is one area
    areas = bank.areas if rules.area_shares else np.zeros(n_items, dtype=np.int64)
    weights, chances = _per(rules.weights, n_items, "weights"), _per(rules.chances, n_items, "chances")
    limits = np.array([rules.min_items, longest, rules.max_error, rules.min_information], dtype=np.float64)
    items, reasons = np.full((n, longest), -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    theta, se = np.empty((2, n))
    logs = np.ascontiguousarray(np.log(np.maximum(bank.probabilities, _adaptive_kernels.TINY)).T)

    def fill(part: slice) -> IntArray:
        proposed = np.zeros(n_items, dtype=np.int64)
        _adaptive_kernels.run(
            _validate.read_only(answers[part]),
            seeds[part],
            bank.nodes,
            bank.prior,
            bank.probabilities,
            logs,
            bank.information,
            bank.category_start,
            areas,
            shares / shares.sum(),
            weights,
            chances,
            METHODS.index(rules.method),
            min(rules.among, n_items),
            limits,
            items[part],
            theta[part],
            se[part],
            reasons[part],
            proposed,
        )
        return proposed

    proposed = np.sum(each(fill, parts_of(n)), axis=0)
    exposure = np.bincount(items[items >= 0], minlength=n_items) / n
    return SimulatedTests(theta, se, (items >= 0).sum(axis=1), items, reasons, exposure, proposed / n)


def _per(values: tuple[float, ...], n: int, name: str) -> FloatArray:
    """Ones, or the rule's numbers."""
    if not values:
        return np.ones(n)
    given = np.array(values, dtype=np.float64)
    if given.size != n or not (given >= 0).all() or given.sum() <= 0:
        raise BadOption(f"{name} does not fit the bank.", remedy=f"Give {n} numbers of 0 or more, not all 0.")
    return given
