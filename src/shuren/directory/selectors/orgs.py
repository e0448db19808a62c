"""Orgs, read: one, many, below, above."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import OrgData, OrgStatus, OrgType, Permission
from shuren.directory.models import Org
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.scope import scope_of
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q

# SQLite takes at most 32,766 values in one statement; longer lists are asked in chunks.
CHUNK = 10_000


def org_data(org: Org) -> OrgData:
    return OrgData(
        id=org.pk,
        public_id=ids.encode("org", org.pk),
        sourced_id=org.sourced_id,
        code=org.code,
        name=org.name,
        short_name=org.short_name,
        type=OrgType(org.type),
        status=OrgStatus(org.status),
        path=org.path,
        depth=org.depth,
        parent_id=org.parent_id,
        division_code=org.division_code,
        is_rural=org.is_rural,
        grade=org.grade,
    )


def access_org(*, actor: Actor, id: int, permission: Permission, now: datetime) -> OrgData:
    """The org, if `actor` holds `permission` on it; otherwise `NotFound`, as if it did not exist."""
    return org_data(org_row_for(actor=actor, id=id, permission=permission, now=now))


def org_row_for(*, actor: Actor, id: int, permission: Permission, now: datetime) -> Org:
    org = Org.objects.visible().filter(pk=id).first()
    if org is None or not scope_of(actor=actor, permission=permission, now=now).covers(org.path):
        raise NotFound(_("没有找到这个机构。"))
    return org


def orgs_by_ids(org_ids: Iterable[int]) -> dict[int, OrgData]:
    wanted = sorted(set(org_ids))
    found: dict[int, OrgData] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Org.objects.visible().filter(pk__in=wanted[start : start + CHUNK])
        found.update((org.pk, org_data(org)) for org in rows.defer("geometry"))
    return found


def orgs_above(paths: Iterable[str]) -> dict[int, OrgData]:
    """Every org on the way from the root to each of `paths`, ends included."""
    return orgs_by_ids(org_id for path in paths for org_id in ids_of(path))


def ancestors_of(org_id: int) -> list[OrgData]:
    """The chain above an org, root first, without the org itself; empty for the root and for an unknown org."""
    path = Org.objects.visible().filter(pk=org_id).values_list("path", flat=True).first()
    chain = ids_of(path or "")[:-1]
    found = orgs_by_ids(chain)
    return [found[id] for id in chain]


def children_of(org_id: int, *, with_ended: bool = False) -> list[OrgData]:
    rows = Org.objects.visible().filter(parent_id=org_id).order_by("position", "id").defer("geometry")
    return [org_data(org) for org in (rows if with_ended else rows.filter(status=OrgStatus.ACTIVE))]


def root_org() -> OrgData | None:
    """The top of the installation; None until the first org is added."""
    org = Org.objects.visible().filter(parent__isnull=True).order_by("id").first()
    return org_data(org) if org else None


def subtree(path: str, types: Collection[OrgType] | None = None, *, with_ended: bool = False) -> list[OrgData]:
    """The branch `path` with its own top, in order of path; `types` keeps only those levels."""
    return [org_data(org) for org in branch_rows([path], types, with_ended=with_ended)]


def orgs_after(path: str, *, after: str, limit: int, types: Collection[OrgType] | None = None) -> list[OrgData]:
    """The next active orgs of the branch `path` behind the path `after`, in order of path; empty at its end."""
    return [org_data(org) for org in branch_rows([path], types, with_ended=False).filter(path__gt=after)[:limit]]


def count_orgs(path: str, types: Collection[OrgType] | None = None) -> int:
    """How many active orgs the branch `path` holds, its own top among them."""
    return branch_rows([path], types, with_ended=False).order_by().count()


def branch_rows(paths: Sequence[str], types: Collection[OrgType] | None, *, with_ended: bool) -> QuerySet[Org]:
    rows = Org.objects.visible().filter(path_q("path", paths)).order_by("path").defer("geometry")
    if types is not None:
        rows = rows.filter(type__in=[kind.value for kind in types])
    return rows if with_ended else rows.filter(status=OrgStatus.ACTIVE)


def geometries_of(org_ids: Collection[int]) -> dict[int, dict[str, object]]:
    """The boundaries of those orgs that have one (GeoJSON)."""
    rows = Org.objects.visible().filter(pk__in=org_ids, geometry__isnull=False)
    return {pk: geometry for pk, geometry in rows.values_list("pk", "geometry") if isinstance(geometry, dict)}


def org_ids_by_sourced(sourced_ids: Iterable[str]) -> dict[str, int]:
    return _ids_by("sourced_id", sourced_ids)


def org_ids_by_code(codes: Iterable[str]) -> dict[str, int]:
    """Active orgs by their code; where two share one, the older wins."""
    wanted = sorted({code for code in codes if code})
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Org.objects.visible().filter(code__in=wanted[start : start + CHUNK], status=OrgStatus.ACTIVE).order_by("-pk")
        found.update(rows.values_list("code", "pk"))
    return found


def _ids_by(column: str, values: Iterable[str]) -> dict[str, int]:
    wanted = sorted(set(values))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        found.update(Org.objects.visible().filter(**{f"{column}__in": wanted[start : start + CHUNK]}).values_list(column, "pk"))
    return found
