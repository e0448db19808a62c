"""Destruction: four eyes, holds win, and a certificate for all that is gone and for nothing that is there."""

import base64
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shuren.datahub import api
from shuren.datahub.data import ArchiveState, DestructionState
from shuren.datahub.models import ArchivedFile, ArchivedPartition, Destruction, StoredSnapshot
from shuren.datahub.rules.certificates import canonical
from shuren.datahub.selectors.destruction_certificates import certificate_file, verdict_of_certificate, verdict_of_destruction
from shuren.datahub.selectors.storage import Folder
from shuren.datahub.services.life_cycle import certify, destroy
from shuren.datahub.services.life_cycle.decide import approve_destruction, propose_destruction, refuse_destruction
from shuren.datahub.services.life_cycle.destroy import carry_out_destruction
from shuren.datahub.tests.life_cycle.conftest import ARCHIVED, NAME, Keeper
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.trust import api as trust

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What nobody catches."""


def carry_out(row: Destruction, keeper: Keeper) -> DestructionState:
    return carry_out_destruction(destruction_id=row.pk, now=keeper.cast.now)


def files_of(lake: Path, keeper: Keeper) -> list[Path]:
    return [path for path in lake.rglob("*") if path.is_file() and f"year={keeper.cast.now.year - 3}" in path.as_posix()]


def test_two_people_decide_and_the_certificate_says_what_is_gone(keeper: Keeper, lake: Path, settings: Any) -> None:
    settings.SHUREN_BACKUP_TARGETS, settings.SHUREN_BACKUP_KEEP = ("/backups",), "7,5,12"
    cast = keeper.cast
    old = {"year": cast.now.year - 3}
    row = keeper.proposed()
    with pytest.raises(Refused, match="不能自己批准"):
        approve_destruction(actor=cast.actor("county_officer"), destruction_id=row.pk, now=cast.now)
    with pytest.raises(NotFound):
        approve_destruction(actor=cast.actor("teacher"), destruction_id=row.pk, now=cast.now)
    approve_destruction(actor=cast.actor("province_officer"), destruction_id=row.pk, now=cast.now)
    assert len(files_of(lake, keeper)) == 2, "the one in use and the one it took the place of"
    hashes = set(StoredSnapshot.objects.filter(partition=f"year={old['year']}").values_list("sha256", flat=True))
    assert carry_out(row, keeper) is DestructionState.DONE

    assert files_of(lake, keeper) == []
    with pytest.raises(NotFound):
        api.read_partition(NAME, old)
    assert api.read_partition(NAME, {"year": cast.now.year}).num_rows == 3
    row.refresh_from_db()
    told = row.certificate
    assert {one["sha256"] for one in told["files"]} == hashes
    assert (told["rows"], told["partitions"][0]["partition"]) == (3, f"year={old['year']}")
    assert told["proposed"]["by"] != told["approved"]["by"] != ""
    assert told["copies"]["backups_until"] == (day_of(cast.now) + timedelta(days=12 * 31 + 1)).isoformat()
    assert row.number == f"XH-{day_of(cast.now).year}-00001"


def test_a_certificate_holds_and_what_was_changed_in_it_does_not(keeper: Keeper, lake: Path) -> None:
    row = keeper.approved()
    carry_out(row, keeper)
    row.refresh_from_db()
    trust.grow_log(now=keeper.cast.now)
    file = certificate_file(row)
    good = verdict_of_certificate(json.dumps(file).encode())
    assert (good.is_good, good.number, good.is_logged) == (True, row.number, True)
    proof = trust.read_proof(json.dumps(file["proof"]))
    assert proof.digest.hex() == file["sha256"]

    def fault(**changed: Any) -> str:
        return verdict_of_certificate(json.dumps({**file, **changed}).encode()).fault

    assert fault(certificate={**row.certificate, "rows": 4}) == "content"
    assert fault(certificate={**row.certificate, "number": "XH-1999-00001"}) == "number"
    assert fault(signature="AAAA") == "signature"
    assert verdict_of_certificate(b"[]").fault == "form"
    # Whoever changes the row here as well cannot sign it anew, and whoever signs anew is told on by the log.
    row.certificate = {**row.certificate, "rows": 4}
    assert verdict_of_destruction(row).fault == "signature"
    signature = trust.sign(canonical(row.certificate), key="datahub.destruction")
    row.signature = base64.b64encode(signature).decode()
    assert verdict_of_destruction(row).fault == "log"
    row.refresh_from_db()
    gone = lake / row.files.first().file  # type: ignore[union-attr]
    gone.parent.mkdir(parents=True, exist_ok=True)
    gone.write_bytes(b"back")
    assert verdict_of_destruction(row).fault == "there"


STEPS: list[tuple[Any, str]] = [
    (destroy, "refuse_undue"),
    (destroy, "destruction_details"),
    (Folder, "remove"),
    (destroy, "_marked"),
    (destroy, "_is_gone"),
    (certify, "_told"),
    (certify, "tell_unit"),
]


@pytest.mark.parametrize(("place", "name"), STEPS, ids=[name for _place, name in STEPS])
def test_a_kill_at_any_step_is_made_good(
    keeper: Keeper, lake: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    """Killed before a step, then after it was done: never a certificate beside a file, in the end a certificate."""
    row = keeper.approved()
    real: Callable[..., Any] = getattr(place, name)
    for is_after in (False, True):

        def killed(*args: Any, is_after: bool = is_after, **options: Any) -> Any:
            if is_after:
                real(*args, **options)
            raise Killed

        monkeypatch.setattr(place, name, killed)
        with pytest.raises(Killed):
            carry_out(row, keeper)
        row.refresh_from_db()
        assert row.state != DestructionState.DONE
        assert row.number is None
        if row.state == DestructionState.APPROVED:
            assert api.read_partition(NAME, {"year": keeper.cast.now.year - 3}).num_rows == 3
    monkeypatch.setattr(place, name, real)
    assert carry_out(row, keeper) is DestructionState.DONE
    row.refresh_from_db()
    assert verdict_of_destruction(row).is_good
    assert files_of(lake, keeper) == []
    assert len(row.certificate["files"]) == 2


def test_a_hold_wins_at_every_step_and_what_changed_is_not_destroyed(keeper: Keeper) -> None:
    cast = keeper.cast
    old = {"year": cast.now.year - 3}
    row = keeper.approved()
    api.hold_dataset(NAME, reason="诉讼", actor=SYSTEM, now=cast.now)
    assert carry_out(row, keeper) is DestructionState.APPROVED
    assert keeper.look()["held"] == 1
    assert api.read_partition(NAME, old).num_rows == 3
    api.release_dataset(NAME, actor=SYSTEM, now=cast.now)
    api.write_partition(NAME, old, api.read_partition(NAME, old).slice(0, 1), actor=SYSTEM, now=cast.now)
    assert carry_out(row, keeper) is DestructionState.REFUSED
    assert api.read_partition(NAME, old).num_rows == 1
    row.refresh_from_db()
    assert (row.number, "有变化" in row.reason) == (None, True)

    api.hold_dataset(NAME, reason="诉讼", actor=SYSTEM, now=cast.now)
    assert keeper.look()["planned"] == 0
    api.release_dataset(NAME, actor=SYSTEM, now=cast.now)
    assert keeper.look()["planned"] == 1
    second = Destruction.objects.get(state=DestructionState.PLANNED)
    api.hold_dataset(NAME, reason="诉讼", actor=SYSTEM, now=cast.now)
    with pytest.raises(Conflict, match="诉讼"):
        propose_destruction(actor=cast.actor("county_officer"), destruction_id=second.pk, ground="到期", now=cast.now)


def test_what_lies_in_the_archive_is_destroyed_with_its_key(keeper: Keeper, lake: Path) -> None:
    cast = keeper.cast
    keeper.rule(ARCHIVED)
    keeper.look()
    row = keeper.approved()
    assert carry_out(row, keeper) is DestructionState.DONE
    row.refresh_from_db()
    assert {one["kind"] for one in row.certificate["files"]} == {"snapshot", "archived"}
    assert files_of(lake, keeper) == []
    assert ArchivedPartition.objects.get().state == ArchiveState.DESTROYED
    assert ArchivedFile.objects.get().key_sealed is None
    assert api.faults_of_lake() == (2, [])
    assert api.sweep(now=cast.now).files == 0


def test_a_copy_that_a_kill_left_is_taken_before_the_certificate(keeper: Keeper, lake: Path) -> None:
    """A file that no row names: a young one may be a write under way, an old one is taken."""
    cast = keeper.cast
    row = keeper.approved()
    left = lake / NAME / f"year={cast.now.year - 3}" / "0.parquet"
    left.write_bytes(b"PAR1")
    moment = cast.now.timestamp()
    os.utime(left, (moment, moment))
    assert carry_out(row, keeper) is DestructionState.RUNNING
    assert left.exists()
    later = carry_out_destruction(destruction_id=row.pk, now=cast.now + timedelta(hours=2))
    assert (later, left.exists()) == (DestructionState.DONE, False)


def test_what_was_refused_is_not_drawn_up_again_at_once_and_what_is_due_no_more_is_dropped(keeper: Keeper) -> None:
    cast = keeper.cast
    row = keeper.planned()
    assert keeper.look()["planned"] == 0, "it stands already"
    refuse_destruction(actor=cast.actor("county_officer"), destruction_id=row.pk, reason="还要用", now=cast.now)
    assert keeper.look()["planned"] == 0
    row.delete()
    assert keeper.look()["planned"] == 1
    keeper.rule(ARCHIVED)
    keeper.look()
    assert Destruction.objects.get().state == DestructionState.REFUSED
