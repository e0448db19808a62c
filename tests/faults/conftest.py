"""Installations to strike: one as it stands before each work, and what the undisturbed work came to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.bureau import Bureau
from tests.faults.installation import Installation, new_installation

PEOPLE = 3000
MANY = 10


@dataclass
class Stages:
    """The files to send in; by work the installation before it, what that then holds, and how long each step takes.

    `hits` tells of every kill whether it struck a running job.
    """

    files: Path
    before: dict[str, Installation] = field(default_factory=dict)
    contents: dict[str, dict[str, str]] = field(default_factory=dict)
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    hits: list[bool] = field(default_factory=list)

    def file(self, work: str) -> Path:
        return self.files / f"{work}.zip"


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    folder = tmp_path_factory.mktemp("stages")
    found = Stages(folder)
    with new_installation(folder / "end") as end:
        told: dict[str, dict[str, Any]] = end.program("stages", folder, PEOPLE)
        try:
            for work, stage in told.items():
                found.before[work] = Installation(Path(stage["folder"]), stage["database"])
                found.seconds[work] = stage["seconds"]
                found.contents[work] = stage["contents"]
            yield found
            assert len(found.hits) < MANY or sum(found.hits) > len(found.hits) / 2, "most kills came too late"
        finally:
            for installation in found.before.values():
                installation.remove()


@pytest.fixture
def victim(stages: Stages, tmp_path: Path, work: str) -> Iterator[Installation]:
    """A copy of the installation as it stands before `work`, which is a parameter of the test."""
    copy = stages.before[work].copy(tmp_path / "victim")
    yield copy
    copy.remove()


@pytest.fixture
def bureau(victim: Installation) -> Iterator[Bureau]:
    made = Bureau(victim)
    made.open()
    yield made
    made.close()
