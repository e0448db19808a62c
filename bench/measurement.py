"""Measure edmeasure and its peers side by side: the same answers, a process each, log-likelihoods reckoned alike.

`python -m bench measurement [--large] [--persons 1000000] [--tight-peers]` prints the tables of `docs/performance.md`.

The bench makes the answers itself: 100,000 x 40 right/wrong answers from R mirt's estimates of the tests' 10,000, the partial
credit answers of the tests, 100,000 x 40 DINA answers with chances drawn from a seed, and four real sets for diagnosis.
Peers are installed by name into `bench/out/peers` on first use. R packages are not run: their seconds recorded on
another machine are scaled by what girth, recorded beside them, takes here.

"fit" is the best of a few repeats in one process for edmeasure, whose loops are compiled on first use, and the only run for
peers; "process" is a fresh one of Python, from start to saved estimates, loops loaded from their cache.
"""

import argparse
import json
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.frame import ROOT

OUT = ROOT / "bench" / "out" / "measurement"
PEERS = ROOT / "bench" / "out" / "peers"
TEST_DATA = ROOT / "src" / "edmeasure" / "tests" / "data"
PINS = ("girth==0.8.0", "mirt==1.2.0")

SEED = 20_260_101
PERSONS = 100_000
ATTRIBUTES = 5
DINA_ITEMS = 40
LARGE = 10_000_000
REPEATS = 5
PATIENCE = 900.0
NODES = np.linspace(-6.0, 6.0, 61)

GIRTH_RECORDED = 41.8
"""Seconds of girth's 2PL, 100,000 x 40, where the R packages were timed."""

RECORDED = {
    "2pl": (("R mirt 1.45.1", 14.72), ("R TAM 4.3-25 (21 nodes)", 8.27)),
    "2pl-errors": (("R mirt 1.45.1", 103.1),),
    "gpcm": (("R mirt 1.45.1", 16.2), ("R TAM 4.3-25 (21 nodes)", 1.5)),
    "dina": (("R CDM 8.2-6 (din)", 15.2), ("R GDINA 2.9.12", 9.1)),
}

TITLES = {
    "2pl": "2PL, 100,000 x 40, parameters to 1e-4",
    "2pl-errors": "the same to 1e-8 with standard errors",
    "gpcm": "GPCM, 10,000 x 30, four categories",
    "dina": "DINA, 100,000 x 40, five attributes (edmeasure from 20 starts, peers from one)",
}

DIAGNOSES = (("fraction20", "dina"), ("fraction15", "gdina"), ("ecpe", "gdina"), ("timss07py", "dina"), ("timss07py", "gdina"))


@dataclass(frozen=True)
class Run:
    """What one engine did with one set."""

    engine: str
    fit: float
    process: float | None
    mebibytes: float | None
    loglik: float | None


def table(name: str) -> np.ndarray:
    """Numbers of one of the tests' CSV files with a heading."""
    return np.genfromtxt(TEST_DATA / name, delimiter=",", skip_header=1)


def as_scores(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, -1).astype(np.int8)


def two_parameter_scores(rng: np.random.Generator) -> np.ndarray:
    slopes, intercepts = table("mirtR_sim10k_2PL_tight.csv")[:, 1:3].T
    chance = 1.0 / (1.0 + np.exp(-(rng.standard_normal((PERSONS, 1)) * slopes + intercepts)))
    return (rng.random(chance.shape) < chance).astype(np.int8)


def diagnosis_scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Answers and Q-matrix: items of one attribute, of two and of three in turn."""
    kinds = [[at] for at in range(ATTRIBUTES)]
    kinds += [[at, (at + 1) % ATTRIBUTES] for at in range(ATTRIBUTES)]
    kinds += [[at, (at + 1) % ATTRIBUTES, (at + 3) % ATTRIBUTES] for at in range(ATTRIBUTES)]
    q = np.zeros((DINA_ITEMS, ATTRIBUTES), dtype=np.int8)
    for item in range(DINA_ITEMS):
        q[item, kinds[item % len(kinds)]] = 1
    guess, slip = rng.uniform(0.05, 0.25, (2, DINA_ITEMS))
    common = rng.standard_normal((PERSONS, 1))
    mastered = common + rng.standard_normal((PERSONS, ATTRIBUTES)) > np.linspace(-0.5, 0.5, ATTRIBUTES)
    able = mastered.astype(np.int64) @ q.T == q.sum(axis=1)
    return (rng.random(able.shape) < np.where(able, 1.0 - slip, guess)).astype(np.int8), q


def prepare() -> None:
    """Write every set of answers, once for all engines."""
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    scores = two_parameter_scores(rng)
    for task in ("2pl", "2pl-errors"):
        np.savez(OUT / f"{task}.npz", scores=scores)
    np.savez(OUT / "gpcm.npz", scores=as_scores(table("simgpcm_10000x30.csv.gz")))
    scores, q = diagnosis_scores(rng)
    np.savez(OUT / "dina.npz", scores=scores, q=q)
    for name in {name for name, _model in DIAGNOSES}:
        held = {"scores": as_scores(table(f"{name}_data.csv.gz")), "q": table(f"{name}_Q.csv").astype(np.int8)}
        np.savez(OUT / f"{name}.npz", **held)


def peers_python() -> Path:
    """The Python of the peers, installed when it is not there yet."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS], check=True)
    return python


def child(python: Path, engine: str, task: str, source: str, repeats: int) -> tuple[dict[str, object], float]:
    """Run one fit in a process of its own; what it says, and its seconds from start to end."""
    script = ROOT / "bench" / "measurement_fits.py"
    target = OUT / f"{engine}-{task}-{source}-found.npz"
    words = [python, "-P", script, engine, task, OUT / f"{source}.npz", target, str(repeats)]
    start = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    took = time.perf_counter() - start
    with np.load(target) as found:
        return {**json.loads(done.stdout.splitlines()[-1]), **found}, took


def response_loglik(scores: np.ndarray, slopes: np.ndarray, intercepts: np.ndarray) -> float:
    """Log-likelihood of partial credit items with standard normal abilities, straight from the formula."""
    steps = np.arange(intercepts.shape[1])
    logs = slopes[:, None, None] * steps[:, None] * NODES + intercepts[:, :, None]
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    weights = np.exp(-0.5 * NODES**2)
    joint = np.tile(np.log(weights / weights.sum()), (scores.shape[0], 1))
    for step in steps:
        joint += (scores == step).astype(np.float64) @ logs[:, step]
    return log_sum(joint)


def diagnosis_loglik(scores: np.ndarray, q: np.ndarray, found: dict[str, np.ndarray]) -> float:
    """Log-likelihood of a DINA model, straight from the formula."""
    able = found["patterns"] @ q.T == q.sum(axis=1)
    chance = np.where(able, found["success"][:, 1], found["success"][:, 0])
    with np.errstate(divide="ignore"):
        joint = (scores == 1) @ np.log(chance).T + (scores == 0) @ np.log1p(-chance).T + np.log(found["shares"])
    return log_sum(joint)


def log_sum(joint: np.ndarray) -> float:
    highest = joint.max(axis=1)
    return float(np.sum(highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))))


def loglik(task: str, found: dict[str, np.ndarray]) -> float:
    with np.load(OUT / f"{task}.npz") as held:
        if task == "dina":
            return diagnosis_loglik(held["scores"], held["q"], found)
        return response_loglik(held["scores"], found["slopes"], found["intercepts"])


def own_run(task: str) -> Run:
    """The first process fills the cache of loops, the second is the fresh one, the third repeats."""
    python = Path(sys.executable)
    child(python, "edmeasure", task, task, 1)
    alone, process = child(python, "edmeasure", task, task, 1)
    found, _ = child(python, "edmeasure", task, task, REPEATS)
    return Run("edmeasure", min(found["seconds"]), process, alone["mebibytes"], loglik(task, found))


def peer_run(python: Path, engine: str, task: str) -> Run:
    found, process = child(python, engine, task, task, 1)
    return Run(
        f"{engine} ({'PyPI' if engine == 'mirt' else 'Python'})",
        found["seconds"][0],
        process,
        found["mebibytes"],
        loglik(task, found),
    )


def compared(is_tight_for_peers: bool) -> None:
    """Every engine on every simulated set."""
    python = peers_python()
    rivals = {
        "2pl": ("girth", "mirt"),
        "2pl-errors": ("mirt",) if is_tight_for_peers else (),
        "gpcm": ("girth", "mirt"),
        "dina": ("mirt",),
    }
    scale = 0.0
    print(
        "| task | engine | fit, s | process, s | peak, MiB | log-likelihood | times our fit |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    for task, engines in rivals.items():
        runs = [own_run(task), *(peer_run(python, engine, task) for engine in engines)]
        if task == "2pl":
            scale = runs[1].fit / GIRTH_RECORDED
        runs += [
            Run(f"{name}, recorded {seconds:g} s, scaled", seconds * scale, None, None, None) for name, seconds in RECORDED[task]
        ]
        for at, one in enumerate(runs):
            print(line(TITLES[task] if at == 0 else "", one, runs[0].fit), flush=True)
    print(f"\nR packages were not run: recorded seconds times {scale:.2f}, girth's seconds here over those recorded beside them.")


def line(title: str, one: Run, ours: float) -> str:
    process = "" if one.process is None else f"{one.process:.2f}"
    peak = "" if one.mebibytes is None else f"{one.mebibytes:,.0f}"
    reached = "" if one.loglik is None else f"{one.loglik:.4f}"
    return f"| {title} | {one.engine} | {one.fit:.3f} | {process} | {peak} | {reached} | {one.fit / ours:.1f} |"


def diagnosed() -> None:
    """Small real sets from 20 starts."""
    print("| data | model | 20 starts, s | with errors, s | log-likelihood | starts that agree |\n|---|---|---|---|---|---|")
    python = Path(sys.executable)
    for name, model in DIAGNOSES:
        found, _ = child(python, "edmeasure", model, name, REPEATS)
        errors, _ = child(python, "edmeasure", f"{model}-errors", name, REPEATS)
        times = f"{min(found['seconds']):.2f} | {min(errors['seconds']):.2f}"
        print(f"| {name} | {model} | {times} | {float(found['loglik']):.4f} | {int(found['agreeing'])} |", flush=True)


def stepped(persons: int, extent: str) -> None:
    script = ROOT / "bench" / "measurement_steps.py"
    subprocess.run([sys.executable, "-P", script, str(persons), extent], cwd=ROOT, check=True)


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench measurement", description=__doc__)
    parser.add_argument("--large", action="store_true", help=f"also {LARGE:,} persons, calibrated and scored")
    parser.add_argument("--persons", type=int, default=1_000_000, help="of the table of steps")
    parser.add_argument("--tight-peers", action="store_true", help="also PyPI mirt to 1e-8 with errors: minutes")
    chosen = parser.parse_args(options)
    prepare()
    compared(chosen.tight_peers)
    print()
    diagnosed()
    print()
    subprocess.run([sys.executable, "-P", ROOT / "bench" / "measurement_paths.py"], cwd=ROOT, check=True)
    print()
    subprocess.run([sys.executable, "-P", ROOT / "bench" / "measurement_assembly.py"], cwd=ROOT, check=True)
    print()
    stepped(chosen.persons, "all")
    if chosen.large:
        print()
        stepped(LARGE, "basic")
        print()
        subprocess.run([sys.executable, "-P", ROOT / "bench" / "measurement_stream.py"], cwd=ROOT, check=True)
