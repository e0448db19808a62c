"""Bytes drawn over every column of every table of the log, and over every file: whichever changes, it is noticed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from shuren.kernel.models import AuditEntry
from shuren.trust import api
from shuren.trust.models import AuditBatch, AuditRange, Cosignature, Log, LogEntry, TreeHead, WitnessedHead
from shuren.trust.selectors.checks import faults_of_log
from shuren.trust.selectors.trail_checks import faults_of_trail
from shuren.trust.services.log.archiving import archive_trail
from shuren.trust.services.log.delivering import deliver_heads
from shuren.trust.services.log.growing import grow_log
from shuren.trust.services.log.signing import ensure_witness_key
from shuren.trust.services.log.trail import anchor_trail
from shuren.trust.services.log.witnessing import anchor_witnessing
from shuren.trust.tests.test_log import put
from shuren.trust.tests.test_trail import write
from shuren.trust.tests.test_witness import answered

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 9, 0, 0, 123_456, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What is worked with and proves nothing: how far a delivery is, and which ids may still come late.
WORKING = {"trust.HeadDelivery", "trust.AuditGap"}
# Tables of the app that are not the log's.
OTHERS = {"trust.Key", "trust.Authority", "trust.Certificate", "trust.TrustedRoot"}


@pytest.fixture
def kept(log_folder: Path, tmp_path: Path, settings: Any) -> list[Path]:
    """A log with two signatures, a witness, an archive and a trail behind it; its folders."""
    settings.SHUREN_EVIDENCE_SIGNATURES = ["Ed25519", "ES256"]
    settings.SHUREN_AUDIT_ARCHIVE = tmp_path / "archive"
    write(300)
    for count in (3, 250, 100):
        put(count)
        anchor_trail(now=NOW)
        grow_log(now=NOW)
        settings.SHUREN_EVIDENCE_WITNESSED = api.log_keys()
        settings.SHUREN_EVIDENCE_WITNESSES = [f"https://b.example/evidence {ensure_witness_key(now=NOW).text}"]
        deliver_heads(now=NOW, post=answered)
    archive_trail(now=NOW + timedelta(days=2_000))
    anchor_trail(now=NOW)
    anchor_witnessing(now=NOW)
    grow_log(now=NOW)
    assert AuditBatch.objects.filter(archived_at__isnull=True).exists()
    assert WitnessedHead.objects.count() == 1
    assert Cosignature.objects.filter(entry__isnull=False).count() == 2
    return [log_folder, tmp_path / "archive"]


def faults() -> list[str]:
    return [*faults_of_log(), *faults_of_trail()]


def columns() -> list[tuple[type[models.Model], str]]:
    tables = [table for table in apps.get_app_config("trust").get_models() if table._meta.label not in WORKING | OTHERS]
    assert len(tables) == 7
    found = [(table, field.attname) for table in [*tables, AuditEntry] for field in table._meta.fields if not field.primary_key]
    return [(table, name) for table, name in found if any(row is not None for row in values_of(table, name))]


def values_of(table: type[models.Model], name: str) -> Iterator[object]:
    return table._base_manager.values_list(name, flat=True).iterator()


def changed(value: Any, rng: random.Random) -> Any:
    """The value with one bit turned over."""
    if isinstance(value, datetime):
        microseconds = (value - EPOCH) // timedelta(microseconds=1)
        return EPOCH + timedelta(microseconds=microseconds ^ 1 << rng.randrange(40))
    if isinstance(value, int):
        return value ^ 1 << rng.randrange(20)
    if isinstance(value, dict):
        return {**value, "turned": rng.random()}
    if isinstance(value, str):
        place = rng.randrange(len(value))
        letter = chr(ord(value[place]) ^ 1 << rng.randrange(5))
        return value[:place] + (letter if letter >= " " or letter == "\n" else "~") + value[place + 1 :]
    data = bytearray(value)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def turn_column(table: type[models.Model], name: str, rng: random.Random) -> str:
    """Turn a bit of one row's column over; which one, or nothing where the database does not take it."""
    rows = table._base_manager.exclude(**{f"{name}__isnull": True}).order_by("pk")
    pk, value = rng.choice([row for row in rows.values_list("pk", name) if row[1] not in ("", b"", {})] or [(0, None)])
    if value is None:
        return ""
    other = changed(value, rng)
    try:
        with transaction.atomic():
            table._base_manager.filter(pk=pk).update(**{name: other})
    except IntegrityError:
        return ""
    return f"{table._meta.label}.{name} of {pk}: {value!r} became {other!r}"


def turn_file(folders: list[Path], rng: random.Random) -> tuple[Path, bytes, str]:
    path = rng.choice(sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()))
    whole = path.read_bytes()
    place = rng.randrange(len(whole))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
    return path, whole, f"byte {place} of {path}"


def unnoticed_among(count: int, folders: list[Path], seed: int) -> list[str]:
    rng, tables, found, tried = random.Random(seed), columns(), [], 0  # which byte is turned needs no secrecy
    while tried < count:
        if tried % 3 == 2:
            path, whole, harm = turn_file(folders, rng)
            noticed = bool(faults())
            path.write_bytes(whole)
        else:
            with transaction.atomic():
                harm = turn_column(*rng.choice(tables), rng)
                noticed = bool(harm) and bool(faults())
                transaction.set_rollback(True)
        if harm:
            tried += 1
            found += [] if noticed else [harm]
    return found


def test_a_hundred_bytes_of_a_hundred_are_noticed(kept: list[Path]) -> None:
    assert faults() == []
    assert unnoticed_among(100, kept, seed=20261129) == []
    assert faults() == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_thousands_of_bytes_are_noticed(kept: list[Path], seed: int) -> None:
    assert unnoticed_among(300, kept, seed=seed) == []


def test_every_column_is_looked_at(kept: list[Path]) -> None:
    rng = random.Random(7)  # as above
    found = []
    for table, name in columns():
        with transaction.atomic():
            harm = turn_column(table, name, rng) or turn_column(table, name, rng)
            if harm and not faults():
                found.append(harm)
            transaction.set_rollback(True)
    assert found == []


@pytest.mark.parametrize("table", [Cosignature, WitnessedHead, TreeHead, LogEntry, AuditBatch, AuditRange, Log])
def test_a_row_that_is_gone_is_noticed(kept: list[Path], table: type[models.Model]) -> None:
    for pk in table._base_manager.order_by("?").values_list("pk", flat=True)[:4]:
        with transaction.atomic():
            table._base_manager.filter(pk=pk)._raw_delete(using="default")  # type: ignore[attr-defined]  # no cascade
            assert faults(), f"{table._meta.label} {pk}"
            transaction.set_rollback(True)


def test_a_line_that_is_gone_before_it_was_on_record_is_noticed(kept: list[Path]) -> None:
    deliver_heads(now=NOW, post=answered)
    fresh = Cosignature.objects.get(entry__isnull=True)
    assert faults() == []
    fresh.delete()
    assert [fault for fault in faults() if "is gone" in fault]


def test_one_of_two_signatures_is_not_enough(kept: list[Path]) -> None:
    head = TreeHead.objects.latest("size")
    proof = api.proof_of(LogEntry.objects.earliest("pk").pk)
    assert proof is not None
    first, second = api.log_keys()
    lines = head.note.splitlines(keepends=True)
    broken = lines[-1][:-10] + ("A" if lines[-1][-10] != "A" else "B") + lines[-1][-9:]
    for note in ("".join(lines[:-1]), "".join([*lines[:-1], broken]), "".join([*lines[:-2], lines[-1]])):
        TreeHead.objects.filter(pk=head.pk).update(note=note)
        assert faults_of_log() != []
        changed_proof = api.proof_of(LogEntry.objects.earliest("pk").pk)
        assert changed_proof is not None
        assert not api.verify_proof(changed_proof, log_keys=[first, second]).is_valid
    assert api.verify_proof(proof, log_keys=[first, second]).is_valid
    assert {api.verify_proof(proof, log_keys=[key]).is_valid for key in (first, second)} == {True}


def test_two_that_witness_each_other_come_to_rest(kept: list[Path]) -> None:
    deliver_heads(now=NOW, post=answered)
    size = Log.objects.get().size
    for _time in range(3):
        anchor_witnessing(now=NOW)
        assert grow_log(now=NOW) == size
        deliver_heads(now=NOW, post=answered)
