"""What every test of the repository stands on: no network beyond this machine, and repeatable property tests."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from typing import Any

import numba
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("check", max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("soak", max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))

# Tests of what stands before services: pages, protocols, other people's clients, damaged files and requests.
DOORS = re.compile(
    r"/test_[a-z_]*(views|pages|fuzz|tampering|lti)[a-z_]*\.py$|/front/tests/|/tests/interop/|/identity/tests/(federation|oauth)/"
)
LOOPBACK = {"127.0.0.1", "127.0.0.2", "::1", "localhost", "0.0.0.0"}  # noqa: S104  # compared with, not bound


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse any connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise RuntimeError(f"a test tried to reach {address[0]}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign, assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def forgotten_definitions() -> None:
    """Versions of definitions are kept by their row id, and row ids come again in the next test."""
    kept = sys.modules.get("shuren.casework.selectors.definitions")
    if kept is not None:
        kept.read_version.cache_clear()


@pytest.fixture(autouse=True, scope="session")
def one_thread_each() -> None:
    """Parallel kernels of several test processes on the same cores wait for each other far longer than they compute."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        numba.set_num_threads(1)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """What asks for a database carries the mark; tests that start processes with one of their own say so themselves.

    What takes minutes comes first, whatever order others made: at the end one process would wait for the other.
    """
    for item in items:
        asked = getattr(item, "fixturenames", ())
        if item.get_closest_marker("django_db") or "db" in asked or "transactional_db" in asked:
            item.add_marker("database")
        if DOORS.search(item.path.as_posix()):
            item.add_marker("doors")
    yield
    items.sort(key=lambda item: "/tests/faults/" not in item.path.as_posix())
