"""HiGHS on a model in a file, in a process that can be ended once another solver is done.

``python -P _highs.py FOLDER SECONDS GAP`` reads ``model.npz`` and writes ``found.npz``.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


def main(folder: str, seconds: str, gap: str) -> None:
    with np.load(Path(folder) / "model.npz") as held:
        shape = (held["low"].size, held["cost"].size)
        matrix = sparse.csr_matrix((held["values"], held["indices"], held["indptr"]), shape=shape)
        answer = milp(
            held["cost"],
            constraints=LinearConstraint(matrix, held["low"], held["high"]),
            integrality=held["is_integer"].astype(np.int64),
            bounds=Bounds(held["lower"], held["upper"]),
            options={"time_limit": float(seconds), "mip_rel_gap": float(gap)},
        )
    x = np.empty(0) if answer.x is None else answer.x
    bound = -np.inf if answer.mip_dual_bound is None else answer.mip_dual_bound
    made = Path(folder) / "making.npz"
    np.savez(made, x=x, bound=bound, is_infeasible=answer.status == 2, is_done=True)
    made.replace(Path(folder) / "found.npz")


if __name__ == "__main__":
    main(*sys.argv[1:])
