"""Which snapshots there are, and which of them make up a state of the lake."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import Snapshot
from shuren.datahub.models import ArchivedPartition, Dataset, StoredSnapshot
from shuren.datahub.rules.names import partition_text, partition_values
from shuren.datahub.selectors.catalogue import spec_named
from shuren.kernel.errors import NotFound

# A state of the past: as it was at a moment, or just after the snapshot of this id was written.
AsOf = datetime | int


def snapshot_data(stored: StoredSnapshot, dataset: str) -> Snapshot:
    return Snapshot(
        id=stored.pk,
        dataset=dataset,
        partition=stored.partition_values,
        rows=stored.rows,
        bytes=stored.bytes,
        sha256=stored.sha256,
        columns=stored.columns,
        created_at=stored.created_at,
        is_current=stored.is_current,
        superseded_at=stored.superseded_at,
        is_kept=stored.is_kept,
    )


def current(dataset: str, partition: Mapping[str, object]) -> StoredSnapshot | None:
    """The current snapshot of a partition; of one in pieces, the piece that came last."""
    text = partition_text(partition_values(spec_named(dataset).partition_keys, partition))
    return StoredSnapshot.objects.filter(dataset__name=dataset, partition=text, is_current=True).order_by("-piece").first()


def stored_snapshot(dataset: str, partition: Mapping[str, object], snapshot: int | None = None) -> StoredSnapshot:
    """The current snapshot of a partition, or an older one by id; `NotFound` when it was never written or is swept."""
    if snapshot is None:
        found = current(dataset, partition)
    else:
        text = partition_text(partition_values(spec_named(dataset).partition_keys, partition))
        found = StoredSnapshot.objects.filter(pk=snapshot, dataset__name=dataset, partition=text).first()
    if found is None:
        raise _nothing(dataset)
    return found


def stored_pieces(
    dataset: str, partition: Mapping[str, object], *, snapshot: int | None = None, as_of: AsOf | None = None
) -> list[StoredSnapshot]:
    """All pieces that make up a partition, now or as of then, in the order in which they came; or the one of an id."""
    if snapshot is not None:
        return [stored_snapshot(dataset, partition, snapshot)]
    text = partition_text(partition_values(spec_named(dataset).partition_keys, partition))
    found = list(_state([dataset], as_of).filter(partition=text).order_by("piece", "pk"))
    if not found:
        archived = ArchivedPartition.objects.filter(dataset=dataset, partition=text, destroyed_at__isnull=True)
        raise _nothing(dataset, is_archived=as_of is None and archived.exists())
    return found


def history(dataset: str, partition: Mapping[str, object]) -> list[Snapshot]:
    """Every snapshot of a partition that can still be read, newest first."""
    text = partition_text(partition_values(spec_named(dataset).partition_keys, partition))
    rows = StoredSnapshot.objects.filter(dataset__name=dataset, partition=text).order_by("-pk")
    return [snapshot_data(row, dataset) for row in rows]


def state_of_datasets(datasets: Iterable[str], as_of: AsOf | None = None) -> dict[str, list[StoredSnapshot]]:
    """The snapshots that make up each dataset, by dataset, in order of partition and piece."""
    names = list(datasets)
    found: dict[str, list[StoredSnapshot]] = {name: [] for name in names}
    rows = _state(names, as_of).select_related("dataset").order_by("dataset__name", "partition", "piece", "pk")
    for row in rows:
        found[row.dataset.name].append(row)
    return found


def _state(datasets: list[str], as_of: AsOf | None) -> QuerySet[StoredSnapshot]:
    rows = StoredSnapshot.objects.filter(dataset__name__in=datasets)
    if as_of is None:
        return rows.filter(is_current=True)
    moment = as_of if isinstance(as_of, datetime) else _moment_of(datasets, as_of)
    if Dataset.objects.filter(name__in=datasets, forgotten_until__gt=moment).exists():
        raise NotFound(_("那一时刻的数据已过保留期，无法完整读出。"))
    written = Q(created_at__lte=moment) if isinstance(as_of, datetime) else Q(created_at__lte=moment, pk__lte=as_of)
    return rows.filter(written).filter(Q(superseded_at__isnull=True) | Q(superseded_at__gt=moment))


def _moment_of(datasets: list[str], snapshot: int) -> datetime:
    found = StoredSnapshot.objects.filter(pk=snapshot, dataset__name__in=datasets).first()
    if found is None:
        raise _nothing("、".join(datasets))
    return found.created_at


def _nothing(dataset: str, *, is_archived: bool = False) -> NotFound:
    if is_archived:
        return NotFound(_("这份数据已归档：%(dataset)s。") % {"dataset": dataset}, remedy=_("需要时请提供单位从归档中调回。"))
    return NotFound(_("数据湖中没有这份数据：%(dataset)s。") % {"dataset": dataset})
