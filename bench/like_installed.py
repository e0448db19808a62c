"""`python -m bench.like_installed NAME [options]`: a step in a process without pandas, as an installation is.

pyarrow loads pandas wherever it lies about, and only peers of the tests bring it along; its 40 MiB would count as ours.
"""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

from bench.__main__ import main


class Absent(MetaPathFinder):
    def find_spec(self, fullname: str, *_place: Any) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


if __name__ == "__main__":
    sys.meta_path.insert(0, Absent())
    sys.exit(main(sys.argv[1:]))
