import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.trust import api
from shuren.trust.models import AuditBatch, AuditGap, LogEntry
from shuren.trust.rules.log.trail import reading_of, rest_of_gap
from shuren.trust.selectors.trail import last_seen_id, oldest_transaction, range_of
from shuren.trust.selectors.trail_checks import faults_of_trail
from shuren.trust.services.log.growing import grow_log, opened_log
from shuren.trust.services.log.trail import GAP_LEAST_AGE, anchor_trail

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


@pytest.fixture
def opened(log_folder: Path) -> None:
    """A log whose own making is already under a batch."""
    opened_log(now=NOW)
    anchor_trail(now=NOW)


def write(count: int, name: str = "x") -> list[int]:
    before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for number in range(count):
        audit.record(actor=SYSTEM, action="trust.tried", target=f"{name}:{number}", details={"名": [1, 0.5, None]}, now=NOW)
    return list(AuditEntry.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))


def test_ids_become_ranges_and_gaps() -> None:
    reading = reading_of([11, 12, 15, 16, 20], after=9)
    assert reading.ranges == ((11, 12), (15, 16), (20, 20))
    assert reading.gaps == ((10, 10), (13, 14), (17, 19))
    assert rest_of_gap((10, 19), [10, 14, 15, 19]) == ((11, 13), (16, 18))
    assert rest_of_gap((10, 11), [10, 11]) == ()


@pytest.mark.django_db
def test_every_entry_of_the_trail_is_in_one_batch(opened: None) -> None:
    ids = write(2_100)
    assert anchor_trail(now=NOW) == 2_100
    assert anchor_trail(now=NOW) == 0
    assert [batch.count for batch in AuditBatch.objects.order_by("pk")[1:]] == [1000, 1000, 100]
    assert all(range_of(number) for number in (ids[0], ids[1_000], ids[-1]))
    assert range_of(ids[-1] + 1) is None
    assert list(faults_of_trail()) == []
    grow_log(now=NOW)
    assert api.proof_of(AuditBatch.objects.latest("pk").entry_id) is not None


@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["change", "delete", "insert", "delete the batch"])
def test_a_touched_trail_is_noticed(opened: None, harm: str) -> None:
    ids = write(30)
    anchor_trail(now=NOW)
    anchor_trail(now=NOW + GAP_LEAST_AGE)  # from here on nothing may come late any more
    if harm == "change":
        AuditEntry.objects.filter(pk=ids[7]).update(actor_name="nobody")
    elif harm == "delete":
        AuditEntry.objects.filter(pk=ids[7]).delete()
    elif harm == "insert":
        copy = AuditEntry.objects.get(pk=ids[7])
        copy.pk = -1
        copy.save(force_insert=True)
    else:
        AuditBatch.objects.all().delete()
    assert list(faults_of_trail()) != []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only there do two transactions write at a time")
def test_ids_that_commit_late_are_waited_for(opened: None) -> None:
    """One transaction holds an id while later ones commit; another takes an id and rolls back."""
    may_commit, has_written = threading.Event(), threading.Event()

    def slowly() -> None:
        try:
            with transaction.atomic():
                write_one("late")
                has_written.set()
                may_commit.wait(20)
        finally:
            connection.close()

    write(3)
    thread = threading.Thread(target=slowly)
    thread.start()
    assert has_written.wait(10)
    with transaction.atomic():
        write_one("taken back")
        transaction.set_rollback(True)
    write(3)
    assert anchor_trail(now=NOW) == 6
    gap = AuditGap.objects.latest("first_id")
    assert gap.last_id - gap.first_id == 1
    later = NOW + GAP_LEAST_AGE * 2
    assert anchor_trail(now=later) == 0
    assert AuditGap.objects.filter(pk=gap.pk).exists(), "the transaction is still under way, however long it takes"
    may_commit.set()
    thread.join()
    assert anchor_trail(now=later) == 1
    late = AuditEntry.objects.get(target="late:0")
    assert range_of(late.pk) is not None
    assert late.pk < last_seen_id()
    assert list(faults_of_trail()) == []
    wait_for_elders(gap.horizon)
    anchor_trail(now=later + timedelta(days=1))
    assert AuditGap.objects.count() == 0
    assert LogEntry.objects.count() == AuditBatch.objects.count()


def wait_for_elders(horizon: int) -> None:
    """Transactions are numbered for a whole cluster: those of the databases beside this one hold a gap open too."""
    until = time.monotonic() + 120
    while oldest_transaction() < horizon:
        assert time.monotonic() < until, "a transaction has been under way for two minutes"
        time.sleep(0.05)


def write_one(name: str) -> None:
    audit.record(actor=SYSTEM, action="trust.tried", target=f"{name}:0", now=NOW)
