"""Forgetting old backups: their manifests go first, then every chunk that no manifest names any more."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from shuren.backups.data import BackupFacts, Manifest, RunData, RunKind, RunState
from shuren.backups.rules.manifests import chunks_of, is_id
from shuren.backups.rules.retention import kept, read_retention
from shuren.backups.rules.sealing import Secret, Unopened
from shuren.backups.rules.wal import is_before, is_segment
from shuren.backups.services.record import begin_run, end_run
from shuren.backups.services.repository import Repository, chunk_path, open_repository, secret_of_settings
from shuren.backups.services.turns import BACKUPS, DRILLS, one_at_a_time
from shuren.kernel import audit, clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound


def backups(*, targets: Sequence[str] = (), secret: Secret | None = None) -> list[BackupFacts]:
    """Every backup in the repository, newest first."""
    repository = _opened(targets, secret)
    try:
        held = repository.holds()
        found = repository.manifest_ids()
        return [_facts(repository.manifest(one), found[one], held.get(one, "")) for one in reversed(found)]
    finally:
        repository.close()


def read_manifest(manifest: str) -> Manifest:
    """What a backup consists of."""
    repository = _opened((), None)
    try:
        _present(repository, manifest)
        return repository.manifest(manifest)
    finally:
        repository.close()


def prune(*, actor: Actor, now: datetime, targets: Sequence[str] = (), secret: Secret | None = None) -> RunData:
    """Keep what the policy and holds say, remove the rest; a manifest that cannot be read stops the sweep.

    Publishes `backups.pruned`.
    """
    with one_at_a_time(BACKUPS, DRILLS):
        repository = _opened(targets, secret)
        run_id = begin_run(RunKind.PRUNE, now=now)
        try:
            repository.learn()
            manifests = _manifests(repository)
            gone = _dropped(repository, manifests)
            freed = _swept(repository, [manifest for one, manifest in manifests.items() if one not in gone])
        except (OSError, Conflict) as fault:
            end_run(run_id, actor=actor, now=clock.now(), state=RunState.FAILED, problems=[str(fault)])
            raise
        finally:
            repository.close()
        return end_run(
            run_id,
            actor=actor,
            now=clock.now(),
            state=RunState.PARTIAL if repository.failed else RunState.DONE,
            figures={"files": len(gone)},
            targets=[store.label for store in repository.stores],
            problems=list(repository.failed.values()),
            report={"backups": sorted(gone), "chunks": freed},
        )


def hold_backup(*, manifest: str, reason: str, actor: Actor, now: datetime) -> None:
    """Keep a backup whatever the policy says, for a reason such as a court's or an auditor's."""
    if not reason.strip():
        raise Invalid(_("请写明长期保留的理由。"))
    repository = _opened((), None)
    try:
        _present(repository, manifest)
        repository.put(f"holds/{manifest}", reason.strip().encode())
    finally:
        repository.close()
    audit.record(actor=actor, action="backups.held", target="backup:0", details={"backup": manifest, "reason": reason}, now=now)


def release_backup(*, manifest: str, actor: Actor, now: datetime) -> None:
    """Let the policy decide about a held backup again."""
    repository = _opened((), None)
    try:
        if manifest not in repository.holds():
            raise NotFound(_("这份备份没有列为长期保留。"))
        for store in repository.stores:
            store.delete(f"holds/{manifest}")
    finally:
        repository.close()
    audit.record(actor=actor, action="backups.released", target="backup:0", details={"backup": manifest}, now=now)


def check_backups(*, targets: Sequence[str] = (), secret: Secret | None = None) -> list[str]:
    """Read every chunk that a backup names, in every place; returns the names of those damaged or missing."""
    faults: list[str] = []
    for address in targets or settings.SHUREN_BACKUP_TARGETS:
        repository = _opened([address], secret)
        try:
            wanted = {chunk for manifest in _manifests(repository).values() for chunk in chunks_of(manifest)}
            for chunk in sorted(wanted):
                try:
                    repository.chunk(chunk)
                except Unopened as fault:
                    faults.append(f"{repository.stores[0].label}: {fault}")
        finally:
            repository.close()
    return faults


def _dropped(repository: Repository, manifests: dict[str, Manifest]) -> set[str]:
    held, retention = repository.holds(), read_retention(settings.SHUREN_BACKUP_KEEP)
    keep: set[str] = set()
    for kind in (RunKind.BACKUP, RunKind.BASE):
        ids = [one for one, manifest in manifests.items() if manifest.kind is kind]
        keep |= kept(ids, retention=retention, held=held, zone=timezone.get_default_timezone())
    gone = set(manifests) - keep
    for store in repository.stores:
        for one in gone:
            store.delete(f"manifests/{one}")
    return gone


def _swept(repository: Repository, remaining: Sequence[Manifest]) -> int:
    named = {chunk for manifest in remaining for chunk in chunks_of(manifest)}
    starts = [str(manifest.schema["start_wal"]) for manifest in remaining if manifest.kind is RunKind.BASE]
    removed = 0
    for store in repository.stores:
        for name in list(store.names("chunks")):
            if name.rpartition("/")[2] not in named:
                store.delete(chunk_path(name.rpartition("/")[2]))
                removed += 1
        if starts:
            for name in list(store.names("wal")):
                segment = name.rpartition("/")[2]
                if is_segment(segment) and is_before(segment, min(starts, key=lambda start: start[8:])):
                    store.delete(name)
    return removed


def _manifests(repository: Repository) -> dict[str, Manifest]:
    try:
        return {one: repository.manifest(one) for one in repository.manifest_ids()}
    except Unopened as fault:
        raise Conflict(
            _("备份清单已损坏：%(name)s。") % {"name": fault}, remedy=_("在修复或移走它以前，不会删除任何内容。")
        ) from fault


def _present(repository: Repository, manifest: str) -> None:
    if not is_id(manifest) or manifest not in repository.manifest_ids():
        raise NotFound(_("没有这份备份：%(id)s。") % {"id": manifest}, remedy=_("`shuren backup list` 列出全部备份。"))


def _opened(targets: Sequence[str], secret: Secret | None) -> Repository:
    return open_repository(list(targets or settings.SHUREN_BACKUP_TARGETS), secret=secret or secret_of_settings())


def _facts(manifest: Manifest, places: Sequence[str], held_for: str) -> BackupFacts:
    return BackupFacts(
        id=manifest.id,
        kind=manifest.kind,
        at=manifest.at,
        vendor=manifest.vendor,
        bytes=manifest.bytes,
        files=len(manifest.files),
        rows=sum(manifest.counts.values()),
        targets=tuple(places),
        held_for=held_for,
    )
