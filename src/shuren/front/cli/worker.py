"""`shuren worker`: work the jobs."""

import os
import signal
import socket
import threading
from types import FrameType

import click

from shuren.work import api as work


@click.command("worker")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--parent", type=int, default=0, hidden=True, help="Stop when this process is gone.")
def command(data_dir: str | None, parent: int) -> None:
    """Work the jobs until stopped. Several workers may run at once, on PostgreSQL also on several machines."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    work.work_forever(
        f"{socket.gethostname()}:{os.getpid()}",
        stop=lambda: stopping.is_set() or bool(parent and os.getppid() != parent),
    )
