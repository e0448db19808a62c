"""The catalogue as officers read it: which assets there are, their columns, their neighbours and the runs that made them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Max, QuerySet, When
from django.utils.translation import gettext as _

from shuren.datahub.data import AssetKind
from shuren.datahub.models import CatalogueAsset, CatalogueColumn, LineageEdge, LineageRun, LineageTouch, StoredSnapshot
from shuren.datahub.selectors.catalogue import read_aloud
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

# Those who may ask others for data find out here whether it is there already.
READERS = (Permission.ISSUE_COLLECTIONS,)
# What people look for comes before what programs use.
_KINDS = (
    AssetKind.DATASET,
    AssetKind.REGISTER,
    AssetKind.FORM,
    AssetKind.INDICATOR,
    AssetKind.REPORT,
    AssetKind.FLOW,
    AssetKind.FILE,
    AssetKind.OUTSIDE,
    AssetKind.TABLE,
    AssetKind.API,
)
_BY_KIND = Case(*(When(kind=kind.value, then=place) for place, kind in enumerate(_KINDS)), default=len(_KINDS))


def may_read_catalogue(*, actor: Actor, now: datetime) -> bool:
    """Names of columns and no values: who may ask anywhere may read all of it."""
    return any(directory.scope_of(actor=actor, permission=permission, now=now).paths for permission in READERS)


def assets(
    *,
    actor: Actor,
    now: datetime,
    kind: str = "",
    owner: str = "",
    grade: str = "",
    search: str = "",
    state: str = "",
) -> QuerySet[CatalogueAsset]:
    """What stands in the catalogue, by kind and title; nothing for those who may not read it.

    `state` `retired` shows what is gone.
    """
    if not may_read_catalogue(actor=actor, now=now):
        return CatalogueAsset.objects.none()
    return filtered_assets(kind=kind, owner=owner, grade=grade, search=search, state=state)


def filtered_assets(
    *, kind: str = "", owner: str = "", grade: str = "", search: str = "", state: str = ""
) -> QuerySet[CatalogueAsset]:
    """The same for callers who have asked who may read."""
    rows = CatalogueAsset.objects.filter(retired_at__isnull=state != "retired").order_by("title_zh", "pk")
    if not kind:
        rows = rows.order_by(_BY_KIND, "title_zh", "pk")
    exact = {"kind": kind, "owner": owner, "grade": grade}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    for word in search.lower().split()[:5]:
        named = _with_column(word)
        rows = rows.filter(words__contains=word) | rows.filter(pk__in=named) if named else rows.filter(words__contains=word)
    return rows


def _with_column(word: str) -> list[int]:
    """Assets with a column whose name begins so: a range of its index, cut where there are very many."""
    columns = CatalogueColumn.objects.filter(name__gte=word, name__lt=word + "\U0010ffff").order_by("name")
    return sorted(set(columns.values_list("asset_id", flat=True)[:500]))


def access_asset(*, actor: Actor, id: int, now: datetime) -> CatalogueAsset:
    """The asset, for those who read the catalogue; otherwise `NotFound`."""
    row = CatalogueAsset.objects.filter(pk=id).first()
    if row is None or not may_read_catalogue(actor=actor, now=now):
        raise NotFound(_("没有找到这项数据资源。"))
    return row


def access_catalogue(*, actor: Actor, now: datetime) -> None:
    """`NotFound` for those who may not read the catalogue."""
    if not may_read_catalogue(actor=actor, now=now):
        raise NotFound(_("没有找到这个页面。"))


def find_asset(*, actor: Actor, key: str, now: datetime) -> CatalogueAsset:
    """The same by its name, `<kind>:<name>`."""
    row = CatalogueAsset.objects.filter(key=key[:420]).first() if "\x00" not in key else None
    if row is None or not may_read_catalogue(actor=actor, now=now):
        raise NotFound(_("没有找到这项数据资源。"))
    return row


def asset_owners() -> list[str]:
    rows = CatalogueAsset.objects.filter(retired_at__isnull=True).exclude(owner="")
    return list(rows.order_by("owner").values_list("owner", flat=True).distinct()[:200])


def columns_of(asset: CatalogueAsset, *, search: str = "") -> QuerySet[CatalogueColumn]:
    rows = CatalogueColumn.objects.filter(asset=asset).order_by("position")
    if not search:
        return rows
    found = CatalogueColumn.objects.filter(asset=asset)
    wanted = search.strip().lower()
    if wanted.isascii() and len(wanted) > 1:
        aloud = [pk for pk, title in found.exclude(title_zh="").values_list("pk", "title_zh") if wanted in read_aloud(title)]
        by_sound = found.filter(pk__in=aloud[:500])
    else:
        by_sound = found.none()
    by_name = found.filter(name__icontains=search) | found.filter(title_zh__contains=search)
    return (by_name | by_sound | found.filter(title_en__icontains=search) | found.filter(element__icontains=search)).order_by(
        "position"
    )


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An asset one step away, and the edge that leads there; `columns` names both ends where one column is looked at."""

    asset: CatalogueAsset
    edge: LineageEdge

    @property
    def is_defined_only(self) -> bool:
        return self.edge.runs == 0


def edges_beside(asset_id: int, *, is_up: bool, column: str = "") -> QuerySet[LineageEdge]:
    """Edges into (`is_up`) or out of an asset or one of its columns, in the order of the other end."""
    if is_up:
        rows = LineageEdge.objects.filter(target_id=asset_id, target_column=column).select_related("source")
        rows = rows.order_by("source_id", "source_column")
    else:
        rows = LineageEdge.objects.filter(source_id=asset_id, source_column=column).select_related("target")
        rows = rows.order_by("target_id", "target_column")
    return rows if column else rows.filter(source_column="", target_column="")


def neighbour_of(edge: LineageEdge, *, is_up: bool) -> Neighbour:
    return Neighbour(edge.source if is_up else edge.target, edge)


def runs_of(asset: CatalogueAsset) -> QuerySet[LineageTouch]:
    """The runs that read or wrote an asset, newest first."""
    return LineageTouch.objects.filter(asset=asset).select_related("run").order_by("-run_id", "is_output")


def our_runs(*, after: int = 0) -> QuerySet[LineageRun]:
    """The runs of this house, oldest first."""
    return LineageRun.objects.filter(is_ours=True, pk__gt=after).order_by("pk")


def columns_of_datasets(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The columns of datasets as their newest current snapshots have them, partition keys included."""
    found: dict[str, tuple[str, ...]] = {}
    for name, columns, values in _newest(set(names)):
        found.setdefault(name, tuple(dict.fromkeys([*columns, *values])))
    return found


def column_types_of_datasets(names: Collection[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, columns, values in _newest(set(names)):
        found.setdefault(name, {**columns, **{key: "string" for key in values if key not in columns}})
    return found


def _newest(names: set[str]) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    current = StoredSnapshot.objects.filter(dataset__name__in=names, is_current=True)
    newest = current.order_by().values("dataset").annotate(newest=Max("pk")).values("newest")
    rows = StoredSnapshot.objects.filter(pk__in=newest).order_by("dataset__name")
    return list(rows.values_list("dataset__name", "columns", "partition_values"))


def kinds_counted() -> dict[AssetKind, int]:
    """How many assets of each kind are in use."""
    rows = CatalogueAsset.objects.filter(retired_at__isnull=True).order_by().values_list("kind", flat=True)
    counted: dict[AssetKind, int] = dict.fromkeys(AssetKind, 0)
    for kind in rows.iterator():
        counted[AssetKind(kind)] += 1
    return counted
