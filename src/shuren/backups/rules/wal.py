"""Names in PostgreSQL's write-ahead log, and the lines that make a server follow a backup's log."""

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

_NAME = re.compile(r"[0-9A-F]{24}(\.partial|\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history")
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_START = re.compile(rb"START WAL LOCATION: [0-9A-F]+/[0-9A-F]+ \(file ([0-9A-F]{24})\)")


def is_wal_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def is_segment(name: str) -> bool:
    return _SEGMENT.fullmatch(name) is not None


def is_before(segment: str, start: str) -> bool:
    """Whether a segment lies before another in the log, whatever their timelines."""
    return segment[8:] < start[8:]


def start_segment(head: bytes) -> str:
    """The first segment that a base backup needs, from the label that stands first in it; raises `ValueError` without one."""
    found = _START.search(head)
    if found is None:
        raise ValueError("the base backup does not begin with its label")
    return found[1].decode()


def recovery_lines(fetch: Sequence[str], at: datetime | None) -> str:
    """What `postgresql.auto.conf` says so that the server replays the log up to a moment and then opens."""
    command = " ".join([*(shlex.quote(word) for word in fetch), "%f", '"%p"']).replace("'", "''")
    lines = [f"restore_command = '{command}'", "recovery_target_action = 'promote'"]
    if at is not None:
        lines.append(f"recovery_target_time = '{at.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f+00')}'")
    return "\n".join(["", *lines, ""])
