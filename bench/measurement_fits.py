"""Fit one set of answers with one engine, in a process of its own that the engine's own Python runs.

`python -P bench/measurement_fits.py ENGINE TASK INPUT.npz OUTPUT.npz REPEATS` saves the estimates and prints, as JSON, the
seconds of every repeat and the peak memory of the process. Nothing of the repository is imported but the engine.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

N_NODES = 61
N_STARTS = 20
SEED = 1

Given = Mapping[str, np.ndarray]
Found = dict[str, np.ndarray]


def of_difficulties(slopes: np.ndarray, steps: np.ndarray) -> Found:
    """Slopes and intercepts, d_0 = 0, of items whose engine reports difficulties."""
    table = steps.reshape(slopes.size, -1)
    return {"slopes": slopes, "intercepts": np.pad(-slopes[:, None] * table.cumsum(axis=1), ((0, 0), (1, 0)))}


def edmeasure_irt(library: ModuleType, given: Given, *, tight: bool) -> Found:
    answers = library.Responses.from_array(given["scores"])
    asked = {"tolerance": 1e-8, "loglik_tolerance": 1e-12} if tight else {"tolerance": 1e-4}
    fit = library.calibrate(answers, standard_errors=tight, **asked)
    return {"slopes": fit.slopes, "intercepts": fit.intercepts}


def edmeasure_dina(library: ModuleType, given: Given, *, model: str, standard_errors: bool) -> Found:
    answers = library.Responses.from_array(given["scores"])
    fit = library.diagnose(
        answers,
        library.QMatrix.from_array(given["q"]),
        rng=np.random.default_rng(SEED),
        model=model,
        n_starts=N_STARTS,
        standard_errors=standard_errors,
    )
    return {
        "loglik": np.array(fit.loglik),
        "agreeing": np.array(fit.certificate.starts_at_best),
        "patterns": fit.q_matrix.patterns,
        "shares": fit.pattern_probabilities,
        "success": np.array([item.success[[0, -1]] for item in fit.items]),
    }


def girth_2pl(library: ModuleType, given: Given) -> Found:
    found = library.twopl_mml(given["scores"].T.astype(np.int64))
    return of_difficulties(found["Discrimination"], found["Difficulty"])


def girth_gpcm(library: ModuleType, given: Given) -> Found:
    found = library.pcm_mml(given["scores"].T.astype(np.int64) + 1, {"quadrature_n": N_NODES, "quadrature_bounds": (-6, 6)})
    return of_difficulties(found["Discrimination"], found["Difficulty"])


def mirt_irt(library: ModuleType, given: Given, *, model: str, tight: bool = False) -> Found:
    fit = library.fit_mirt(
        given["scores"].astype(np.int64),
        model=model,
        n_quadpts=N_NODES,
        tol=1e-8 if tight else 1e-4,
        compute_standard_errors=tight,
    )
    held = fit.model.parameters
    return of_difficulties(held["discrimination"], held["difficulty" if model == "2PL" else "steps"])


def mirt_dina(library: ModuleType, given: Given) -> Found:
    diagnosis = importlib.import_module(f"{library.__name__}.models.cdm")
    fit, shares = diagnosis.fit_cdm(given["scores"].astype(np.int64), given["q"].astype(np.int64), model="DINA", max_iter=1000)
    success = np.column_stack([fit.parameters["guess"], 1.0 - fit.parameters["slip"]])
    return {"patterns": fit.attribute_patterns, "shares": shares, "success": success}


Fit = Callable[[ModuleType, Given], Found]

FITS: dict[str, dict[str, Fit]] = {
    "edmeasure": {
        "2pl": lambda library, given: edmeasure_irt(library, given, tight=False),
        "2pl-errors": lambda library, given: edmeasure_irt(library, given, tight=True),
        "gpcm": lambda library, given: edmeasure_irt(library, given, tight=False),
        "dina": lambda library, given: edmeasure_dina(library, given, model="dina", standard_errors=False),
        "dina-errors": lambda library, given: edmeasure_dina(library, given, model="dina", standard_errors=True),
        "gdina": lambda library, given: edmeasure_dina(library, given, model="gdina", standard_errors=False),
        "gdina-errors": lambda library, given: edmeasure_dina(library, given, model="gdina", standard_errors=True),
    },
    "girth": {"2pl": girth_2pl, "gpcm": girth_gpcm},
    "mirt": {
        "2pl": lambda library, given: mirt_irt(library, given, model="2PL"),
        "2pl-errors": lambda library, given: mirt_irt(library, given, model="2PL", tight=True),
        "gpcm": lambda library, given: mirt_irt(library, given, model="GPCM"),
        "dina": mirt_dina,
    },
}


def peak_mebibytes() -> float:
    """Most memory this program held; what its parent held before it began is not in it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main(engine: str, task: str, source: str, target: str, repeats: str) -> None:
    with np.load(source) as held:
        given = dict(held)
    library = importlib.import_module(engine)
    fit, seconds, found = FITS[engine][task], [], {}
    for _ in range(int(repeats)):
        start = time.perf_counter()
        found = fit(library, given)
        seconds.append(time.perf_counter() - start)
    np.savez(target, **found)
    print(json.dumps({"seconds": seconds, "mebibytes": peak_mebibytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
