"""`shuren worker`: work the jobs."""

import os
import signal
import socket
import threading
import time
from types import FrameType

import click

from shuren.backups import api as backups
from shuren.work import api as work

PARENT_CHECK_SECONDS = 0.5
ORPHAN_PATIENCE = 5.0


def end_with_the_parent(parent: int, stopping: threading.Event) -> None:
    """Go home when the parent is gone; a job that does not get to a place to stop at meanwhile is cut off and runs again."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    stopping.set()
    time.sleep(ORPHAN_PATIENCE)
    os._exit(1)


@click.command("worker")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--parent", type=int, default=0, hidden=True, help="Stop when this process is gone.")
def command(data_dir: str | None, parent: int) -> None:
    """Work the jobs until stopped. Several workers may run at once, on PostgreSQL also on several machines."""
    backups.refuse_half_restored()
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if parent:
        threading.Thread(target=end_with_the_parent, args=(parent, stopping), name="parent-watch", daemon=True).start()
    work.work_forever(f"{socket.gethostname()}:{os.getpid()}", stop=stopping.is_set)
