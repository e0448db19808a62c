import dataclasses
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry
from shuren.trust import api
from shuren.trust.data import AuditSearch
from shuren.trust.models import AuditBatch
from shuren.trust.selectors.trail import ids_of_batch
from shuren.trust.selectors.trail_checks import faults_of_trail
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
    assert len(lines) == count + AuditBatch.objects.count() + 1  # the closing line
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
    lines = list(api.hand_out_trail(name="audit.jsonl", now=NOW, since=NOW, until=NOW + timedelta(days=1)))
    assert len(lines) == AuditEntry.objects.filter(at=NOW).count() + AuditBatch.objects.count() + 1
    assert list(api.faults_of_archive(lines, log_keys=api.log_keys())) == []
    assert list(api.hand_out_trail(name="audit.jsonl", now=NOW, since=datetime(2030, 1, 1, tzinfo=UTC))) == []


def named(archive: Path) -> Path:
    (path,) = archive.glob("*.jsonl.gz")
    return path


def test_entries_that_are_only_marked_as_archived_are_missed(archive: Path) -> None:
    """Whoever owns the database marks a batch as archived and takes its entries away."""
    batch = AuditBatch.objects.earliest("pk")
    ids = ids_of_batch(batch.ranges.all())
    AuditEntry.objects.filter(pk__in=ids).delete()
    AuditBatch.objects.filter(pk=batch.pk).update(archived_at=NOW)
    assert list(faults_of_trail()) != []
    AuditBatch.objects.filter(pk=batch.pk).update(archive="000000000001-000000000001.jsonl.gz")
    assert any("No such file" in fault for fault in faults_of_trail())


def without_batch(archive: Path, number: int, *, is_closed: bool = True) -> list[bytes]:
    lines = lines_in(archive)
    begins = [place for place, line in enumerate(lines) if line.startswith(b'{"count"')]
    begins.append(len(lines) - 1)
    return lines[: begins[number]] + lines[begins[number + 1] : None if is_closed else -1]


@pytest.mark.parametrize("number", [0, 1])
def test_a_whole_batch_that_was_cut_out_of_a_file_is_noticed(archive: Path, number: int) -> None:
    archive_trail(now=LATER)
    cut = without_batch(archive, number)
    assert "as it was closed" in " ".join(api.faults_of_archive(cut, log_keys=api.log_keys()))
    unclosed = without_batch(archive, number, is_closed=False)
    assert "not closed" in " ".join(api.faults_of_archive(unclosed, log_keys=api.log_keys()))
    assert list(api.faults_of_archive(unclosed, log_keys=api.log_keys(), is_closed=False)) == []
    with gzip.open(named(archive), "wb") as file:
        file.writelines(cut)
    assert any("are gone" in fault for fault in faults_of_trail())


@pytest.mark.parametrize("harm", ["file", "file and batches", "moment", "name", "header", "story"])
def test_a_touched_archive_is_noticed_by_the_installation(archive: Path, harm: str) -> None:
    archive_trail(now=LATER)
    path = named(archive)
    if harm == "file":
        path.unlink()
    elif harm == "file and batches":
        path.unlink()
        AuditBatch.objects.filter(archive=path.name).delete()
    elif harm == "moment":
        AuditBatch.objects.filter(pk=AuditBatch.objects.earliest("pk").pk).update(archived_at=NOW)
    elif harm == "name":
        path.rename(path.with_name("x.jsonl.gz"))
    elif harm == "header":
        data = bytearray(path.read_bytes())
        data[4] ^= 1  # the time of a gzip header, which unpacking does not look at
        path.write_bytes(data)
    else:
        AuditEntry.objects.filter(action="trust.trail_archived").delete()
    assert list(faults_of_trail()) != []


def test_a_file_that_tells_of_an_older_one_may_itself_be_archived(archive: Path) -> None:
    archive_trail(now=LATER)
    anchor_trail(now=LATER)
    grow_log(now=LATER)
    assert archive_trail(now=LATER + timedelta(days=400))["files"] == 1
    assert len(list(archive.glob("*.jsonl.gz"))) == 2
    assert list(faults_of_trail()) == []
    closings: list[api.Closing] = []
    for path in sorted(archive.glob("*.jsonl.gz")):
        with gzip.open(path) as lines:
            assert list(api.faults_of_archive(lines, log_keys=api.log_keys(), on_closing=closings.append)) == []
    first, second = closings
    assert (first.after, second.after) == ("-", first.name)
    assert list(api.faults_of_line(closings)) == []
    third = dataclasses.replace(second, name="999.jsonl.gz", after="998.jsonl.gz")
    assert list(api.faults_of_line([*closings, third])) == [
        "998.jsonl.gz, which stands before 999.jsonl.gz, is not among these files"
    ]


def test_the_archive_is_listed_and_searched(archive: Path) -> None:
    search = AuditSearch(target="x:7")
    before = [(entry.pk, entry.details) for entry in api.audit_page(search).rows]
    everything = [entry.pk for entry in api.audit_stream(AuditSearch(action="trust."))]
    archive_trail(now=LATER)
    (file,) = api.archive_files()
    assert (file.entries, file.batches) == (len(everything), AuditBatch.objects.count())
    assert file.size == named(archive).stat().st_size
    assert [(entry.pk, entry.details) for entry in api.archived_page(search).rows] == before
    found, cursor = [], ""
    while True:
        page = api.archived_page(AuditSearch(action="trust."), before=cursor, size=700)
        found += [entry.pk for entry in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
        assert len(page.rows) == 700
    assert found == everything
    assert [entry.pk for entry in api.archived_stream(AuditSearch(action="trust."))] == everything
    assert api.archived_page(AuditSearch(since=NOW + timedelta(days=1))).rows == []
    assert api.archive_files(since=NOW + timedelta(days=1)) == []
    assert api.archived_page(AuditSearch(actor_name="nobody")).rows == []


def test_only_files_of_the_archive_are_handed_out(archive: Path) -> None:
    archive_trail(now=LATER)
    path = named(archive)
    assert api.archive_file(path.name) == path
    (archive.parent / "secret").write_text("x")
    for name in ("../secret", "secret", "", ".."):
        with pytest.raises(NotFound):
            api.archive_file(name)
    path.write_bytes(b"no gzip")
    assert api.archived_page(AuditSearch()).broken == (path.name,)
    path.unlink()
    with pytest.raises(NotFound):
        api.archive_file(path.name)
    assert [file.size for file in api.archive_files()] == [None]
