"""Damaged files: whatever is done to them, the check ends with an answer and nothing is half-imported.

`SHUREN_FUZZ_FILES` is the number of files per form (10,000 in `make soak`, a seeded part of it otherwise).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shuren.directory.data import RosterForm
from shuren.directory.models import Affiliation, Org, Person
from shuren.directory.tests.roster.conftest import Roster, apply, check, found
from shuren.intake import api as intake
from shuren.intake.tests.mutations import mutations

FILES = int(os.environ.get("SHUREN_FUZZ_FILES", "0"))
BLOCKS = 5
pytestmark = pytest.mark.django_db


def _survives(path: Path) -> None:
    state = check(path, confirm_ended=True)
    assert state.status in {"ready", "rejected"}
    if state.status == "rejected":
        assert any(finding.is_error for finding in found(state))
        assert not Org.objects.exists()
        assert not Person.objects.exists()
        return
    apply(state)
    state = intake.import_state(state.id)
    assert state.status == "applied"
    assert Person.objects.count() == state.counts["person"]
    assert Affiliation.objects.count() == state.counts["affiliation"]
    Affiliation.objects.all().delete()


@pytest.mark.parametrize("block", range(BLOCKS))
def test_damaged_package_never_half_imports(
    roster: Roster, tmp_path: Path, block: int, django_db_reset: Callable[[], None]
) -> None:
    base = roster.write(tmp_path / "base.zip").read_bytes()
    for number, damaged in enumerate(mutations(block, (FILES or 60) // BLOCKS, base, "zip")):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(damaged or b"\0")
        _survives(path)
        django_db_reset()


@pytest.mark.parametrize("block", range(BLOCKS))
def test_damaged_workbook_never_half_imports(
    province_file: Callable[..., Path], tmp_path: Path, block: int, django_db_reset: Callable[[], None]
) -> None:
    base = province_file(30, RosterForm.EXCEL).read_bytes()
    for number, damaged in enumerate(mutations(100 + block, (FILES or 60) // BLOCKS, base, "xlsx")):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(damaged or b"\0")
        _survives(path)
        django_db_reset()
