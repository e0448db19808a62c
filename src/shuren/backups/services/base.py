"""Point in time on PostgreSQL: base backups of the whole cluster, from which a server replays the log."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import RawIOBase
from pathlib import Path

from django.utils.translation import gettext as _

from shuren.backups.data import Manifest, Piece, RunData, RunKind, RunState
from shuren.backups.rules.chunking import content_defined
from shuren.backups.rules.manifests import new_id
from shuren.backups.rules.sealing import Unopened
from shuren.backups.rules.wal import recovery_lines, start_segment
from shuren.backups.services.record import begin_run, end_run
from shuren.backups.services.repository import Repository
from shuren.backups.services.restore import NEWEST, Asked, manifest_asked
from shuren.backups.services.turns import BACKUPS, one_at_a_time
from shuren.backups.services.wal import opened_places
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound

_BLOCK = 1024 * 1024
_HEAD = 64 * 1024
FETCH = (sys.executable, "-m", "shuren.front.cli", "wal", "fetch")


def make_base(
    *, address: str, actor: Actor, now: datetime, program: str = "", on_bytes: Callable[[int], None] = lambda _count: None
) -> RunData:
    """Take a base backup of the server at `address`, whose role needs REPLICATION; publishes `backups.base_made`."""
    with one_at_a_time(BACKUPS):
        run_id = begin_run(RunKind.BASE, now=now)
        try:
            repository = opened_places(may_make=True)
            repository.learn()
        except Exception as fault:
            end_run(run_id, actor=actor, now=clock.now(), state=RunState.FAILED, problems=[str(fault)])
            raise
        try:
            manifest = _base(repository, [program or program_of("pg_basebackup"), "-d", address], now, on_bytes)
            repository.write_manifest(manifest)
        except Exception as fault:
            end_run(run_id, actor=actor, now=clock.now(), state=RunState.FAILED, problems=[str(fault)])
            raise
        finally:
            repository.close()
        return end_run(
            run_id,
            actor=actor,
            now=clock.now(),
            state=RunState.PARTIAL if repository.failed else RunState.DONE,
            manifest=manifest.id,
            figures={"bytes": manifest.bytes, "stored": repository.stored_bytes},
            targets=[store.label for store in repository.stores],
            problems=list(repository.failed.values()),
        )


def restore_base(*, folder: Path, asked: Asked = NEWEST, fetch: Sequence[str] = FETCH) -> Manifest:
    """Unpack a base backup into an empty folder, ready to be started: the server then replays the log up to `asked.at`."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(_("%(folder)s 不是空的，不会覆盖。") % {"folder": folder})
    repository = opened_places(asked.targets)
    try:
        manifest = manifest_asked(repository, asked, RunKind.BASE)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tarfile.open(fileobj=_Stream(repository.pieces(manifest.database)), mode="r|", bufsize=_BLOCK) as archive:
            archive.extractall(folder, filter="data")
    except Unopened as fault:
        raise Invalid(_("备份已损坏：%(name)s。") % {"name": fault}) from fault
    finally:
        repository.close()
    folder.chmod(0o700)
    for inside in ("pg_wal", "pg_wal/archive_status"):
        (folder / inside).mkdir(mode=0o700, exist_ok=True)
    with (folder / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.write(recovery_lines(fetch, asked.at))
    (folder / "recovery.signal").touch()
    return manifest


def program_of(name: str) -> str:
    """A program of PostgreSQL, on the path or where Debian puts it."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), ""
    )
    if not found:
        raise NotFound(_("没有找到 %(name)s。") % {"name": name}, remedy=_("请安装 PostgreSQL 客户端程序。"))
    return found


def _base(repository: Repository, command: Sequence[str], now: datetime, on_bytes: Callable[[int], None]) -> Manifest:
    asked = [*command, "-D", "-", "-Ft", "-X", "none", "-c", "fast", "--no-password"]
    with tempfile.TemporaryFile() as told, subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=told) as process:  # noqa: S603  # our own words
        assert process.stdout is not None
        waiting, head = [], b""
        for chunk in content_defined(iter(lambda: process.stdout.read(_BLOCK), b"")):  # type: ignore[union-attr]
            head = head or chunk[:_HEAD]
            waiting.append((repository.keep(chunk), len(chunk)))
            on_bytes(len(chunk))
        pieces = tuple(Piece(chunk.result(), 0, length) for chunk, length in waiting)
        code = process.wait()
        told.seek(0)
        words = told.read().decode(errors="replace")
    if code != 0:
        raise Conflict(_("pg_basebackup 没有成功：%(words)s") % {"words": words.strip()[-300:]})
    size = sum(piece.length for piece in pieces)
    return Manifest(
        id=new_id(now),
        kind=RunKind.BASE,
        at=now,
        vendor="postgresql",
        release="",
        database=pieces,
        database_bytes=size,
        schema={"start_wal": start_segment(head)},
    )


class _Stream(RawIOBase):
    """Blocks read as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, wanted = [], size
        while wanted:
            if not self._rest:
                self._rest = next(self._blocks, b"")
                if not self._rest:
                    break
            parts.append(self._rest[:wanted])
            self._rest = self._rest[len(parts[-1]) :]
            wanted -= len(parts[-1])
        return b"".join(parts)
