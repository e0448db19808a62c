"""Whom a stage asks, as far as it can be said without looking anything up."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shuren.casework.rules.specs.flow import Decide
from shuren.directory.data import OrgData, OrgType, Role

_OFFICES = frozenset({OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY, OrgType.AGENCY})
_KEEPERS = {
    OrgType.PROVINCE: Role.PROVINCE_OFFICER,
    OrgType.CITY: Role.CITY_OFFICER,
    OrgType.COUNTY: Role.COUNTY_OFFICER,
    OrgType.AGENCY: Role.COUNTY_OFFICER,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One who is asked: a person, or whoever holds `role` at the org."""

    person_id: int | None = None
    role: Role | None = None
    org_id: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody in a pool, with the orgs they belong to."""

    person_id: int
    paths: frozenset[str] = frozenset()


def org_asked(line: Sequence[OrgData], at: str) -> OrgData | None:
    """The org of a rule, `line` being the org of the case and those above it, from the org upwards."""
    if not line:
        return None
    if at == "here":
        return line[0]
    if at == "above":
        return next((org for org in line[1:] if org.type in _OFFICES), line[1] if len(line) > 1 else None)
    return next((org for org in line if org.type == at), None)


def keeper_at(kind: OrgType) -> Role:
    """Who answers for an org that produces data."""
    return _KEEPERS.get(kind, Role.SCHOOL_ADMIN)


def is_pooled(decide: Decide) -> bool:
    """Whether whoever holds the office answers for all who do; elsewhere everybody answers for themself."""
    return decide is Decide.ONE


def named_values(data: Mapping[str, Any], path: str) -> list[Any]:
    """The values of a field, or of a column in every row of a table."""
    key, _, column = path.partition(".")
    value = data.get(key)
    if column:
        return [row[column] for row in value if isinstance(row, Mapping) and row.get(column)] if isinstance(value, list) else []
    return [value] if value else []


def without_conflicts(
    candidates: Iterable[Candidate],
    *,
    avoid: Collection[str],
    org_path: str,
    branch_path: str,
    filer_id: int | None,
    asked_before: Collection[int],
) -> list[Candidate]:
    """Those whom nothing speaks against: not of the org, nor of its branch, not the filer, not asked before."""
    kept = []
    for candidate in candidates:
        is_near = "same_org" in avoid and _touches(candidate.paths, org_path)
        is_related = "same_branch" in avoid and any(path.startswith(branch_path) for path in candidate.paths)
        is_filer = "filer" in avoid and candidate.person_id == filer_id
        if not (is_near or is_related or is_filer or ("asked_before" in avoid and candidate.person_id in asked_before)):
            kept.append(candidate)
    return kept


def _touches(paths: Iterable[str], org_path: str) -> bool:
    return any(path.startswith(org_path) for path in paths)


def drawn(candidates: Sequence[Candidate], count: int, rng: Random) -> list[Candidate]:
    """`count` of them by chance, or all where there are not more."""
    return list(candidates) if len(candidates) <= count else rng.sample(list(candidates), count)
