"""A bureau's machine: `shuren serve` with its web and worker processes, which somebody kills with SIGKILL."""

import signal
import socket
import subprocess

import psutil
import requests

from tests.faults.installation import Installation, wait_until

START_PATIENCE, STOP_PATIENCE = 120.0, 60.0
# Children look for their parent twice a second; a worker gives the job it holds a few seconds to be put down.
GONE_PATIENCE = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def words_of(process: psutil.Process) -> list[str]:
    """The command line; empty once the process is dead, buried or not."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


class Bureau:
    """`serve` on a port of its own; what it says goes to a file in the data folder."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = installation.log_of("serve")
        self.serve: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        self.serve = self.installation.start("serve", "--port", self.port)
        assert wait_until(self.is_healthy, patience=START_PATIENCE), self.log.read_text()

    def close(self) -> None:
        if self.serve is None:
            return
        family = self.family()
        self.serve.send_signal(signal.SIGTERM)
        try:
            self.serve.wait(STOP_PATIENCE)
        finally:
            for process in family:
                if process.is_running():
                    process.kill()
        self.serve = None

    def is_healthy(self) -> bool:
        assert self.serve is not None
        assert self.serve.poll() is None, self.log.read_text()
        try:
            return requests.get(f"{self.url}/health/", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def family(self) -> list[psutil.Process]:
        """`serve` and everything it started."""
        assert self.serve is not None
        parent = psutil.Process(self.serve.pid)
        return [parent, *parent.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        return [process for process in self.family() if "worker" in words_of(process)]

    def kill_everybody(self) -> None:
        """All at once, as when the power goes."""
        family = self.family()
        for process in family:
            process.kill()
        assert self.serve is not None
        self.serve.wait()
        psutil.wait_procs(family)
        self.serve = None

    def kill_serve(self) -> list[psutil.Process]:
        """Kill the parent alone; returns whoever is still there after a while: nobody should be."""
        assert self.serve is not None
        family = self.family()
        self.serve.kill()
        self.serve.wait()
        self.serve = None
        _gone, left = psutil.wait_procs(family, timeout=GONE_PATIENCE)
        for process in left:
            process.kill()
        return left

    def kill_worker(self) -> int:
        """Kill the worker alone; returns who it was."""
        (victim,) = self.workers()
        victim.kill()
        return victim.pid

    def has_another_worker(self, than: int) -> bool:
        """Whether `serve` put another worker in the place of that one."""
        return wait_until(lambda: [worker.pid for worker in self.workers()] not in ([], [than]), patience=GONE_PATIENCE)
