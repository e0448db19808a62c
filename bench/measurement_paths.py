"""Time knowledge tracing and adaptive tests against peers, a process each.

`python -P bench/measurement_paths.py` prints Markdown; with ENGINE INPUT.npz OUTPUT.npz REPEATS it is one of those processes.

A million answers of 20,000 pupils to one skill, and thirty of 500 3PL items for normal abilities. pyBKT's wheel is pure
Python: it fits 20,000 of the answers and is scaled up to all. catsim tests 20 examinees. Figures recorded on another machine
are scaled by the processor time that catsim, recorded beside them, takes here.
"""

import importlib
import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench" / "out" / "paths"
PEERS = ROOT / "bench" / "out" / "path-peers"
BANK = ROOT / "src" / "edmeasure" / "tests" / "data" / "catbank_500_3PL.csv"
PINS = ("pyBKT==1.4.3", "catsim==0.21.0", "numpy==1.26.4", "pandas==2.2.3", "scikit-learn==1.5.2")

SEED = 20_260_101
REPEATS = 5
PATIENCE = 900.0
PUPILS, ANSWERS = 20_000, 50
FEW_PUPILS = 400
TRUTH = {"prior": 0.3, "learn": 0.1, "guess": 0.2, "slip": 0.1}
LENGTH = 30
EXAMINEES, FEW_EXAMINEES = 20_000, 20

CATSIM_RECORDED = 0.857
"""Processor seconds of catsim for one examinee where the others were timed."""

RECORDED = {
    "tracing": (("pyBKT, compiled", 1.35), ("PyPI mirt", 1.26)),
    "adaptive": (("R catR 3.17", 0.128), ("PyPI mirt, batch", 0.00055)),
}

Given = Mapping[str, np.ndarray]
Found = dict[str, np.ndarray]


def learnt_answers(rng: np.random.Generator) -> np.ndarray:
    knows = rng.random(PUPILS) < TRUTH["prior"]
    correct = np.empty((PUPILS, ANSWERS), dtype=np.int8)
    for at in range(ANSWERS):
        correct[:, at] = rng.random(PUPILS) < np.where(knows, 1.0 - TRUTH["slip"], TRUTH["guess"])
        knows |= rng.random(PUPILS) < TRUTH["learn"]
    return correct


def bank_fit(library: object, given: Given) -> object:
    """A calibration with the bank's parameters."""
    a, b, c = given["bank"][:, :3].T
    return library.IRTFit(
        item_ids=tuple(map(str, range(a.size))),
        max_scores=np.ones(a.size, dtype=np.int8),
        models=("3PL",) * a.size,
        slopes=a,
        intercepts=np.stack([np.zeros(a.size), -a * b], axis=1),
        slope_se=np.full(a.size, np.nan),
        intercept_se=np.full((a.size, 2), np.nan),
        lower=c,
        loglik=0.0,
        n_iterations=0,
        converged=True,
        certificate=None,
        history=(),
        excluded=(),
        unused_categories=(),
        nodes=np.linspace(-4, 4, 81),
        node_weights=np.full(81, 1 / 81),
    )


def edmeasure_tracing(given: Given) -> Callable[[], Found]:
    library = importlib.import_module("edmeasure")
    n, steps = given["correct"].shape
    answers = library.Interactions.from_arrays(pupils=np.repeat(np.arange(n), steps), correct=given["correct"].ravel())

    def fit() -> Found:
        found = library.trace(answers, rng=np.random.default_rng(SEED), n_starts=1)
        return {name: np.ravel(getattr(found, name)) for name in TRUTH}

    return fit


def pybkt_tracing(given: Given) -> Callable[[], Found]:
    models, pandas = importlib.import_module("pyBKT.models"), importlib.import_module("pandas")
    n, steps = given["correct"].shape
    rows = {"user_id": np.repeat(np.arange(n), steps), "skill_name": "one", "correct": given["correct"].ravel()}
    table = pandas.DataFrame({**rows, "order_id": np.arange(n * steps)})

    def fit() -> Found:
        model = models.Model(seed=1, num_fits=1, parallel=False)
        model.fit(data=table)
        held = model.params().value.droplevel(["skill", "class"])
        names = {"prior": "prior", "learn": "learns", "guess": "guesses", "slip": "slips"}
        return {own: np.array([held[name]]) for own, name in names.items()}

    return fit


def edmeasure_adaptive(given: Given) -> Callable[[], Found]:
    library = importlib.import_module("edmeasure")
    bank = library.item_bank(bank_fit(library, given))
    rng = np.random.default_rng(SEED)
    answers = bank.draw(given["theta"], rng=rng)

    def run() -> Found:
        return {"theta": library.simulate_tests(bank, library.TestRules(max_items=LENGTH), answers, rng=rng).theta}

    return run


def catsim_adaptive(given: Given) -> Callable[[], Found]:
    parts = {
        name: importlib.import_module(f"catsim.{name}") for name in ("initialization", "selection", "estimation", "stopping")
    }
    simulation = importlib.import_module("catsim.simulation")

    def run() -> Found:
        simulator = simulation.Simulator(
            given["bank"],
            given["theta"],
            parts["initialization"].FixedPointInitializer(0.0),
            parts["selection"].MaxInfoSelector(),
            parts["estimation"].NumericalSearchEstimator(),
            parts["stopping"].TestLengthStopper(LENGTH),
            seed=1,
        )
        simulator.simulate()
        return {"theta": np.array([estimates[-1] for estimates in simulator.estimations])}

    return run


ENGINES = {
    "edmeasure-tracing": edmeasure_tracing,
    "pybkt-tracing": pybkt_tracing,
    "edmeasure-adaptive": edmeasure_adaptive,
    "catsim-adaptive": catsim_adaptive,
}


def work(engine: str, source: str, target: str, repeats: str) -> None:
    """In the process of one engine."""
    with np.load(source) as held:
        given = dict(held)
    run, seconds, found = ENGINES[engine](given), [], {}
    for _ in range(int(repeats)):
        start, spent = time.perf_counter(), time.process_time()
        found = run()
        seconds.append((time.perf_counter() - start, time.process_time() - spent))
    np.savez(target, **found)
    print(json.dumps(seconds))


def child(python: Path, engine: str, source: str, repeats: int) -> tuple[float, float, Found]:
    """Best seconds of an engine, by the clock and of the processor, and what it found."""
    target = OUT / f"{engine}-found.npz"
    words = [python, "-P", __file__, engine, OUT / f"{source}.npz", target, str(repeats)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    with np.load(target) as found:
        return *map(min, zip(*json.loads(done.stdout.splitlines()[-1]), strict=True)), dict(found)


def peers_python() -> Path:
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS], check=True)
    return python


def prepare() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    correct, theta = learnt_answers(rng), rng.standard_normal(EXAMINEES)
    bank = np.genfromtxt(BANK, delimiter=",", skip_header=1)
    np.savez(OUT / "tracing.npz", correct=correct)
    np.savez(OUT / "tracing-few.npz", correct=correct[:FEW_PUPILS])
    np.savez(OUT / "adaptive.npz", bank=bank, theta=theta)
    np.savez(OUT / "adaptive-few.npz", bank=bank, theta=theta[:FEW_EXAMINEES])


def tracing_loglik(source: str, found: Found) -> float:
    """Mean log-likelihood of an answer, straight from the recursion."""
    with np.load(OUT / f"{source}.npz") as held:
        correct = held["correct"]
    known, total = np.full(correct.shape[0], found["prior"][0]), 0.0
    for right in correct.T:
        knows = np.where(right, 1.0 - found["slip"], found["slip"])
        chance = known * knows + (1.0 - known) * np.where(right, found["guess"], 1.0 - found["guess"])
        total += float(np.log(chance).sum())
        after = known * knows / chance
        known = after + (1.0 - after) * found["learn"]
    return total / correct.size


def error(source: str, found: Found) -> float:
    """Root mean squared error of the abilities."""
    with np.load(OUT / f"{source}.npz") as held:
        return float(np.sqrt(np.mean((found["theta"] - held["theta"]) ** 2)))


def compare() -> None:
    """Print both tables."""
    prepare()
    own, python = Path(sys.executable), peers_python()
    child(own, "edmeasure-tracing", "tracing", 1), child(own, "edmeasure-adaptive", "adaptive", 1)
    spent, _, found = child(own, "edmeasure-tracing", "tracing", REPEATS)
    per_peer, _, of_peer = child(python, "pybkt-tracing", "tracing-few", 1)
    per_own, _, tested = child(own, "edmeasure-adaptive", "adaptive", REPEATS)
    per_catsim, busy, by_catsim = child(python, "catsim-adaptive", "adaptive-few", 1)
    per_own, per_catsim = per_own / EXAMINEES, per_catsim / FEW_EXAMINEES
    scale = busy / FEW_EXAMINEES / CATSIM_RECORDED
    print(f"| tracing, {PUPILS * ANSWERS:,} answers | fit, s | log-likelihood per answer | times our fit |\n|---|---|---|---|")
    print(f"| edmeasure | {spent:.3f} | {tracing_loglik('tracing', found):.6f} | 1 |")
    whole = per_peer * PUPILS / FEW_PUPILS
    reached = f"{tracing_loglik('tracing', of_peer):.6f} (parameters from {FEW_PUPILS * ANSWERS:,})"
    print(f"| pyBKT 1.4.3, wheel, {per_peer:.1f} s scaled up | {whole:.1f} | {reached} | {whole / spent:.0f} |")
    for name, seconds in RECORDED["tracing"]:
        print(f"| {name}, recorded {seconds:g} s, scaled | {seconds * scale:.2f} | | {seconds * scale / spent:.0f} |")
    print(f"\n| adaptive, {LENGTH} of 500 items | ms per examinee | RMSE | times ours |\n|---|---|---|---|")
    print(f"| edmeasure, {EXAMINEES:,} examinees | {1e3 * per_own:.3f} | {error('adaptive', tested):.3f} | 1 |")
    few = f"{error('adaptive-few', by_catsim):.3f} ({FEW_EXAMINEES} examinees)"
    print(f"| catsim 0.21.0 | {1e3 * per_catsim:.0f} | {few} | {per_catsim / per_own:,.0f} |")
    for name, seconds in RECORDED["adaptive"]:
        at = seconds * scale
        print(f"| {name}, recorded {1e3 * seconds:g} ms, scaled | {1e3 * at:.2f} | | {at / per_own:,.0f} |")
    print(f"\nRecorded seconds times {scale:.2f}, catsim's processor seconds here over those recorded beside them.")


if __name__ == "__main__":
    work(*sys.argv[1:]) if sys.argv[1:] else compare()
