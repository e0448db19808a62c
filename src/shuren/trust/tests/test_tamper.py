"""Any stored byte of the log that somebody changes, takes away, moves or cuts off is noticed."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import models, transaction

from shuren.trust import api
from shuren.trust.models import Cosignature, Log, LogEntry, TreeHead
from shuren.trust.rules.log.tiles import PATH
from shuren.trust.selectors.checks import faults_of_folder, faults_of_log
from shuren.trust.services.log.delivering import deliver_heads
from shuren.trust.services.log.growing import grow_log
from shuren.trust.services.log.signing import ensure_witness_key
from shuren.trust.tests.test_log import put
from shuren.trust.tests.test_witness import answered

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
SIZE = 700
Harm = Callable[[random.Random, Path], None]


def needed(folder: Path) -> list[Path]:
    """The files that the newest head stands on; narrower ones are left over."""
    head = api.tree_head()
    assert head is not None
    files = [path for path in folder.rglob("*") if PATH.fullmatch(str(path.relative_to(folder)))]
    full = {path for path in files if ".p" not in str(path.relative_to(folder))}
    return sorted(full | {path for path in files if _is_edge(path, folder, head.size)})


def _is_edge(path: Path, folder: Path, size: int) -> bool:
    found = PATH.fullmatch(str(path.relative_to(folder)))
    assert found
    level = 0 if found[1] == "entries" else int(found[1])
    number = int(found[2].replace("/", "").replace("x", ""))
    held = size >> (8 * level)
    return found[3] is not None and number == held // 256 and int(found[3]) == held % 256


def flip_file(rng: random.Random, folder: Path) -> None:
    path = rng.choice(needed(folder))
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def delete_file(rng: random.Random, folder: Path) -> None:
    rng.choice(needed(folder)).unlink()


def cut_file(rng: random.Random, folder: Path) -> None:
    path = rng.choice(needed(folder))
    path.write_bytes(path.read_bytes()[: -rng.randrange(1, 40)])


def swap_in_file(rng: random.Random, folder: Path) -> None:
    path = rng.choice([path for path in needed(folder) if path.stat().st_size >= 88])
    data, width = path.read_bytes(), 44 if "entries" in str(path) else 32
    one, other = rng.sample(range(len(data) // width), 2)
    parts = [data[place : place + width] for place in range(0, len(data), width)]
    parts[one], parts[other] = parts[other], parts[one]
    path.write_bytes(b"".join(parts))


def swap_files(rng: random.Random, folder: Path) -> None:
    one, other = rng.sample([path for path in needed(folder) if "entries" in str(path)], 2)
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def change_row(rng: random.Random, folder: Path) -> None:
    row = LogEntry.objects.get(leaf_index=rng.randrange(SIZE))
    name = rng.choice(["digest", "salt", "subject", "business", "at"])
    value = getattr(row, name)
    if name in ("digest", "salt"):
        data = bytearray(value)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        setattr(row, name, bytes(data))
    elif name == "at":
        row.at = value.replace(microsecond=(value.microsecond + 1000 * rng.randrange(1, 900)) % 10**6)
    else:
        setattr(row, name, "exam" if name == "business" else f"{value}0")
    row.save()


def delete_row(rng: random.Random, folder: Path) -> None:
    LogEntry.objects.filter(leaf_index=rng.randrange(SIZE)).delete()


def swap_rows(rng: random.Random, folder: Path) -> None:
    one, other = (LogEntry.objects.get(leaf_index=place) for place in rng.sample(range(SIZE), 2))
    places = one.leaf_index, other.leaf_index
    LogEntry.objects.filter(pk__in=[one.pk, other.pk]).update(leaf_index=None)
    LogEntry.objects.filter(pk=one.pk).update(leaf_index=places[1])
    LogEntry.objects.filter(pk=other.pk).update(leaf_index=places[0])


def change_head(rng: random.Random, folder: Path) -> None:
    head = rng.choice(list(TreeHead.objects.all()))
    if rng.random() < 0.5:
        data = bytearray(head.root)
        data[rng.randrange(32)] ^= 1 << rng.randrange(8)
        head.root = bytes(data)
    else:
        place = rng.randrange(len(head.note) - 1)
        other = "A" if head.note[place] != "A" else "B"
        head.note = head.note[:place] + other + head.note[place + 1 :]
    head.save()


def delete_head(rng: random.Random, folder: Path) -> None:
    rng.choice(list(TreeHead.objects.all())).delete()


def truncate_log(rng: random.Random, folder: Path) -> None:
    LogEntry.objects.filter(leaf_index__gte=SIZE - rng.randrange(1, 200)).delete()


def change_size(rng: random.Random, folder: Path) -> None:
    Log.objects.update(size=models.F("size") - rng.randrange(1, 200))


def change_line(rng: random.Random, folder: Path) -> None:
    row = Cosignature.objects.get()
    place = rng.randrange(len(row.line) - 80, len(row.line) - 3)
    row.line = row.line[:place] + ("A" if row.line[place] != "A" else "B") + row.line[place + 1 :]
    row.save()


HARMS: list[Harm] = [
    flip_file,
    flip_file,
    flip_file,
    delete_file,
    cut_file,
    swap_in_file,
    swap_files,
    change_row,
    change_row,
    delete_row,
    swap_rows,
    change_head,
    delete_head,
    truncate_log,
    change_size,
    change_line,
]


def grown_log(settings: Any) -> None:
    for count in (3, 250, 300, SIZE - 553):
        put(count)
        grow_log(now=NOW)
    settings.SHUREN_EVIDENCE_WITNESSED = api.log_keys()
    settings.SHUREN_EVIDENCE_WITNESSES = [f"https://b.example/evidence {ensure_witness_key(now=NOW).text}"]
    put(0)
    TreeHead.objects.latest("size").deliveries.create(target=settings.SHUREN_EVIDENCE_WITNESSES[0][:300])
    assert deliver_heads(now=NOW, post=answered) == {"sent": 1, "failed": 0}


def tried(count: int, folder: Path) -> list[str]:
    """Do harm `count` times, each to a whole log; names of the harms that nobody noticed."""
    rng = random.Random(20261128)  # which byte to harm needs no secrecy
    whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    unnoticed = []
    for number in range(count):
        harm = HARMS[number % len(HARMS)]
        with transaction.atomic():
            harm(rng, folder)
            if not faults_of_log():
                unnoticed.append(f"{number}: {harm.__name__}")
            transaction.set_rollback(True)
        for path, data in whole.items():
            path.write_bytes(data)
    return unnoticed


def test_a_hundred_harms_of_a_hundred_are_noticed(log_folder: Path, settings: Any) -> None:
    grown_log(settings)
    assert faults_of_log() == []
    assert tried(100, log_folder) == []
    assert faults_of_log() == []


@pytest.mark.soak
def test_a_thousand_harms_of_a_thousand_are_noticed(log_folder: Path, settings: Any) -> None:
    grown_log(settings)
    assert tried(1_000, log_folder) == []


def test_the_folder_alone_tells_an_outsider(log_folder: Path, settings: Any) -> None:
    grown_log(settings)
    head = api.tree_head()
    assert head is not None
    assert faults_of_folder(log_folder, head.note, api.log_keys()) == []
    assert faults_of_folder(log_folder, head.note, []) != []
    flip_file(random.Random(1), log_folder)  # as above
    assert faults_of_folder(log_folder, head.note, api.log_keys()) != []
