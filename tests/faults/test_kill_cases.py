"""Kill -9 while cases are handed in and timers fire: no acknowledged case is lost, nothing happens twice or by half."""

import os
import random

from tests.faults.installation import Installation, new_installation
from tests.faults.striking import start, struck

KILLS = int(os.environ.get("SHUREN_KILLS", "2"))
CASES = 120
_RUNS = "SELECT count(*) FROM casework_stagerun r WHERE r.case_id = c.id"
_ITEMS = "SELECT count(*) FROM casework_workitem w WHERE w.case_id = c.id AND w.state = 'open'"
_EVENTS = "SELECT count(*) FROM casework_caseevent e WHERE e.case_id = c.id AND e.act = '{act}'"


def states(installation: Installation) -> set[tuple[object, ...]]:
    """What every case is, and how many visits, open items and lines of its history it has."""
    told = f"({_RUNS}), ({_ITEMS}), ({_EVENTS.format(act='submitted')}), ({_EVENTS.format(act='closed')})"
    return set(installation.rows(f"SELECT DISTINCT c.state, {told} FROM casework_case c"))


def test_a_kill_loses_no_case_and_fires_no_timer_twice(tmp_path) -> None:
    chance, hits = random.Random(20261129), 0
    with new_installation(tmp_path / "office") as office:
        assert office.program("case_office", "prepare", CASES) == CASES
        for _ in range(KILLS):
            said, hit = struck(office, "case_office", "submit", chance)
            hits += hit
            running = {row[0] for row in office.rows("SELECT id FROM casework_case WHERE state = 'running'")}
            assert {int(word) for word in said} <= running
            assert states(office) <= {("draft", 0, 0, 0, 0), ("running", 1, 1, 1, 0)}
        start(office, "case_office", "submit").wait()
        assert states(office) == {("running", 1, 1, 1, 0)}
        for _ in range(KILLS):
            hits += struck(office, "case_office", "fire", chance)[1]
            assert states(office) <= {("running", 1, 1, 1, 0), ("closed", 1, 0, 1, 1)}
        start(office, "case_office", "fire").wait()
        assert states(office) == {("closed", 1, 0, 1, 1)}
        for act in ("overdue", "escalated"):
            assert office.rows(f"SELECT DISTINCT ({_EVENTS.format(act=act)}) FROM casework_case c") == [(1,)]
        told = office.rows("SELECT count(*), count(DISTINCT key) FROM messaging_notice WHERE key LIKE 'casework.timer:%'")
        assert told == [(CASES, CASES)]
    assert hits >= KILLS // 2, "most kills came while nothing was going on"
