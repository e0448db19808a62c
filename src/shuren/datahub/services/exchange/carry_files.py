"""Files that a person, a disk or another program carries: the same letters and packets, checked in the same way."""

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from shuren.datahub.models import ExchangeLetter, ExchangeNode, ExchangePacket
from shuren.datahub.rules.exchange.letters import LONGEST
from shuren.datahub.selectors.exchange.folders import drop_folders, out_file
from shuren.datahub.selectors.exchange.nodes import letters_due, ready_packets
from shuren.datahub.services.exchange.call_node import still_may_leave
from shuren.datahub.services.exchange.land import take_packet
from shuren.datahub.services.exchange.take_letter import take_letter
from shuren.kernel.errors import ShurenError
from shuren.kernel.files import sync_folder


def carry_files(node: ExchangeNode, *, now: datetime) -> list[str]:
    """Take what lies in the node's `in` folder, and lay what waits for it into `out`; returns what could not be taken.

    A file is removed from `in` once what it says is kept here. One that cannot be believed is laid aside as `.refused`.
    """
    out, into = drop_folders(node)
    for folder in (out, into):
        folder.mkdir(parents=True, exist_ok=True)
    faults = _taken(into, now)
    for letter in letters_due(node):
        _laid(out / f"{letter.pk:08d}-{letter.kind}.letter", letter.text.encode())
        ExchangeLetter.objects.filter(pk=letter.pk).update(sent_at=now, error="")
    waiting = set()
    for packet in ready_packets(node):
        if still_may_leave(packet, now=now):
            waiting.add(_copied(packet, out))
    for path in out.glob("*.packet"):
        # What was settled, or may not leave any more.
        if path.name not in waiting:
            path.unlink(missing_ok=True)
    return faults


def _taken(into: Path, now: datetime) -> list[str]:
    faults = []
    # Letters first: an agreement is known before its packets.
    for path in sorted([*into.glob("*.letter"), *into.glob("*.packet")], key=lambda one: (one.suffix, one.name)):
        try:
            if path.suffix == ".letter":
                take_letter(path.read_bytes()[: LONGEST + 1].decode("ascii", "replace"), now=now)
            else:
                take_packet(path, now=now)
        except ShurenError as fault:
            faults.append(f"{path.name}: {fault}")
            path.replace(path.with_name(path.name + ".refused"))
        else:
            path.unlink(missing_ok=True)
    return faults


def _copied(packet: ExchangePacket, out: Path) -> str:
    target = out / f"{packet.agreement.uid}-{packet.number:08d}-{packet.digest[:12]}.packet"
    if not target.exists():
        half = target.with_suffix(".half")
        try:
            with out_file(packet).open("rb") as source, half.open("wb") as file:
                shutil.copyfileobj(source, file, 1024 * 1024)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                half.unlink(missing_ok=True)
            raise
        half.replace(target)
        sync_folder(out)
        ExchangePacket.objects.filter(pk=packet.pk).update(carried=packet.bytes)
    return target.name


def _laid(target: Path, text: bytes) -> None:
    half = target.with_suffix(".half")
    half.write_bytes(text)
    half.replace(target)
    sync_folder(target.parent)
