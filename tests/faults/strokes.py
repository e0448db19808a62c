"""A program: one work after another is struck COUNT times, in houses below FOLDER; prints what was struck and what was wrong."""

import json
import sys
from pathlib import Path

from tests.faults import homecoming, keeping, packets, wordings
from tests.faults.houses import empty_house
from tests.faults.moments import read_ahead

WORKS = {"packets": packets.strike, "life_cycles": keeping.strike, "restores": homecoming.strike, "editions": wordings.strike}


def main(folder: str, count: str, *works: str) -> None:
    read_ahead()
    empty = empty_house(Path(folder) / "empty")
    told = {work: WORKS[work](empty, Path(folder), int(count)) for work in works or WORKS}
    empty.installation.remove()
    json.dump(told, sys.stdout)
