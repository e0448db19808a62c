"""Who uses which word: apps declare it downward, since the words lie below all of them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from shuren.standards.data import WordUse

Uses = Callable[[], Iterable[WordUse]]
Counts = Callable[[str, Collection[str]], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class WordUser:
    """`uses` lists the places that name an element or a code set; `counts(code_set, codes)` how many stored values state each."""

    name: str
    uses: Uses
    counts: Counts | None


_users: dict[str, WordUser] = {}


def declare_use(name: str, *, uses: Uses, counts: Counts | None = None) -> None:
    """Say where an app uses words; called where the app starts. An edition that ends a code is held against it."""
    _users[name] = WordUser(name, uses, counts)


def word_users() -> list[WordUser]:
    return list(_users.values())
