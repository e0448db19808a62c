"""The fair queue at the door: as many in a second as this process can sign in, the rest in order, told how long.

When a region signs in at eight o'clock, arrivals are given a time in order of arrival, no state but one number: the
moment when the next comes. Whoever must wait longer than a breath is told place and time and comes back with a signed
ticket, so that nobody who waited is overtaken and no thread is held meanwhile. How far apart the moments lie is learnt
from whole sign-ins, not from their hashes (some 25 ms of a core): what a thread does besides is waited for as well, and
what other pages take from the machine makes everybody slower.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from django.core import signing

_SALT = "identity.turnstile"
_BREATH = 0.4
_LATE = 30.0
_IDLE = 0.25
_FIRST_GUESS = 0.05
_NEWS = 0.05
_LONGEST_NAP = 5.0
# Asking again costs too: who waits long comes back after a third of it, and is still there when it goes faster.
_NAP_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Turn:
    """When it is somebody's turn: now when `seconds` is 0, else come back with `ticket` after as many."""

    ticket: str = ""
    seconds: float = 0.0
    place: int = 0

    @property
    def is_now(self) -> bool:
        return self.seconds <= 0

    @property
    def retry_after(self) -> int:
        return max(1, ceil(min(self.seconds, max(_LONGEST_NAP, self.seconds * _NAP_SHARE))))


class Turnstile:
    """`slots` hashes at a time in this process; `clock` is any seconds shared by the processes that take its tickets."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._slots = slots
        self._gate = threading.BoundedSemaphore(slots)
        self._lock = threading.Lock()
        self._next = 0.0
        self._last = 0.0
        self._inside = 0
        self._pace = _FIRST_GUESS / slots
        self._spent: dict[str, float] = {}

    @contextmanager
    def passage(self, ticket: str = "") -> Iterator[Turn]:
        """Come in, if it is this ticket's turn, or there is no queue; a ticket is spent by it.

        Whoever is in does the whole sign-in inside the block: the queue moves at the pace of these. A forged, spent or
        late ticket counts for nothing: its holder queues anew.
        """
        turn, nonce = self._turn(ticket)
        if not turn.is_now:
            yield turn
            return
        self._come_in(nonce)
        try:
            yield turn
        finally:
            self._go_on()

    def peek(self, ticket: str = "") -> Turn:
        """Take a place in the queue, or see how far the ticket's place has come, without coming in."""
        return self._turn(ticket)[0]

    def _turn(self, ticket: str) -> tuple[Turn, str]:
        with self._lock:
            now = self._clock()
            if not self._inside and now - self._last > _IDLE:
                self._next = min(self._next, now)  # those who were to come are not there: nobody waits for them
            is_idle = self._next <= now
            own = self._own(ticket, now)
            start, nonce = own or (self._place(now), secrets.token_urlsafe(9))
            kept = ticket if own else signing.dumps([start, nonce], salt=_SALT)
            if start - now <= _BREATH or is_idle:
                return Turn(kept), nonce
            return Turn(kept, start - now, max(1, ceil((start - now) / self._pace))), nonce

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots while hashing."""
        with self._gate:
            yield

    def _come_in(self, nonce: str) -> None:
        with self._lock:
            now = self._clock()
            self._spent[nonce] = now + _LATE
            if not self._inside:
                self._last = now
            self._inside += 1

    def _go_on(self) -> None:
        """Learn how far apart sign-ins end while somebody is at it, or would if every core had one."""
        with self._lock:
            now = self._clock()
            apart = (now - self._last) * min(self._inside, self._slots) / self._slots
            self._pace += _NEWS * (apart - self._pace)
            self._last = now
            self._inside -= 1

    def _place(self, now: float) -> float:
        start = max(now, self._next)
        self._next = start + self._pace
        return start

    def _own(self, ticket: str, now: float) -> tuple[float, str] | None:
        for nonce in [key for key, until in self._spent.items() if until < now]:
            del self._spent[nonce]
        if not ticket:
            return None
        try:
            start, nonce = signing.loads(ticket, salt=_SALT)
        except (signing.BadSignature, ValueError, TypeError):
            return None
        return None if nonce in self._spent or now - start > _LATE else (float(start), str(nonce))


def _share() -> int:
    """The cores of this process: all of them, divided among the web processes."""
    return max(1, (os.cpu_count() or 1) // max(1, int(os.environ.get("SHUREN_WORKERS", "1") or 1)))


turnstile = Turnstile(_share())
