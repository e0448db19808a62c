"""The org tree: which level may stand under which, and arithmetic on paths."""

from collections.abc import Iterable

from shuren.directory.data import OrgType

_REGIONS = frozenset({OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY})
_SITES = frozenset({OrgType.SCHOOL, OrgType.CAMPUS, OrgType.TEACHING_POINT})

PARENT_TYPES: dict[OrgType, frozenset[OrgType]] = {
    OrgType.PROVINCE: frozenset(),
    OrgType.CITY: frozenset({OrgType.PROVINCE}),
    OrgType.COUNTY: frozenset({OrgType.PROVINCE, OrgType.CITY}),
    OrgType.AGENCY: _REGIONS | {OrgType.AGENCY},
    OrgType.GROUP: _REGIONS | {OrgType.AGENCY},
    OrgType.SCHOOL: _REGIONS | {OrgType.AGENCY, OrgType.GROUP},
    OrgType.CAMPUS: frozenset({OrgType.SCHOOL}),
    OrgType.TEACHING_POINT: _REGIONS | {OrgType.GROUP, OrgType.SCHOOL},
    OrgType.DEPARTMENT: _SITES | {OrgType.AGENCY, OrgType.GROUP, OrgType.DEPARTMENT},
    OrgType.GRADE: _SITES,
    OrgType.CLASS: _SITES | {OrgType.GRADE},
}
# One installation may serve a province or a single school; a class or an office cannot be a whole installation.
ROOT_TYPES = _REGIONS | {OrgType.AGENCY, OrgType.GROUP, OrgType.SCHOOL}
BELOW_SCHOOL = frozenset({OrgType.CAMPUS, OrgType.DEPARTMENT, OrgType.GRADE, OrgType.CLASS})


def may_stand_under(child: OrgType, parent: OrgType | None) -> bool:
    """Whether an org of type `child` may be put under `parent`; None is the top of the installation."""
    return child in ROOT_TYPES if parent is None else parent in PARENT_TYPES[child]


def child_types(parent: OrgType) -> tuple[OrgType, ...]:
    return tuple(kind for kind in OrgType if parent in PARENT_TYPES[kind])


def child_path(parent_path: str, org_id: int) -> str:
    return f"{parent_path}{org_id}/"


def ids_of(path: str) -> tuple[int, ...]:
    """The chain of ids a path is made of, root first, the org itself last."""
    return tuple(int(part) for part in path.split("/") if part)


def depth_of(path: str) -> int:
    return path.count("/")


def prefixes_of(path: str) -> tuple[str, ...]:
    """Every branch that `path` lies in, from the root to itself."""
    return tuple(path[: end + 1] for end, letter in enumerate(path) if letter == "/")


def moved_path(path: str, *, old: str, new: str) -> str:
    """Where `path`, inside the branch `old`, lies once that branch is called `new`."""
    if not path.startswith(old):
        raise ValueError(f"{path!r} is not inside {old!r}")
    return new + path[len(old) :]


def is_inside(path: str, branch: str) -> bool:
    return path.startswith(branch)


def nearest(path: str, candidates: Iterable[str]) -> str | None:
    """The innermost of `candidates` that `path` lies in."""
    return max((branch for branch in candidates if path.startswith(branch)), key=len, default=None)
