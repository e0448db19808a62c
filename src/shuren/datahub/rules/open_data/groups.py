"""Groups of rows, which of them are too small to be shown, and which beside them must go so that totals betray nothing.

Groups stand in a tree: the whole, then the values of the first column, and so on down to the single group. Totals are
known to readers, published or not; so whatever is left out of one total must be several groups, with enough rows in them
together that none can be told. What a filter leaves out is known in the same way, as what is missing to the rows without it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """A column's figures in a group: how many rows have a value, their sum, the least and the greatest."""

    n: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None

    def __add__(self, other: "Measured") -> "Measured":
        lows = [each for each in (self.low, other.low) if each is not None]
        highs = [each for each in (self.high, other.high) if each is not None]
        return Measured(self.n + other.n, self.total + other.total, min(lows, default=None), max(highs, default=None))

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that have the declared values in common."""

    n: int
    measures: tuple[Measured, ...] = ()

    def __add__(self, other: "Group") -> "Group":
        measures = tuple(mine + yours for mine, yours in zip(self.measures, other.measures, strict=True))
        return Group(self.n + other.n, measures)


def is_small(group: Group, k: int) -> bool:
    """Fewer rows than `k`, fewer values than `k` behind a mean, or one value for all: then the mean is everybody's own."""
    return group.n < k or any(0 < each.n < k or (each.n > 0 and each.low == each.high) for each in group.measures)


def joined(groups: Iterable[Group]) -> Group:
    first, *rest = groups
    for each in rest:
        first += each
    return first


def regrouped(groups: Iterable[tuple[Key, Group]]) -> dict[Key, Group]:
    """Groups of one key added up: what dropping or coarsening a column leaves."""
    found: dict[Key, Group] = {}
    for key, group in groups:
        found[key] = found[key] + group if key in found else group
    return found


def nodes_of(leaves: Mapping[Key, Group]) -> dict[Key, Group]:
    """Every group and every total above it; the whole has the empty key."""
    depth = max((len(key) for key in leaves), default=0)
    return regrouped((key[:level], group) for key, group in leaves.items() for level in range(depth + 1))


def children_of(nodes: Iterable[Key]) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = defaultdict(list)
    for key in nodes:
        if key:
            found[key[:-1]].append(key)
    return found


def is_protected(hidden: Sequence[Group], k: int) -> bool:
    """Whether groups whose sum is known stay unknown: several, not small together, each free within `k` rows at least."""
    if not hidden:
        return True
    together = joined(hidden)
    return len(hidden) > 1 and not is_small(together, k) and together.n - len(hidden) >= k


def left_out(every: Mapping[Key, Group], chosen: Mapping[Key, Group]) -> dict[Key, Group]:
    """The rows of each group, and of each total, that are not among the chosen."""
    found = {key: Group(group.n - chosen[key].n if key in chosen else group.n) for key, group in every.items()}
    return {key: group for key, group in nodes_of(found).items() if group.n}


def is_told(key: Key, group: Group, left: Mapping[Key, Group], k: int) -> bool:
    """Whether a group, or the few rows that a filter left out of it, would be told by showing it."""
    return is_small(group, k) or (key in left and left[key].n < k)


class _Tree:
    """The groups while it is decided which of them are hidden."""

    def __init__(self, leaves: Mapping[Key, Group], k: int) -> None:
        self.k = k
        self.nodes = nodes_of(leaves)
        self.below = children_of(self.nodes)
        self.hidden: set[Key] = set()

    def hide(self, key: Key) -> None:
        """A group goes with all that lies in it."""
        self.hidden.add(key)
        for child in self.below.get(key, ()):
            if child not in self.hidden:
                self.hide(child)

    def keep_total(self, parent: Key) -> None:
        """Hide more beside what is hidden, the smallest first; where nothing is left, the total itself."""
        children = self.below[parent]
        gone = [self.nodes[key] for key in children if key in self.hidden]
        shown = [key for key in children if key not in self.hidden]
        shown.sort(key=lambda key: (self.nodes[key].n, str(key)), reverse=True)
        while not is_protected(gone, self.k):
            if not shown:
                return self.hide(parent)
            chosen = shown.pop()
            self.hide(chosen)
            gone.append(self.nodes[chosen])
        return None


def hidden_nodes(leaves: Mapping[Key, Group], k: int, left: Mapping[Key, Group] | None = None) -> set[Key]:
    """What must not be shown: small groups, and the smallest beside them until every total keeps them. May be everything."""
    tree = _Tree(leaves, k)
    for key in sorted(tree.nodes, key=len):
        if key not in tree.hidden and is_told(key, tree.nodes[key], left or {}, k):
            tree.hide(key)
    # From the single groups up: what hides a total is seen by the total above it.
    for parent in sorted(tree.below, key=len, reverse=True):
        if parent not in tree.hidden:
            tree.keep_total(parent)
    return tree.hidden
