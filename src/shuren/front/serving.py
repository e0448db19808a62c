"""The application as `serve` runs it: it ends itself when the process that started it is gone.

A web worker whose parent was killed with -9 would otherwise keep the port, and the next `serve` could not start.
"""

import os
import signal
import threading
import time

from shuren.conf.wsgi import application

__all__ = ["application"]

PARENT_CHECK_SECONDS = 0.5


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _end_with_the_parent() -> None:
    server, serve = os.getppid(), int(os.environ.get("SHUREN_SERVE_PID", "0"))
    while os.getppid() == server and (not serve or _is_alive(serve)):
        time.sleep(PARENT_CHECK_SECONDS)
    if os.getppid() == server:
        os.kill(server, signal.SIGKILL)  # granian's own parent process would start this one again for ever
    os._exit(1)


threading.Thread(target=_end_with_the_parent, name="parent-watch", daemon=True).start()
