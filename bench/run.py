"""Run every bench after the other and print its tables: what `docs/performance.md` keeps.

`python bench/run.py [name …]`; without names all of them. Some take minutes and need PostgreSQL on loopback.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCHES = ("measure", "roster", "results", "evaluate", "region", "web")


def main(names: list[str]) -> int:
    worst = 0
    for name in names or BENCHES:
        print(f"\n### {name}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, f"bench/{name}.py"], cwd=ROOT, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
