"""Kill -9 of what a bureau runs, in the middle of a roster import, a results import and an evaluation.

The work comes in through the door: an officer signs in, sends a file, has it written. Then `serve` is killed, alone or with
all it started, and started anew, or its worker is killed and `serve` starts another, or the command that does the work
alone is killed. The officer goes on where the pages stand. In the end everything is as if nothing had happened, told by
fingerprints of an undisturbed run.
"""

import os
import random
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.bureau import Bureau
from tests.faults.conftest import Stages
from tests.faults.installation import Installation, wait_until
from tests.faults.officer import Officer
from tests.faults.school_test import CODE

pytestmark = pytest.mark.database

SEED = int(os.environ.get("SHUREN_FAULT_SEED", "20261121"))
MOMENTS = 20
PATIENCE = 240.0
# The steps of each work, as jobs; a kill falls into one of them in turn.
STEPS = {"roster": ("apply_import", "check_import"), "results": ("check_import", "apply_import"), "evaluation": ("run",)}
HALF_DONE = "SELECT 1 FROM work_job WHERE status IN ('queued', 'running') AND started_at IS NOT NULL"
UNFINISHED = (
    "SELECT (SELECT count(*) FROM work_job WHERE status IN ('queued', 'running') AND run_after < '{soon}'), "
    "(SELECT count(*) FROM kernel_event WHERE dispatched_at IS NULL)"
)


def cases(quick: set[str]) -> list[object]:
    """Every work at every moment; the first moment of the works named is in the quick suite."""
    moments = [(work, number) for work in STEPS for number in range(MOMENTS)]
    return [
        pytest.param(work, number, marks=() if number == 0 and work in quick else pytest.mark.soak) for work, number in moments
    ]


def moment_of(stages: Stages, work: str, number: int) -> tuple[str, float]:
    """Into which step the kill falls, and how many seconds after its beginning."""
    step = STEPS[work][number % len(STEPS[work])]
    return step, random.Random(f"{SEED}:{work}:{number}").uniform(0, 0.95 * stages.seconds[work][step])


class Struck:
    """An installation in which `work` is going on until its moment comes."""

    def __init__(self, installation: Installation, stages: Stages, work: str, number: int) -> None:
        self.installation, self.stages, self.work, self.number = installation, stages, work, number
        self.step, self.seconds = moment_of(stages, work, number)
        (self.last_job,) = installation.rows("SELECT max(id) FROM work_job")[0]

    def has_begun(self) -> bool:
        begun = f"SELECT 1 FROM work_job WHERE id > {self.last_job} AND started_at IS NOT NULL"
        return bool(self.installation.rows(f"{begun} AND name LIKE '%.jobs.{self.step}'"))

    def let_leases_run_out(self) -> None:
        """Half a minute passes at once, but for every fifth kill, which waits for it."""
        self.stages.hits.append(self.installation.rows(HALF_DONE) != [])
        if self.number % 5 != 4:
            self.installation.rows("UPDATE work_job SET lease_until = created_at WHERE status = 'running'")

    def settle(self) -> None:
        """Wait until all that followed from the work is done too, but for what is put off to another day."""
        soon = datetime.now(UTC) + timedelta(hours=1)
        unfinished = UNFINISHED.format(soon=f"{soon:%Y-%m-%d %H:%M:%S}")
        assert wait_until(lambda: self.installation.rows(unfinished) == [(0, 0)], patience=PATIENCE)

    def assert_untouched(self) -> None:
        found = self.installation.program("inspection")
        assert found["faults"] == []
        assert found["contents"] == self.stages.contents[self.work]


def begin(bureau: Bureau, struck: Struck) -> tuple[Officer, str]:
    """Send the work in through the door and stay until its moment; returns where it can be looked at."""
    officer = Officer(bureau.url)
    is_import = struck.work != "evaluation"
    address = officer.send(struck.work, struck.stages.file(struck.work)) if is_import else officer.start_run()
    assert officer.go_on(address, until=struck.has_begun, patience=PATIENCE)
    time.sleep(struck.seconds)
    return officer, address


def end(bureau: Bureau, struck: Struck, officer: Officer, address: str) -> None:
    assert officer.go_on(address, patience=PATIENCE)
    struck.settle()
    bureau.close()
    struck.assert_untouched()


@pytest.mark.parametrize(("work", "number"), cases({"roster"}))
def test_a_killed_serve_takes_everybody_along_and_the_next_goes_on(victim, bureau, stages, work, number) -> None:
    struck = Struck(victim, stages, work, number)
    officer, address = begin(bureau, struck)
    if number // 2 % 2:
        bureau.kill_everybody()
    else:
        assert bureau.kill_serve() == []
    struck.let_leases_run_out()
    bureau.open()
    end(bureau, struck, officer, address)


@pytest.mark.parametrize(("work", "number"), cases({"results"}))
def test_serve_replaces_a_killed_worker_and_the_work_goes_on(victim, bureau, stages, work, number) -> None:
    struck = Struck(victim, stages, work, number)
    officer, address = begin(bureau, struck)
    pid = bureau.kill_worker()
    struck.let_leases_run_out()
    assert bureau.has_another_worker(pid)
    assert "worker ended with -9; starting it again" in bureau.log.read_text()
    end(bureau, struck, officer, address)


@pytest.mark.parametrize(("work", "number"), cases(set()))
def test_serve_goes_on_with_what_a_killed_command_began(victim, stages, work, number) -> None:
    struck = Struck(victim, stages, work, number)
    words = command_of(stages, work)
    command = victim.start(*words)
    assert wait_until(struck.has_begun, patience=PATIENCE, pause=0.01), victim.log_of(words[0]).read_text()
    time.sleep(struck.seconds)
    command.kill()
    command.wait()
    struck.let_leases_run_out()
    bureau = Bureau(victim)
    bureau.open()
    try:
        officer = Officer(bureau.url)
        end(bureau, struck, officer, officer.newest("reports" if work == "evaluation" else "imports"))
    finally:
        bureau.close()


@pytest.mark.soak
@pytest.mark.parametrize("work", ["roster"])
def test_not_even_a_long_step_outlives_a_killed_serve(victim, bureau, tmp_path) -> None:
    begun = tmp_path / "begun"
    order = f"api.enqueue('shuren.work.tests.sample_jobs.hold_still', {{'path': {str(begun)!r}}})"
    victim.shell(f"from shuren.work import api; {order}")
    assert wait_until(begun.exists, patience=PATIENCE)
    assert bureau.kill_serve() == []


def command_of(stages: Stages, work: str) -> tuple[object, ...]:
    if work == "evaluation":
        return ("evaluate", "--assessment", CODE)
    return (work, "import", stages.file(work), "--yes")
