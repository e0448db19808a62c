"""Segments of PostgreSQL's log, sealed in the repository; these two are called once a segment, and load no apps."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.backups.rules.sealing import Unopened
from shuren.backups.rules.wal import is_wal_name
from shuren.backups.services.repository import Repository, open_repository, secret_of_settings
from shuren.kernel.errors import Conflict, Invalid, NotFound


def push_segment(path: Path, name: str) -> None:
    """Keep a finished segment in every place; only when this returns may PostgreSQL forget it.

    A segment that is there already must be the same: PostgreSQL may ask twice after a crash.
    """
    _check_name(name)
    data = path.read_bytes()
    repository = opened_places(may_make=True)
    try:
        if repository.failed:
            raise Conflict("; ".join(repository.failed.values()))
        for store in repository.stores:
            try:
                is_there = repository.key.unseal(store.get(f"wal/{name}"), name=f"wal/{name}")
            except FileNotFoundError:
                continue
            if is_there != data:
                raise Conflict(_("“%(place)s”里已有另一段 %(name)s。") % {"place": store.label, "name": name})
        repository.put(f"wal/{name}", data)
        for store in repository.stores:
            store.settle()
        if repository.failed:
            raise Conflict("; ".join(repository.failed.values()))
    finally:
        repository.close()


def fetch_segment(name: str, path: Path) -> None:
    """Bring a segment back for a server that recovers; `NotFound` tells it that the log ends before it."""
    _check_name(name)
    repository = opened_places()
    try:
        data = repository.get(f"wal/{name}")
    except Unopened as fault:
        if isinstance(fault.__cause__, FileNotFoundError):
            raise NotFound(_("备份里没有 %(name)s。") % {"name": name}) from fault
        raise Invalid(_("备份已损坏：%(name)s。") % {"name": fault}) from fault
    finally:
        repository.close()
    draft = path.with_name(f"{path.name}.restoring")
    draft.write_bytes(data)
    draft.replace(path)


def opened_places(targets: Sequence[str] = (), *, may_make: bool = False) -> Repository:
    return open_repository(list(targets or settings.SHUREN_BACKUP_TARGETS), secret=secret_of_settings(), may_make=may_make)


def _check_name(name: str) -> None:
    if not is_wal_name(name):
        raise Invalid(_("%(name)s 不是日志段的名称。") % {"name": name})
