"""One backup: first the files are held, then the database's moment is fixed, then everything is stored, and the manifest last.

Why a restored database never names a file that is missing: whoever writes a file writes it before the row that names it. A
file named in the database's snapshot was therefore there when the snapshot was taken. Files are linked before the snapshot
and once more after it, so what was there at the first look stays readable even if it is swept meanwhile, and what came
between the two looks is younger than the grace of every sweeper. In a bucket nothing can be linked: files of its lake are
listed at both looks, and one that is swept before it was copied, since nobody reads it any more, is told of as vanished.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from shuren.backups.data import Manifest, RunData, RunKind, RunState, StoredFile
from shuren.backups.rules.manifests import latest_before, new_id
from shuren.backups.rules.sealing import Secret, Unopened
from shuren.backups.services import postgres_copy, sqlite_copy
from shuren.backups.services.folder_copy import LAKE, FileCopy, Links
from shuren.backups.services.keys import wrapped_keys
from shuren.backups.services.record import begin_run, end_run
from shuren.backups.services.repository import Repository, open_repository, secret_of_settings
from shuren.backups.services.turns import BACKUPS, one_at_a_time, scratch, scratch_root
from shuren.datahub import api as datahub
from shuren.datahub.data import LakeFile
from shuren.kernel import clock
from shuren.kernel.data import Actor

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a backup is to be made; the settings say the rest."""

    targets: Sequence[str] = ()
    secret: Secret | None = None
    keys_passphrase: str = ""
    reads_all: bool = False


PLAIN = Wish()


def back_up(*, actor: Actor, now: datetime, wish: Wish = PLAIN, on_bytes: Told = lambda _count: None) -> RunData:
    """Make a backup in every target; a target that fails makes it partial, none left makes it fail.

    Publishes `backups.backup_made` or `backups.backup_failed`. Killed at any moment, the former backups stay whole, and the
    next run finds the chunks that this one stored.
    """
    with one_at_a_time(BACKUPS):
        run_id = begin_run(RunKind.BACKUP, now=now)
        try:
            targets = list(wish.targets or settings.SHUREN_BACKUP_TARGETS)
            repository = open_repository(targets, secret=wish.secret or secret_of_settings(), may_make=True)
        except Exception as fault:
            end_run(run_id, actor=actor, now=clock.now(), state=RunState.FAILED, problems=[str(fault)])
            raise
        try:
            return _run(run_id, repository, actor=actor, now=now, wish=wish, on_bytes=on_bytes)
        except Exception as fault:
            problems = [f"{type(fault).__name__}: {fault}", *_told(repository)]
            end_run(run_id, actor=actor, now=clock.now(), state=RunState.FAILED, problems=problems)
            raise
        finally:
            repository.close()


def _run(run_id: int, repository: Repository, *, actor: Actor, now: datetime, wish: Wish, on_bytes: Told) -> RunData:
    repository.learn()
    before = _files_before(repository)
    with scratch("backup") as folder:
        manifest, vanished = _copied(repository, folder, before, now=now, wish=wish, on_bytes=on_bytes)
    repository.write_manifest(manifest)
    return end_run(
        run_id,
        actor=actor,
        now=clock.now(),
        state=RunState.PARTIAL if repository.failed else RunState.DONE,
        manifest=manifest.id,
        figures={
            "bytes": manifest.bytes,
            "stored": repository.stored_bytes,
            "files": len(manifest.files),
            "rows": sum(manifest.counts.values()),
        },
        targets=[store.label for store in repository.stores],
        problems=[*_told(repository), *(f"{name}: vanished while it was copied" for name in vanished)],
    )


def _copied(
    repository: Repository, folder: Path, before: dict[str, StoredFile], *, now: datetime, wish: Wish, on_bytes: Told
) -> tuple[Manifest, list[str]]:
    links = Links(Path(settings.DATA_DIR), folder / "links", beside=(scratch_root(), *_target_folders(repository)))
    links.hold()
    lake = _lake_in_bucket()
    manifest = Manifest(
        id=new_id(now),
        kind=RunKind.BACKUP,
        at=now,
        vendor=connection.vendor,
        release=f"{version('shuren')} {sys.version_info[0]}",
    )
    with ExitStack() as stack:
        taken: Any = None
        if connection.vendor == "postgresql":
            taken = stack.enter_context(postgres_copy.snapshot())
        else:
            taken = folder / "database.sqlite3"
            sqlite_copy.copy_database(taken)
        links.hold()
        lake |= _lake_in_bucket()
        manifest = _with_database(manifest, repository, taken, on_bytes)
    copy = FileCopy(repository, before, reads_all=wish.reads_all)
    vanished = []
    for name, path in links.found.items():
        try:
            on_bytes(copy.add(name, path))
        except FileNotFoundError:  # it could not be linked
            vanished.append(name)
    for name, file in lake.items():
        opened = partial(datahub.open_lake_file, file.file)
        try:
            on_bytes(copy.add_opened(name, file.bytes, round(file.written_at.timestamp()) * 10**9, opened))
        except FileNotFoundError:
            vanished.append(name)
    keys = wrapped_keys(wish.keys_passphrase) if wish.keys_passphrase else ""
    return replace(manifest, files=copy.finish(), keys=keys), vanished


def _lake_in_bucket() -> dict[str, LakeFile]:
    """By the name that each would have in the data folder, whither a restore may bring it as well."""
    return {f"{LAKE}{file.file}": file for file in datahub.files_in_bucket()}


def _with_database(manifest: Manifest, repository: Repository, taken: Any, on_bytes: Told) -> Manifest:
    if manifest.vendor == "postgresql":
        applied = taken.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
        tables = postgres_copy.store_tables(taken, repository, on_bytes=on_bytes)
        return replace(
            manifest,
            migrations=tuple((app, name) for app, name in applied),
            tables=tables,
            counts={table.name: table.rows for table in tables},
            schema=postgres_copy.described_schema(taken),
            database_bytes=sum(table.bytes for table in tables),
        )
    pieces, size = sqlite_copy.store_copy(repository, taken, on_bytes=on_bytes)
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    return replace(manifest, migrations=tuple(applied), database=pieces, database_bytes=size, counts=sqlite_copy.counts_of(taken))


def _files_before(repository: Repository) -> dict[str, StoredFile]:
    """Files of the newest backup that can be read; one that cannot is no reason not to make another."""
    ids = repository.manifest_ids()
    while (newest := latest_before(ids, None)) is not None:
        try:
            return {file.path: file for file in repository.manifest(newest).files}
        except Unopened:
            del ids[newest]
    return {}


def _target_folders(repository: Repository) -> list[Path]:
    return [Path(store.label) for store in repository.stores if store.label.startswith("/")]


def _told(repository: Repository) -> list[str]:
    return [f"{label}: {fault}" for label, fault in repository.failed.items()]
