"""Answers that one page asks for again and again, kept for as long as it is read and no longer."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

Answer = TypeVar("Answer")

_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("kept_answers", default=None)


@contextmanager
def reading() -> Iterator[None]:
    """Let `once` keep its answers until the block ends. Only around what changes nothing."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def once(key: Hashable, ask: Callable[[], Answer]) -> Answer:
    """The answer to `ask`, or inside `reading` the one it gave under this key before."""
    kept = _kept.get()
    if kept is None:
        return ask()
    if key not in kept:
        kept[key] = ask()
    return cast(Answer, kept[key])
