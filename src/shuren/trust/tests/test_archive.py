import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.models import AuditEntry
from shuren.trust import api
from shuren.trust.models import AuditBatch
from shuren.trust.selectors.checks import faults_of_trail
from shuren.trust.services.log import archiving
from shuren.trust.services.log.archiving import archive_trail
from shuren.trust.services.log.growing import grow_log
from shuren.trust.services.log.trail import anchor_trail
from shuren.trust.tests.test_trail import NOW, write

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=200)


@pytest.fixture
def archive(log_folder: Path, tmp_path: Path, settings: Any) -> Path:
    settings.SHUREN_AUDIT_ARCHIVE = tmp_path / "archive"
    settings.SHUREN_AUDIT_KEPT_DAYS = 180
    write(1_500)
    for _time in range(2):  # the first head makes the log's key, which is on record itself
        anchor_trail(now=NOW)
        grow_log(now=NOW)
    return tmp_path / "archive"


def lines_in(archive: Path) -> list[bytes]:
    (path,) = archive.glob("*.jsonl.gz")
    with gzip.open(path) as file:
        return file.readlines()


def test_nothing_leaves_before_its_time(archive: Path) -> None:
    assert archive_trail(now=NOW + timedelta(days=179)) == {"files": 0, "entries": 0}
    assert AuditEntry.objects.count() >= 1_500


def test_a_shorter_time_than_the_law_allows_is_not_believed(archive: Path, settings: Any) -> None:
    settings.SHUREN_AUDIT_KEPT_DAYS = 1
    assert archive_trail(now=NOW + timedelta(days=179)) == {"files": 0, "entries": 0}


def test_old_entries_leave_with_their_proofs_and_the_rest_stays_whole(archive: Path) -> None:
    count = AuditEntry.objects.count()
    assert archive_trail(now=LATER) == {"files": 1, "entries": count}
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["trust.trail_archived"]
    assert archive_trail(now=LATER) == {"files": 0, "entries": 0}
    lines = lines_in(archive)
    assert len(lines) == count + AuditBatch.objects.count()
    assert list(api.faults_of_archive(lines, log_keys=api.log_keys())) == []
    assert list(faults_of_trail()) == []


def test_what_no_head_covers_stays(archive: Path) -> None:
    write(10)
    anchor_trail(now=NOW)
    archive_trail(now=LATER)
    assert AuditEntry.objects.filter(action="trust.tried").count() == 10


@pytest.mark.parametrize("harm", ["change", "drop a line", "swap", "cut", "foreign key"])
def test_a_touched_archive_is_noticed(archive: Path, harm: str) -> None:
    archive_trail(now=LATER)
    lines, keys = lines_in(archive), api.log_keys()
    if harm == "change":
        lines[5] = lines[5].replace(b"system", b"nobody")
    elif harm == "drop a line":
        del lines[5]
    elif harm == "swap":
        lines[5], lines[6] = lines[6], lines[5]
    elif harm == "cut":
        del lines[-3:]
    else:
        keys = []
    assert list(api.faults_of_archive(lines, log_keys=keys)) != []


def test_a_kill_between_file_and_deletion_loses_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = AuditEntry.objects.count()

    def die(*_args: object, **_kwargs: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_forget", die)
        with pytest.raises(KeyboardInterrupt):
            archive_trail(now=LATER)
    assert AuditEntry.objects.count() == count
    assert archive_trail(now=LATER)["entries"] == count


def test_entries_that_were_touched_are_not_archived_over(archive: Path) -> None:
    AuditEntry.objects.filter(target="x:7").update(actor_name="nobody")
    with pytest.raises(archiving.ArchiveBroken):
        archive_trail(now=LATER)
    assert AuditEntry.objects.filter(actor_name="nobody").exists()


def test_an_auditor_gets_a_time_with_its_proofs(archive: Path) -> None:
    lines = list(api.audit_evidence(since=NOW, until=NOW + timedelta(days=1)))
    assert len(lines) == AuditEntry.objects.filter(at=NOW).count() + AuditBatch.objects.count()
    assert list(api.faults_of_archive(lines, log_keys=api.log_keys())) == []
    assert list(api.audit_evidence(since=datetime(2030, 1, 1, tzinfo=UTC))) == []
