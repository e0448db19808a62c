"""Kill -9 while a file of entries is written or taken back: everybody sees all of it or nothing, and it comes to its end."""

import os
import random

from tests.faults.installation import Installation, new_installation
from tests.faults.striking import start, struck

KILLS = int(os.environ.get("SHUREN_KILLS", "2"))
ENTRIES = 3_000
BEFORE, AFTER = [(ENTRIES // 2, 1, 1, 1, 1)], [(ENTRIES, 2, 2, 2, 2)]
# What stands: how many, and the seats as the data and as the index of values has them.
_SEEN = """
    SELECT count(*), min(CAST(e.data ->> 'seats' AS integer)), max(CAST(e.data ->> 'seats' AS integer)),
        CAST(min(v.number) AS integer), CAST(max(v.number) AS integer)
    FROM casework_entry e JOIN casework_entryvalue v ON v.entry_id = e.id AND v.field = 'seats' WHERE e.removed_at IS NULL
"""
_REVISIONS = "SELECT count(*) FROM casework_entryrevision r WHERE r.entry_id = e.id"
_BROKEN = f"SELECT e.id FROM casework_entry e WHERE e.revision > 0 AND e.revision <> ({_REVISIONS})"
_TOLD = "SELECT name, count(*) FROM kernel_event WHERE name LIKE 'casework.entry_%' GROUP BY name ORDER BY name"
_STATUS = "SELECT status FROM intake_importrun ORDER BY id DESC LIMIT 1"
_LEFT = "SELECT count(*) FROM casework_entry WHERE pending_import_id IS NOT NULL OR revision = 0"
_FOUND = "SELECT count(*) FROM search_entry WHERE kind = 'entry'"


def assert_whole(office: Installation, *allowed: list[tuple[int, ...]]) -> None:
    assert office.rows(_SEEN) in allowed
    assert office.rows(_BROKEN) == []


def brought_to_end(office: Installation, what: str, status: str) -> None:
    """Again, as the job would; where the switch had been thrown, only what was left to be told."""
    again = "settle" if office.rows(_STATUS) == [(status,)] else what
    assert start(office, "register_office", again).wait() == 0
    assert (office.rows(_STATUS), office.rows(_LEFT)) == ([(status,)], [(0,)])


def test_a_killed_import_of_entries_is_seen_whole_or_not_at_all(tmp_path) -> None:
    chance, hits, half = random.Random(20261130), 0, ENTRIES // 2
    with new_installation(tmp_path / "office") as office:
        office.program("register_office", "prepare", ENTRIES)
        assert_whole(office, BEFORE)
        for _ in range(KILLS):
            if office.rows(_STATUS) == [("applied",)]:
                break
            hits += struck(office, "register_office", "apply", chance)[1]
            assert_whole(office, BEFORE, AFTER)
        brought_to_end(office, "apply", "applied")
        assert_whole(office, AFTER)
        assert office.rows(_TOLD) == [("casework.entry_added", ENTRIES), ("casework.entry_changed", half)]
        assert office.rows(_FOUND) == [(ENTRIES,)]
        for _ in range(KILLS):
            if office.rows(_STATUS) == [("undone",)]:
                break
            hits += struck(office, "register_office", "undo", chance)[1]
            assert_whole(office, BEFORE, AFTER)
        brought_to_end(office, "undo", "undone")
        assert_whole(office, BEFORE)
        assert dict(office.rows(_TOLD))["casework.entry_removed"] == half
        assert office.rows(_FOUND) == [(half,)]
    assert hits >= KILLS // 2, "most kills came while nothing was going on"
