"""Codes that break their standard are taken from a file as they are by hand, and told with their place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shuren.directory.models import Org
from shuren.directory.tests.roster.conftest import Roster, check, found, take_in
from shuren.directory.tests.test_warn_codes import SOUND, SPOILT

pytestmark = pytest.mark.django_db
HEADINGS = {"code": "identifier", "division_code": "metadata.divisionCode", "credit_code": "metadata.creditCode"}


@pytest.mark.parametrize(("column", "value", "fault"), SPOILT)
def test_a_roster_is_taken_and_told(roster: Roster, tmp_path: Path, column: str, value: str, fault: str) -> None:
    school = roster.row("orgs", "S1")
    school.update({HEADINGS[name]: code for name, code in SOUND.items()})
    state = check(roster.write(tmp_path / "sound.zip"))
    assert found(state) == []
    school[HEADINGS[column]] = value
    state = take_in(roster.write(tmp_path / "spoilt.zip"))
    told = [(finding.row, finding.column, finding.value, finding.reason, finding.is_error) for finding in found(state)]
    assert told == [(roster.line_of("orgs", "S1"), HEADINGS[column], value, f"{fault}。", False)]
    assert Org.objects.filter(sourced_id="S1", **{column: value}).exists()


def test_a_synthetic_province_is_not_warned_about(province_file: Callable[..., Path]) -> None:
    assert found(check(province_file(3_000))) == []
