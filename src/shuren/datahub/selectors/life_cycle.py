"""Datasets and their partitions as their owners see them: in use, archived, due. Only for those who keep the owner's data."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import ArchiveState, DestructionState, LifeCycle
from shuren.datahub.models import ArchivedPartition, Dataset, Destruction, StoredSnapshot
from shuren.datahub.rules.life_cycle import destroyed_from, leaves_use_on, started_on
from shuren.datahub.selectors.life_cycle_rules import life_cycles_of
from shuren.datahub.selectors.shared_datasets import SharedDataset, shared_dataset, shared_datasets
from shuren.datahub.selectors.sharing import access_sharing, decides_for
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

OPEN_STATES = tuple(state for state in DestructionState if state not in (DestructionState.DONE, DestructionState.REFUSED))


@dataclass(slots=True)
class PartitionLife:
    """All that there is of one partition: `files` counts snapshots of any time and what lies in the archive.

    `digest` is over the digests of what is current, kept or archived: while it stays, nothing was written, kept or put away.
    """

    partition: str
    values: dict[str, str]
    rows: int = 0
    bytes: int = 0
    files: int = 0
    kept: int = 0
    written_at: datetime | None = None
    is_in_use: bool = False
    archives: list[ArchivedPartition] = field(default_factory=list)
    digest: str = ""
    archive_on: date | None = None
    destroy_on: date | None = None

    @property
    def is_archived(self) -> bool:
        return not self.is_in_use and bool(self.archives)

    @property
    def recalled_until(self) -> date | None:
        days = [one.recalled_until for one in self.archives if one.state == ArchiveState.RECALLED and one.recalled_until]
        return max(days, default=None)


@dataclass(frozen=True, slots=True)
class DatasetLife:
    """A dataset as the list of life cycles shows it."""

    shared: SharedDataset
    rule: LifeCycle
    held_reason: str
    in_use: int
    archived: int
    bytes: int


def partition_lives(dataset: str, rule: LifeCycle) -> list[PartitionLife]:
    """Every partition of which something is left, in order of its name, with the days on which it falls due."""
    found: dict[str, PartitionLife] = {}
    digests: dict[str, list[str]] = {}
    rows = StoredSnapshot.objects.filter(dataset__name=dataset).order_by("partition", "pk")
    for row in rows.iterator(chunk_size=1_000):
        life = found.setdefault(row.partition, PartitionLife(row.partition, dict(row.partition_values)))
        if row.is_current or row.is_kept:
            digests.setdefault(row.partition, []).append(row.sha256)
        _count(life, rows=row.rows if row.is_current else 0, bytes_=row.bytes, written_at=row.created_at)
        life.is_in_use |= row.is_current
        life.kept += row.is_kept
    archives = ArchivedPartition.objects.filter(dataset=dataset, destroyed_at__isnull=True).order_by("partition", "pk")
    for archive in archives.prefetch_related("files"):
        life = found.setdefault(archive.partition, PartitionLife(archive.partition, dict(archive.partition_values)))
        life.archives.append(archive)
        life.written_at = max(life.written_at or archive.written_at, archive.written_at)
        # What was recalled lies twice: its rows are counted where they are read.
        rows_there = 0 if archive.state == ArchiveState.RECALLED else archive.rows
        for one in archive.files.all():
            digests.setdefault(archive.partition, []).append(one.stored_sha256)
            _count(life, rows=0, bytes_=one.stored_bytes, written_at=one.written_at)
        life.rows += rows_there
    for life in found.values():
        life.digest = hashlib.sha256("\n".join(sorted(digests.get(life.partition, []))).encode()).hexdigest()
        _date(life, rule)
    return [found[name] for name in sorted(found)]


def _count(life: PartitionLife, *, rows: int, bytes_: int, written_at: datetime) -> None:
    life.rows += rows
    life.bytes += bytes_
    life.files += 1
    life.written_at = max(life.written_at or written_at, written_at)


def _date(life: PartitionLife, rule: LifeCycle) -> None:
    assert life.written_at is not None
    start = started_on(rule, life.values, day_of(life.written_at))
    life.archive_on, life.destroy_on = leaves_use_on(rule, start), destroyed_from(rule, start)
    if life.archive_on == life.destroy_on:
        life.archive_on = None


def to_archive(lives: Iterable[PartitionLife], *, today: date) -> list[PartitionLife]:
    """Those in use whose time in use is over, what was recalled for longer left out."""
    return [
        life
        for life in lives
        if life.is_in_use
        and life.archive_on is not None
        and life.archive_on <= today
        and (life.recalled_until is None or life.recalled_until < today)
    ]


def to_destroy(lives: Iterable[PartitionLife], *, today: date) -> list[PartitionLife]:
    """Those whose last day has come, what was recalled for longer left out."""
    return [
        life
        for life in lives
        if life.destroy_on is not None
        and life.destroy_on <= today
        and (life.recalled_until is None or life.recalled_until < today)
    ]


def held_reason_of(dataset: str) -> str:
    return Dataset.objects.filter(name=dataset).values_list("held_reason", flat=True).first() or ""


def dataset_lives(*, actor: Actor, now: datetime, words: str = "", state: str = "") -> list[DatasetLife]:
    """The datasets that the actor answers for, by title; `state` `undeclared`, `held` or `archived` narrows them."""
    access_sharing(actor=actor, now=now)
    decided: dict[int, bool] = {}
    kept = []
    for shared in shared_datasets(words=words):
        owner = shared.owner.id
        if owner not in decided:
            decided[owner] = decides_for(owner, actor=actor, now=now)
        if decided[owner]:
            kept.append(shared)
    found = _lives(kept)
    return [one for one in found if _is_in(one, state)]


def _is_in(one: DatasetLife, state: str) -> bool:
    if state == "undeclared":
        return not one.rule.is_declared
    if state == "held":
        return bool(one.held_reason)
    return one.archived > 0 if state == "archived" else True


def _lives(kept: list[SharedDataset]) -> list[DatasetLife]:
    names = [one.spec.name for one in kept]
    rules = life_cycles_of([one.spec for one in kept])
    held = dict(Dataset.objects.filter(name__in=names).values_list("name", "held_reason"))
    in_use: dict[str, set[str]] = {}
    sizes: dict[str, int] = {}
    rows = StoredSnapshot.objects.filter(dataset__name__in=names, is_current=True)
    for name, partition, size in rows.values_list("dataset__name", "partition", "bytes").iterator(chunk_size=2_000):
        in_use.setdefault(name, set()).add(partition)
        sizes[name] = sizes.get(name, 0) + size
    archived: dict[str, set[str]] = {}
    stored = ArchivedPartition.objects.filter(dataset__in=names, state__in=[ArchiveState.ARCHIVED, ArchiveState.CALLED])
    for name, partition in stored.values_list("dataset", "partition"):
        archived.setdefault(name, set()).add(partition)
    return [
        DatasetLife(
            one,
            rules[one.spec.name],
            held.get(one.spec.name, ""),
            len(in_use.get(one.spec.name, ())),
            len(archived.get(one.spec.name, ())),
            sizes.get(one.spec.name, 0),
        )
        for one in kept
    ]


def access_life_cycle(*, actor: Actor, dataset: str, now: datetime) -> SharedDataset:
    """A dataset, for those who keep its owner's data; otherwise `NotFound`."""
    found = None if "\x00" in dataset else shared_dataset(dataset)
    if found is None or not decides_for(found.owner.id, actor=actor, now=now):
        raise NotFound(_("没有找到这个数据集。"))
    return found


def archives_seen(*, actor: Actor, now: datetime, state: str = "") -> QuerySet[ArchivedPartition]:
    """Archived partitions of the datasets that the actor answers for, newest first."""
    names = [one.shared.spec.name for one in dataset_lives(actor=actor, now=now)]
    rows = ArchivedPartition.objects.filter(dataset__in=names).order_by("-pk")
    return rows.filter(state=state) if state else rows


def access_archive(*, actor: Actor, id: int, now: datetime) -> ArchivedPartition:
    """One archived partition, for those who answer for its dataset; otherwise `NotFound`."""
    row = ArchivedPartition.objects.filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这份归档。"))
    access_life_cycle(actor=actor, dataset=row.dataset, now=now)
    return row


def destructions_seen(*, actor: Actor, now: datetime, state: str = "") -> QuerySet[Destruction]:
    """Destructions of the actor's units, or of all where they are over the region; newest first."""
    units = access_sharing(actor=actor, now=now)
    rows = Destruction.objects.order_by("-pk")
    # No unit has the number 0: only who is over the whole region decides for it.
    if not decides_for(0, actor=actor, now=now):
        rows = rows.filter(owner_org_id__in=[unit.id for unit in units])
    return rows.filter(state=state) if state else rows


def access_destruction(*, actor: Actor, id: int, now: datetime) -> Destruction:
    """One destruction, for those who keep the owner's data; otherwise `NotFound`."""
    row = Destruction.objects.filter(pk=id).first()
    if row is None or not decides_for(row.owner_org_id, actor=actor, now=now):
        raise NotFound(_("没有找到这份销毁清单。"))
    return row


def may_approve(row: Destruction, *, actor: Actor) -> bool:
    """Four eyes: whoever proposed does not approve."""
    is_another = actor.person_id is not None and actor.person_id != row.proposed_by
    return row.state == DestructionState.PROPOSED and is_another
