"""Kill -9 while a list of diplomas is checked, taken in and given: nothing is lost, nothing is given twice."""

import os

from tests.faults.installation import new_installation

MOMENTS = int(os.environ.get("SHUREN_KILLS", "4"))


def test_a_list_is_given_whole_and_once_whenever_its_worker_is_killed(tmp_path) -> None:
    with new_installation(tmp_path / "region") as installation:
        told = installation.program("diplomas", MOMENTS)
    assert told["faults"] == []
    assert told["kills"] == MOMENTS
    assert told["hits"] >= MOMENTS // 3, "most kills came while nothing was going on"
