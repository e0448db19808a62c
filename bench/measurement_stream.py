"""Calibrate and score ten million persons from a Parquet file to a Parquet file, in one process whose peak memory is told.

`python -P bench/measurement_stream.py [PERSONS]` prints Markdown. The answers are simulated, the loops compiled beforehand.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

import edmeasure

PERSONS = 10_000_000
ITEMS = 40
AT_ONCE = 250_000
SEED = 20_260_102
SCORES = ("eap", "wle", "pv")


def write_answers(path: Path, persons: int) -> None:
    """Right and wrong answers to items of known slopes."""
    rng = np.random.default_rng(SEED)
    slopes, easiness = rng.uniform(0.6, 1.8, ITEMS), rng.normal(size=ITEMS)
    schema = pa.schema([(f"Q{j}", pa.int8()) for j in range(ITEMS)])
    with parquet.ParquetWriter(path, schema) as file:
        for begin in range(0, persons, AT_ONCE):
            theta = rng.normal(size=(min(AT_ONCE, persons - begin), 1))
            right = rng.random((theta.size, ITEMS)) < 1 / (1 + np.exp(-(slopes * theta + easiness)))
            file.write_table(pa.table(dict(zip(schema.names, right.T.astype(np.int8), strict=True)), schema=schema))


def row(step: str, begun: float) -> str:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"| {step} | {time.perf_counter() - begun:.1f} | {peak} MiB |"


def main(persons: str = str(PERSONS)) -> None:
    with tempfile.TemporaryDirectory() as folder:
        answers, scores = Path(folder) / "answers.parquet", Path(folder) / "scores.parquet"
        write_answers(answers, 20_000)
        fit = edmeasure.calibrate_dataset(answers, standard_errors=False)
        edmeasure.score_dataset(fit, answers, scores, scores=SCORES, rng=np.random.default_rng(SEED))
        write_answers(answers, int(persons))
        print(f"| {int(persons):,} × {ITEMS}, file to file | s | peak memory |\n|---|---|---|", flush=True)
        begun = time.perf_counter()
        fit = edmeasure.calibrate_dataset(answers, standard_errors=False)
        print(row("calibrated", begun), flush=True)
        scored = time.perf_counter()
        edmeasure.score_dataset(fit, answers, scores, scores=SCORES, rng=np.random.default_rng(SEED))
        print(row("scored and written", scored), row("together", begun), sep="\n", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
