"""Job functions that the tests of the queue name."""

import os
import time
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import get_language

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid
from shuren.work.data import JobContext
from shuren.work.services.queue import cancel_job
from shuren.work.services.run import WorkerStopping

calls: list[Any] = []


def note(job: JobContext, **args: Any) -> dict[str, Any]:
    calls.append({"job_id": job.job_id, "attempt": job.attempt, **args})
    return {"seen": args}


def speak(job: JobContext) -> dict[str, Any]:
    return {"language": get_language()}


def fail(job: JobContext, until: int = 99) -> None:
    calls.append(job.attempt)
    if job.attempt < until:
        raise RuntimeError(f"secret detail {job.attempt}")


def refuse(job: JobContext) -> None:
    calls.append(job.attempt)
    raise Invalid("第 3 行不对。", remedy="请改正。")


def clash(job: JobContext) -> None:
    raise Conflict("正忙。")


def step(job: JobContext, upto: int, fail_at: int) -> dict[str, int]:
    for number in range(job.state.get("done", 0), upto):
        calls.append(number)
        if number == fail_at and job.attempt == 1:
            raise RuntimeError("half-way")
        job.checkpoint(done=number + 1)
        job.progress(number + 1, upto, f"第 {number + 1} 步")
    return {"upto": upto}


def checkpoint_in_failing_transaction(job: JobContext) -> None:
    if job.attempt > 1:
        calls.append(dict(job.state))
        return
    with transaction.atomic():
        job.checkpoint(done=5)
        raise RuntimeError("rolled back")


def cancel_itself(job: JobContext, looks: bool) -> None:
    cancel_job(actor=SYSTEM, job_id=job.job_id, now=job.job.created_at)  # type: ignore[attr-defined]
    time.sleep(0.6)
    if looks:
        assert job.is_cancelled()


def go_home(job: JobContext) -> None:
    if job.attempt == 1:
        job.checkpoint(done=7)
        raise WorkerStopping
    calls.append(dict(job.state))


def break_the_transaction(job: JobContext) -> None:
    with transaction.atomic():
        audit.record(actor=SYSTEM, action="work.tried", target="job:1")
        raise RuntimeError("undo this")


def count_in_file(job: JobContext, path: str, upto: int) -> dict[str, int]:
    for number in range(job.state.get("next", 0), upto):
        _append(Path(path), f"{os.getpid()} {number}")
        job.checkpoint(next=number + 1)
        job.progress(number + 1, upto)
        time.sleep(0.02)
    return {"counted": upto}


def count_in_database(job: JobContext, upto: int) -> None:
    for number in range(job.state.get("next", 0), upto):
        with transaction.atomic():
            audit.record(actor=SYSTEM, action="work.counted", target=f"number:{number}")
            job.checkpoint(next=number + 1)
        time.sleep(0.01)


def hold_alone(job: JobContext, folder: str) -> None:
    """Fails if another process runs the same job at the same time."""
    lock = Path(folder) / f"{job.job_id}.lock"
    os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    time.sleep(0.03)
    lock.unlink()
    _append(Path(folder) / "held", str(job.job_id))


def hold_still(job: JobContext, path: str) -> None:
    """A long step: it looks neither left nor right."""
    _append(Path(path), str(os.getpid()))
    time.sleep(600)


def hear(job: JobContext, event_id: int, payload: dict[str, Any]) -> None:
    _append(Path(payload["path"]), f"hear {event_id}")
    time.sleep(0.01)


def hear_too(job: JobContext, event_id: int, payload: dict[str, Any]) -> None:
    _append(Path(payload["path"]), f"hear_too {event_id}")


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")
