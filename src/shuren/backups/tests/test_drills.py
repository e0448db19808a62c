"""Drills, which restore with programs of their own: a good one, and ones that must fail."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import connection, transaction
from tests.cast import build_cast

from shuren.backups import api as backups
from shuren.backups.data import RunState
from shuren.backups.models import Run
from shuren.backups.rules.manifests import chunks_of
from shuren.backups.selectors.drill_reports import DRILL_KEY, canonical
from shuren.backups.selectors.runs import standing
from shuren.datahub import api as datahub
from shuren.datahub.data import DatasetSpec
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.kernel.events import undispatched
from shuren.trust import api as trust

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_drill_proves_a_backup_and_one_of_a_damaged_backup_names_the_chunk(house: Path) -> None:
    """The cast, a partition of the lake and heads of the evidence log come back in a place of their own."""
    build_cast()
    spec = DatasetSpec(name="backups.sample", partition_keys=("year",), description="", grade="L1", owner="backups")
    datahub.declare_dataset(spec)
    table = pa.table({"id": list(range(1_000)), "name": [f"row {number}" for number in range(1_000)]})
    datahub.write_partition("backups.sample", {"year": "2026"}, table.to_batches(), actor=SYSTEM, now=NOW)
    made = backups.back_up(actor=SYSTEM, now=NOW)
    run = backups.drill(actor=SYSTEM, now=NOW)
    assert run.report["faults"] == []
    assert run.state is RunState.DONE
    assert run.report["signed_in"] == "ok"
    assert run.report["lake_files"] == 1
    assert run.report["rows"] == made.rows > 100
    assert run.report["backup"] == made.manifest
    assert backups.is_signature_good(run)
    assert trust.verify(canonical(run.report), base64.b64decode(run.signature), key=DRILL_KEY)
    assert not trust.verify(canonical({**run.report, "rows": 1}), base64.b64decode(run.signature), key=DRILL_KEY)
    with transaction.atomic():
        assert "backups.drilled" in {event.name for event in undispatched(10_000)}
    assert standing(now=NOW).rto_seconds == run.report["rto_seconds"] > 0
    assert not list((house / "data" / "scratch").iterdir())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            prefix = f"{connection.settings_dict['NAME']}"[:30] + "_drill_"
            cursor.execute("SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", [prefix])
            assert cursor.fetchone() == (0,)

    chunk = max(chunks_of(backups.read_manifest(made.manifest)))
    path = house / "place" / "chunks" / chunk[:2] / chunk
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Conflict, match=chunk):
        backups.drill(actor=SYSTEM, now=NOW)
    assert Run.objects.order_by("-id")[0].state == RunState.FAILED
    assert not standing(now=NOW).is_last_drill_good
