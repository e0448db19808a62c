"""Kill -9 while statements are taken in and sunk into the lake: none that was acknowledged is lost, no batch is kept by half."""

import os
import random

from tests.faults.installation import Installation, new_installation
from tests.faults.learning_store import BATCH
from tests.faults.striking import struck

KILLS = int(os.environ.get("SHUREN_KILLS", "2"))
_KEPT = "SELECT k.statement_id, count(s.seq), count(m.seq) FROM records_statementkey k "
_KEPT += (
    "LEFT JOIN records_statement s ON s.statement_id = k.statement_id LEFT JOIN records_mention m ON m.seq = s.seq GROUP BY 1"
)
_TOLD = "SELECT details FROM kernel_auditentry WHERE action = 'records.statements_stored'"
_LAKE = "SELECT t.rows, t.file FROM datahub_storedsnapshot t JOIN datahub_dataset d ON d.id = t.dataset_id"
_LAKE += " WHERE d.name = 'records.statement' AND t.is_current"


def kept_in(store: Installation) -> set[str]:
    """The ids that are there; each with its statement and what it mentions, in whole batches, each told in the audit trail."""
    rows = store.rows(_KEPT)
    assert {tuple(counts) for _id, *counts in rows} <= {(1, 1)}
    assert len(rows) == BATCH * len(store.rows(_TOLD))
    return {str(key).replace("-", "") for key, *_counts in rows}


def test_a_kill_loses_no_acknowledged_statement_and_sinks_none_by_half(tmp_path) -> None:
    chance, hits, acknowledged = random.Random(20261130), 0, set[str]()
    with new_installation(tmp_path / "store") as store:
        store.program("learning_store", "prepare")
        for _ in range(KILLS):
            said, hit = struck(store, "learning_store", "store", chance)
            hits += hit
            acknowledged |= {word.decode().replace("-", "") for word in said}
            assert acknowledged <= kept_in(store)
        whole = len(kept_in(store))
        for _ in range(KILLS):
            said, hit = struck(store, "learning_store", "sink", chance)
            hits += hit
            assert {int(word) for word in said} == {whole}
            ((rows, file),) = store.rows(_LAKE)
            assert rows == whole
            assert (store.folder / "lake" / file).stat().st_size > 0
    assert hits == 2 * KILLS, "a kill came when all was over"
