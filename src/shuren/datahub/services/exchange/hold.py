"""Bytes of a packet that a node sends in parts: kept where they stopped, taken once they are whole."""

import os
import re
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.models import ExchangeAgreement, ExchangeNode, ExchangePacket
from shuren.datahub.selectors.exchange.folders import in_file
from shuren.datahub.selectors.exchange.nodes import live_agreement
from shuren.kernel.errors import Conflict, Invalid, ShurenError
from shuren.work.api import enqueue

CHUNK = 4 * 1024 * 1024
TAKE_JOB = "shuren.datahub.jobs.take_exchange_packet"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SPARE = 64 * 1024 * 1024


class NoSpace(ShurenError):
    """The disk here is full; nothing of what came is lost (507)."""

    status = 507


def held_bytes(node: ExchangeNode, uid: str, digest: str, *, size: int) -> tuple[int, bool]:
    """How much of a packet is here, and whether it was taken already; one that is whole and was not is taken now."""
    agreement = _agreement(node, uid, digest)
    if ExchangePacket.objects.filter(agreement=agreement, digest=digest).exists():
        return 0, True
    path = in_file(agreement, digest)
    here = path.stat().st_size if path.exists() else 0
    if here == size:
        # A kill may have come between the last byte and the job that takes it.
        ask_to_take(agreement, digest)
    elif here > size:
        path.unlink()
        here = 0
    return here, False


def hold_bytes(node: ExchangeNode, uid: str, digest: str, *, offset: int, size: int, data: bytes, now: datetime) -> int:
    """Add a part at `offset`, which is where the last one ended; returns how much is here now.

    The whole of it is put on disk before the sender hears that it is here, and a job takes it.
    """
    agreement = _agreement(node, uid, digest)
    most = settings.SHUREN_EXCHANGE_MOST_MB * 1024 * 1024
    if not 0 < size <= most or offset + len(data) > size or not data:
        raise Invalid(
            _("包太大或分段不合规。"), remedy=_("一个包最多 %(most)s MB。") % {"most": settings.SHUREN_EXCHANGE_MOST_MB}
        )
    path = in_file(agreement, digest)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < len(data) + _SPARE:
            raise _no_space()
        if offset == 0:
            # One packet of an agreement is on its way: whatever else began to come will not go on.
            for other in path.parent.glob("*.part"):
                if other != path:
                    other.unlink(missing_ok=True)
        _add(path, data, offset=offset, is_last=offset + len(data) == size)
    except OSError as fault:
        raise _no_space() from fault
    if offset + len(data) == size:
        ask_to_take(agreement, digest)
    return offset + len(data)


def _add(path: Path, data: bytes, *, offset: int, is_last: bool) -> None:
    """All of the part, or nothing of it. Unbuffered: a buffer would try again to write what there is no room for."""
    with path.open("ab", buffering=0) as file:
        here = file.tell()
        if here != offset:
            raise Conflict(_("断点不符，应从 %(here)s 字节继续。") % {"here": here})
        left = memoryview(data)
        try:
            while left:
                left = left[file.write(left) :]
            if is_last:
                os.fsync(file.fileno())
        except OSError:
            file.truncate(here)
            raise


def _no_space() -> NoSpace:
    return NoSpace(_("接收方磁盘已满。"), remedy=_("请清理磁盘，发送会从断点继续。"))


def _agreement(node: ExchangeNode, uid: str, digest: str) -> ExchangeAgreement:
    """The digest becomes the name of a file: nothing else than a digest may."""
    if not _DIGEST.fullmatch(digest):
        raise Invalid(_("包太大或分段不合规。"))
    return live_agreement(uid, is_sender=False, node=node)


def ask_to_take(agreement: ExchangeAgreement, digest: str) -> None:
    """Have a job take a packet that is here whole."""
    enqueue(TAKE_JOB, {"agreement_id": agreement.pk, "digest": digest}, key=f"exchange-take:{digest}")
