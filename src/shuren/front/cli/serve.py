"""`shuren serve`: the web process and its worker, watched over."""

import os
import signal
import subprocess
import sys
import time
from types import FrameType

import click
from django.conf import settings

from shuren.backups import api as backups
from shuren.conf import environment as env
from shuren.front.cli.init import prepare

RESTART_PAUSE = 1.0
STOP_PATIENCE = 15.0


def web_command(host: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", env.WORKERS.value, "--blocking-threads", env.THREADS.value),
        # Its warnings are advice on the number of threads, which was measured for the door's queue.
        *("--respawn-failed-workers", "--no-ws", "--log-level", "error", "shuren.front.serving:application"),
    ]


def worker_command() -> list[str]:
    return [sys.executable, "-m", "shuren.front.cli", "worker", "--parent", str(os.getpid())]


class Family:
    """The children of `serve` by name, each started again when it dies."""

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self.commands = commands
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.is_stopping = False

    def run(self) -> None:
        """Start the children and stay until a signal asks to stop."""
        for name in self.commands:
            self.start(name)
        while not self.is_stopping:
            for name, child in self.children.items():
                if child.poll() is not None and not self.is_stopping:
                    click.echo(f"{name} ended with {child.returncode}; starting it again", err=True)
                    time.sleep(RESTART_PAUSE)
                    self.start(name)
            time.sleep(0.2)
        self.end()

    def start(self, name: str) -> None:
        environment = os.environ | {"SHUREN_DATA_DIR": str(settings.DATA_DIR), "SHUREN_SERVE_PID": str(os.getpid())}
        self.children[name] = subprocess.Popen(self.commands[name], env=environment)  # noqa: S603  # our own words

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_stopping = True

    def end(self) -> None:
        for child in self.children.values():
            child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


def serve(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Needs a prepared database."""
    family = Family({"web": web_command(host, port), "worker": worker_command()})
    signal.signal(signal.SIGTERM, family.stop)
    signal.signal(signal.SIGINT, family.stop)
    family.run()


@click.command("serve")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; put nginx in front of others.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--migrate/--no-migrate", default=True, show_default=True, help="Upgrade the tables first.")
def command(data_dir: str | None, host: str, port: int, migrate: bool) -> None:
    """Serve the pages (one web process with threads) and work the jobs (one child process)."""
    if migrate:
        prepare()
    backups.refuse_half_restored()
    click.echo(f"http://{host}:{port}/  (Ctrl-C stops)")
    serve(host, port)
