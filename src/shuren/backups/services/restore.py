"""Bringing an installation back into an empty folder and an empty database; every chunk is verified on its way.

Files first, then the database, so that nothing answers before all of it is there. What is under way stands in
`restoring.json`: called again after a kill, the same restore goes on, and until it has come to its end nobody may serve.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from time import monotonic

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from shuren.backups.data import Manifest, RunKind, RunState, StoredFile
from shuren.backups.rules.manifests import is_id, latest_before
from shuren.backups.rules.sealing import Secret, Unopened
from shuren.backups.services import postgres_load, postgres_switch, sqlite_copy
from shuren.backups.services.folder_copy import LAKE, place_file
from shuren.backups.services.keys import place_keys
from shuren.backups.services.record import begin_run, end_run
from shuren.backups.services.repository import Repository, open_repository, secret_of_settings
from shuren.datahub import api as datahub
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.trust import api as trust

MARKER = "restoring.json"
_DRAFT = "restoring.draft"
# What an installation makes for itself before anything is in it.
_MAY_BE_THERE = {
    "keys",
    "static",
    "tmp",
    "scratch",
    MARKER,
    _DRAFT,
    "backups.lock",
    "drills.lock",
    "shuren.sqlite3",
    "shuren.sqlite3-wal",
    "shuren.sqlite3-shm",
}


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    manifest: str
    at: datetime
    seconds: float
    bytes: int
    files: int
    rows: int
    migrated: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which backup, from where; nothing at all means the newest from the places of the settings."""

    manifest: str = ""
    at: datetime | None = None
    targets: Sequence[str] = ()
    secret: Secret | None = None
    keys_passphrase: str = ""


NEWEST = Asked()


def restore(
    *,
    actor: Actor,
    now: datetime,
    asked: Asked = NEWEST,
    is_recorded: bool = True,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> Restored:
    """Restore into this installation, which must be empty; migrations that came since are applied at the end.

    Raises `Conflict` where something is there already, or the backup is of a newer release, and `Invalid` naming the chunk
    that is damaged or missing. Publishes `backups.restored` in the restored database.
    """
    begun = monotonic()
    repository = open_repository(
        list(asked.targets or settings.SHUREN_BACKUP_TARGETS), secret=asked.secret or secret_of_settings()
    )
    try:
        manifest = manifest_asked(repository, asked)
        with postgres_switch.database_to_fill():
            _check(manifest)
            _mark(manifest)
            _place_files(manifest, repository, on_bytes)
            _place_database(manifest, repository, on_bytes)
            migrated = _migrate()
        keys = place_keys(manifest.keys, asked.keys_passphrase) if manifest.keys and asked.keys_passphrase else []
        trust.trim_log_files()
    except Unopened as fault:
        raise Invalid(_("备份已损坏：%(name)s。") % {"name": fault}, remedy=_("请换一个备份位置或另一份备份。")) from fault
    finally:
        repository.close()
    restored = Restored(
        manifest=manifest.id,
        at=manifest.at,
        seconds=monotonic() - begun,
        bytes=manifest.bytes,
        files=len(manifest.files),
        rows=sum(manifest.counts.values()),
        migrated=migrated,
        keys=tuple(keys),
    )
    if is_recorded:
        _record(restored, actor=actor, now=now)
    # A file that was placed whole is not looked at again: all of them have to be on the disk before the mark goes.
    os.sync()
    (Path(settings.DATA_DIR) / MARKER).unlink(missing_ok=True)
    return restored


def refuse_half_restored() -> None:
    """`Conflict` where a restore began and did not come to its end: what is served now would be overwritten by its next run."""
    if id := _marker():
        raise Conflict(_("这里的恢复还没有完成：%(id)s。") % {"id": id}, remedy=_("请先用 `shuren restore` 接着恢复完。"))


def manifest_asked(repository: Repository, asked: Asked, kind: RunKind = RunKind.BACKUP) -> Manifest:
    """The manifest by id, or the newest of its kind up to a moment."""
    ids = list(repository.manifest_ids())
    if asked.manifest:
        if not is_id(asked.manifest) or asked.manifest not in ids:
            raise NotFound(_("没有这份备份：%(id)s。") % {"id": asked.manifest}, remedy=_("`shuren backup list` 列出全部备份。"))
        return repository.manifest(asked.manifest)
    while (newest := latest_before(ids, asked.at)) is not None:
        manifest = repository.manifest(newest)
        if manifest.kind is kind:
            return manifest
        ids.remove(newest)
    raise NotFound(_("这个时间以前没有备份。"))


def _check(manifest: Manifest) -> None:
    if manifest.kind is not RunKind.BACKUP:
        raise Invalid(_("这是数据库的物理备份。"), remedy=_("请用 `shuren backup base-restore`。"))
    if manifest.vendor != connection.vendor:
        raise Conflict(
            _("备份来自 %(theirs)s，这里是 %(ours)s。") % {"theirs": manifest.vendor, "ours": connection.vendor},
            remedy=_("请设置同一种数据库的 SHUREN_DATABASE_URL。"),
        )
    known = MigrationLoader(None).disk_migrations
    unknown = [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]
    if unknown:
        raise Conflict(
            _("备份来自更新的版本（%(names)s）。") % {"names": ", ".join(unknown[:3])}, remedy=_("请先安装那个版本或更新的版本。")
        )
    marker = _marker()
    if marker == manifest.id:
        return
    if marker:
        raise Conflict(_("这里正在恢复另一份备份：%(id)s。") % {"id": marker}, remedy=_("请接着恢复它，或清空后重来。"))
    if set(connection.introspection.table_names()) - {"django_migrations"} or _is_filled(Path(settings.DATA_DIR)):
        raise Conflict(_("这里不是空的，不会覆盖。"), remedy=_("请恢复到新的数据目录和空的数据库。"))


def _is_filled(data: Path) -> bool:
    inside = [path for path in data.iterdir() if path.name not in _MAY_BE_THERE] if data.exists() else []
    return any(path.is_file() or any(one.is_file() for one in path.rglob("*")) for path in inside)


def _marker() -> str:
    try:
        return str(json.loads((Path(settings.DATA_DIR) / MARKER).read_text())["manifest"])
    except (FileNotFoundError, ValueError, KeyError):
        return ""


def _mark(manifest: Manifest) -> None:
    path = Path(settings.DATA_DIR) / MARKER
    draft = path.with_name(_DRAFT)
    draft.write_text(json.dumps({"manifest": manifest.id}))
    draft.replace(path)


def _place_files(manifest: Manifest, repository: Repository, on_bytes: Callable[[int], None]) -> None:
    data = Path(settings.DATA_DIR)
    for file in manifest.files:
        target = _target(data, file)
        if file.path.startswith(LAKE) and datahub.place_in_bucket(
            file.path.removeprefix(LAKE), repository.pieces(file.pieces), size=file.bytes
        ):
            on_bytes(file.bytes)
            continue
        if target.is_file() and (target.stat().st_size, target.stat().st_mtime_ns) == (file.bytes, file.mtime_ns):
            continue  # the run before this one had placed it whole
        place_file(target, repository.pieces(file.pieces), size=file.bytes, mtime_ns=file.mtime_ns)
        on_bytes(file.bytes)


def _target(data: Path, file: StoredFile) -> Path:
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or path.parts[:1] == ("keys",):
        raise Invalid(f"{file.path}")
    return data / path


def _place_database(manifest: Manifest, repository: Repository, on_bytes: Callable[[int], None]) -> None:
    if manifest.vendor == "postgresql":
        postgres_load.load_database(manifest, repository, on_bytes=on_bytes)
        return
    sqlite_copy.place_database(Path(connection.settings_dict["NAME"]), repository.pieces(manifest.database))
    on_bytes(manifest.database_bytes)


def _migrate() -> int:
    """Apply what came after the backup; returns how many."""
    loader = MigrationLoader(connection)
    waiting = len(set(loader.graph.nodes) - set(loader.applied_migrations))
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    return waiting


def _record(restored: Restored, *, actor: Actor, now: datetime) -> None:
    run_id = begin_run(RunKind.RESTORE, now=now, manifest=restored.manifest)
    figures = {"bytes": restored.bytes, "files": restored.files, "rows": restored.rows}
    report = {"seconds": round(restored.seconds, 1), "at": restored.at.isoformat(), "migrated": restored.migrated}
    end_run(run_id, actor=actor, now=clock.now(), state=RunState.DONE, figures=figures, report=report)
