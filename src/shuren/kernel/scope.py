"""Scope: the branches of the org tree, and the single people, that an actor may reach.

An org's path is the chain of ids from the root, each closed by a slash (`1/15/2034/`), so that a branch is one range
of an index: `path >= p AND path < next_path(p)`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q

_AFTER_SLASH = chr(ord("/") + 1)


def next_path(path: str) -> str:
    """The smallest text above every path of the branch `path`, which must end in a slash."""
    if not path.endswith("/"):
        raise ValueError(f"path {path!r} does not end in a slash")
    return path[:-1] + _AFTER_SLASH


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Drop every path that lies inside another one; sorted."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return tuple(kept)


def path_q(column: str, paths: Iterable[str]) -> Q:
    """Rows whose `column` lies in one of the branches; no branch, no rows."""
    condition = Q(pk__in=())
    for path in outermost(paths):
        condition |= Q(**{f"{column}__gte": path, f"{column}__lt": next_path(path)})
    return condition


@dataclass(frozen=True, slots=True)
class Scope:
    """Branches and single people; `person_ids` are reachable wherever they are."""

    paths: tuple[str, ...] = ()
    person_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def is_empty(self) -> bool:
        return not self.paths and not self.person_ids

    def covers(self, path: str) -> bool:
        return any(path.startswith(branch) for branch in self.paths)
