"""The lock that runs of one installation take, and the scratch folder they work in."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.kernel.errors import Conflict

BACKUPS, DRILLS = "backups.lock", "drills.lock"


def scratch_root() -> Path:
    return Path(settings.SHUREN_BACKUP_SCRATCH)


@contextmanager
def one_at_a_time(*locks: str) -> Iterator[None]:
    """Hold locks of this installation, or raise `Conflict`; the system gives them back when the process is killed.

    Backups hold `BACKUPS` and drills `DRILLS`, so that a long drill does not keep backups from being made; pruning, which
    takes chunks away, holds both.
    """
    with ExitStack() as stack:
        for name in locks:
            file = stack.enter_context((Path(settings.DATA_DIR) / name).open("a+b"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(_("另一个备份、清理或演练正在运行。"), remedy=_("等它结束再试。")) from None
        yield


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder of its own that is gone afterwards; leavings of a killed run of the same name go first."""
    folder = scratch_root() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
