"""Kill -9 and full disks at numbered steps of an exchange, of the life cycle of data, of restores, and of editions of codes.

Nothing acknowledged is lost, nothing lands twice, nobody reads a half; data is in one place or certified as gone; nobody serves
what was restored by half; words are the old or the new ones; and what was struck is completed by its next run.
"""

import os

import pytest

from tests.faults.installation import new_installation

WORKS = ("packets", "life_cycles", "restores", "editions")
MOMENTS = 3 * int(os.environ.get("SHUREN_KILLS", "3"))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One program for all: what takes long is its beginning."""
    folder = tmp_path_factory.mktemp("strokes")
    with new_installation(folder / "program") as installation:
        installation.folder.mkdir()
        return installation.program("strokes", folder, MOMENTS)


@pytest.mark.parametrize("work", WORKS)
def test_whatever_is_struck_the_next_run_completes_it(told, work):
    assert told[work]["faults"] == []
    assert told[work]["struck"] >= MOMENTS * 2 // 3, "most strokes came when all was over"
