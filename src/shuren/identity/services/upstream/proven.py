"""What every kind of provider proves, and what is wrong when it does not."""

from dataclasses import dataclass


class NotProven(Exception):
    """The provider did not prove who came; the text says why, for the log and the administrator."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Who came, in the provider's words: its subject, the value to match by, and the name of its session."""

    subject: str
    matched_by: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Above:
    """The session there that somebody comes from; it waits in the browser's session while a second factor is asked for.

    `key` is a keyed hash of that session's name, `proven_at` when the provider proved it, in seconds.
    """

    upstream_id: int
    subject: str
    key: str
    proven_at: float
