"""Requests that come at once are done together: one thread does for all of them what each would ask the database alone.

A statement alone costs a transaction, at whose end the disk is waited for. Whoever comes while others are at it waits; when
they are through, one of those who waited does it for all that wait by then. Nobody waits for others to come: a request alone
is as quick as without this, and the more come at once, the less each costs.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


class Apart(Exception):
    """These cannot be done together; each goes alone."""


class _Turn(Generic[Asked, Answer]):
    """One who asks. The gate opens when there is an answer, when it is this one's turn to lead, or to go alone."""

    __slots__ = ("answers", "asked", "gate", "leads")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answers: tuple[Answer, ...] = ()
        self.leads = False
        self.gate = Lock()
        self.gate.acquire()


class Together(Generic[Asked, Answer]):
    """`many` answers in the order in which it was asked, or raises and has kept nothing; then each goes `alone` in its thread.

    So one's fault is nobody else's: it is met again alone, by the one whose it is.
    """

    def __init__(
        self, alone: Callable[[Asked], Answer], many: Callable[[Sequence[Asked]], Sequence[Answer]], *, most: int
    ) -> None:
        self._alone, self._many, self._most = alone, many, most
        self._lock = Lock()
        self._waiting: list[_Turn[Asked, Answer]] = []
        self._is_led = False

    def ask(self, asked: Asked) -> Answer:
        turn = _Turn[Asked, Answer](asked)
        with self._lock:
            self._waiting.append(turn)
            turn.leads, self._is_led = not self._is_led, True
        if not turn.leads:
            turn.gate.acquire()
        if turn.leads:
            return self._lead(turn)
        return turn.answers[0] if turn.answers else self._alone(asked)

    def _lead(self, turn: _Turn[Asked, Answer]) -> Answer:
        """Of all that wait the one who leads is the first."""
        with self._lock:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            if len(group) == 1:
                return self._alone(turn.asked)
            self._answer(group)
        finally:
            self._hand_on()
            for other in group[1:]:
                other.gate.release()
        return turn.answers[0] if turn.answers else self._alone(turn.asked)

    def _answer(self, group: Sequence[_Turn[Asked, Answer]]) -> None:
        try:
            answers = self._many([one.asked for one in group])
        except Apart:
            return
        except Exception:  # noqa: BLE001  # whatever it was, each meets it or not
            _log.warning("%d requests are done one by one", len(group), exc_info=True)
            return
        for one, answer in zip(group, answers, strict=True):
            one.answers = (answer,)

    def _hand_on(self) -> None:
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].gate.release()
