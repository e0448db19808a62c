"""CP-SAT on a model in a file, in a process of its own: beside HiGHS in one process it may crash (or-tools issue 5246).

``python -P _cp_sat.py FOLDER SECONDS GAP WORKERS SEED`` reads ``model.npz`` and writes ``found.npz`` whenever it knows more.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ortools.sat.python import cp_model

SCALES = 10.0 ** np.arange(7)
GOAL_SCALE = 10_000_000
SMALL = 1e-9
FAR = 2**40

Vector = npt.NDArray[np.float64]


def scale_of(values: Vector) -> float:
    """The smallest power of ten that makes them whole, or the largest considered."""
    for scale in SCALES:
        if np.allclose(values * scale, np.round(values * scale), rtol=0.0, atol=SMALL):
            return float(scale)
    return float(SCALES[-1])


class Task:
    """The model in whole numbers: rows are loosened by what rounding may cost, so that bounds stay true."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "model.npz") as held:
            self.data = {name: held[name] for name in held.files}
        self.folder = folder
        self.model = cp_model.CpModel()
        upper = self.data["upper"][:-1].astype(np.int64)
        lower = self.data["lower"][:-1].astype(np.int64)
        self.columns = [self.model.new_int_var(int(low), int(high), "") for low, high in zip(lower, upper, strict=True)]
        self.goal = self.model.new_int_var(round(float(self.data["lower"][-1]) * GOAL_SCALE), FAR, "")
        self.error = 0.0
        for row in range(self.data["low"].size):
            self.add(row)
        cost = self.data["cost"]
        used = np.flatnonzero(cost[:-1])
        if used.size:
            whole = np.round(cost[used] * GOAL_SCALE).astype(np.int64)
            self.error = self.lost(used, np.abs(whole / GOAL_SCALE - cost[used]))
            self.model.minimize(cp_model.LinearExpr.weighted_sum([self.columns[at] for at in used], whole.tolist()))
        elif cost[-1]:
            self.model.minimize(self.goal if cost[-1] > 0 else -self.goal)

    def lost(self, used: npt.NDArray[np.int64], errors: Vector) -> float:
        """What rounding can cost at most: the largest errors of as many items as can be chosen."""
        sizes = np.repeat(errors, self.data["upper"][used].astype(np.int64))
        return float(np.sort(sizes)[::-1][: int(self.data["most"])].sum())

    def add(self, row: int) -> None:
        part = slice(self.data["indptr"][row], self.data["indptr"][row + 1])
        at, values = self.data["indices"][part], self.data["values"][part]
        low, high = float(self.data["low"][row]), float(self.data["high"][row])
        last = len(self.columns)
        has_goal = bool(at.size) and at.max() == last
        ends = np.array([end for end in (low, high) if np.isfinite(end)])
        scale = float(GOAL_SCALE) if has_goal else scale_of(np.append(values, ends))
        whole = np.round(values * scale).astype(np.int64)
        room = self.lost(at[at < last], np.abs(whole / scale - values)[at < last]) * scale
        names = [self.columns[place] if place < last else self.goal for place in at]
        if has_goal:
            # the goal's column is counted in the same small parts itself
            whole = np.where(at == last, np.round(values).astype(np.int64), whole)
            exact = np.allclose(values[at == last], np.round(values[at == last]))
            if not exact:
                whole = np.where(at == last, np.round(values * 1000).astype(np.int64), whole * 1000)
                scale, room = scale * 1000, room * 1000
            self.error = max(self.error, room / scale / abs(float(values[at == last][0])))
        least = -(2**60) if not np.isfinite(low) else int(np.ceil(low * scale - room - 1e-6 * scale))
        most = 2**60 if not np.isfinite(high) else int(np.floor(high * scale + room + 1e-6 * scale))
        self.model.add_linear_constraint(cp_model.LinearExpr.weighted_sum(names, whole.tolist()), least, most)

    def hint(self) -> None:
        if self.data["hint"].size:
            for column, value in zip(self.columns, self.data["hint"][:-1].tolist(), strict=True):
                self.model.add_hint(column, round(value))


class Report(cp_model.CpSolverSolutionCallback):
    """Writes every better solution, and every better bound."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.x: Vector = np.empty(0)
        self.bound = -np.inf

    def on_solution_callback(self) -> None:
        goal = self.value(self.task.goal) / GOAL_SCALE
        self.x = np.array([*(self.value(column) for column in self.task.columns), goal])
        self.write(self.best_objective_bound / GOAL_SCALE)

    def write(self, bound: float, *, is_infeasible: bool = False, is_done: bool = False) -> None:
        # rounding may have made a coefficient too small: the true bound lies that much lower
        self.bound = max(self.bound, bound - self.task.error)
        made = self.task.folder / "making.npz"
        np.savez(made, x=self.x, bound=self.bound, is_infeasible=is_infeasible, is_done=is_done)
        made.replace(self.task.folder / "found.npz")


def main(folder: str, seconds: str, gap: str, workers: str, seed: str) -> None:
    task = Task(Path(folder))
    task.hint()
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = float(seconds)
    solver.parameters.relative_gap_limit = float(gap)
    solver.parameters.num_workers = int(workers)
    solver.parameters.random_seed = int(seed)
    report = Report(task)
    solver.best_bound_callback = lambda bound: report.write(bound / GOAL_SCALE)
    status = solver.solve(task.model, report)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        report.write(solver.best_objective_bound / GOAL_SCALE, is_done=True)
    else:
        report.write(-np.inf, is_infeasible=status == cp_model.INFEASIBLE, is_done=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
