"""Two solvers at once, each in a process of its own; both are ended once one has proved its answer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from edmeasure.assembly._model import Model
from edmeasure.assembly._solving import FEASIBLE_TO, Found, lowest_cost, rounded

HERE = Path(__file__).parent
NAMES = {"highs": "HiGHS", "cp-sat": "CP-SAT"}
SCRIPTS = {"highs": "_highs.py", "cp-sat": "_cp_sat.py"}
PAUSE = 0.02
LATE = 2.0

Look = Callable[[], tuple[Found, bool]]


def has_cp_sat() -> bool:
    """Whether OR-Tools is installed (the extra ``assembly``)."""
    return find_spec("ortools") is not None


class Racer:
    """A solver at work in another process."""

    def __init__(self, name: str, model: Model, seconds: float, gap: float, workers: int, seed: int, hint: Found) -> None:
        self.name, self.model = name, model
        self.folder = Path(tempfile.mkdtemp(prefix="edmeasure-assembly-"))
        write_model(self.folder / "model.npz", model, hint)
        words = [str(self.folder), str(seconds), str(gap)] + ([str(workers), str(seed)] if name == "cp-sat" else [])
        command = [sys.executable, "-P", str(HERE / SCRIPTS[name]), *words]
        self.process = subprocess.Popen(  # noqa: S603 - our own script on a folder of our own
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.seen = -1
        self.found = Found(solver=NAMES[name])
        self.is_done = False

    def look(self) -> Found:
        """What it knows by now."""
        has_ended = self.process.poll() is not None
        path = self.folder / "found.npz"
        stamp = path.stat().st_mtime_ns if path.exists() else -1
        if stamp != self.seen:
            self.seen = stamp
            with np.load(path) as held:
                self._take(held["x"], float(held["bound"]), bool(held["is_infeasible"]))
                self.is_done = bool(held["is_done"])
        self.is_done = self.is_done or has_ended
        return self.found

    def _take(self, x: np.ndarray, bound: float, is_infeasible: bool) -> None:
        if x.size:
            x = rounded(self.model, x)
        bound = max(bound, lowest_cost(self.model))
        # rounded coefficients of the other solver may let a sum slip: such a solution is none
        if x.size and self.model.excess(x) <= FEASIBLE_TO * max(1.0, float(np.abs(x[-1]))):
            self.found = Found(x, float(self.model.cost @ x), bound, solver=NAMES[self.name])
        else:
            self.found = Found(self.found.x, self.found.cost, max(bound, self.found.bound), is_infeasible, NAMES[self.name])

    def end(self) -> None:
        """End the process and forget its folder."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def write_model(path: Path, model: Model, hint: Found) -> None:
    """The model in arrays; ``most`` is how many items can be chosen in all."""
    matrix = model.matrix.tocsr()
    sizes = model.high[(np.diff(matrix.indptr) >= model.n_items) & (model.line >= 0) & np.isfinite(model.high)]
    most = float(np.minimum(model.upper[: model.n_choices].sum(), sizes.max(initial=1.0) * model.n_units))
    np.savez(
        path,
        values=matrix.data,
        indices=matrix.indices,
        indptr=matrix.indptr,
        low=model.low,
        high=model.high,
        lower=model.lower,
        upper=model.upper,
        is_integer=model.is_integer,
        cost=model.cost,
        most=most,
        hint=np.empty(0) if hint.x is None else hint.x,
    )


@contextmanager
def racing(
    names: tuple[str, ...], model: Model, *, seconds: float, gap: float, workers: int, seed: int, hint: Found
) -> Iterator[Look]:
    """Start the solvers; the function given says what all of them know by now, and whether all have ended."""
    racers = []
    try:
        for name in names:
            racers.append(Racer(name, model, seconds, gap, workers, seed, hint))

        def look() -> tuple[Found, bool]:
            found = Found()
            for racer in racers:
                found = found.joined(racer.look())
            return found, all(racer.is_done for racer in racers)

        yield look
    finally:
        for racer in racers:
            racer.end()


def wait(look: Look, *, until: float, gap: float) -> Found:
    """The first proven answer, or the best at the end of the time."""
    while True:
        found, is_over = look()
        if is_over or found.is_infeasible or found.is_proven(gap) or time.perf_counter() > until + LATE:
            return found
        time.sleep(PAUSE)
