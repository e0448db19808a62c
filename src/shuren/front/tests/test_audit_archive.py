"""The audit administrator's pages of what left for the archive."""

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cast import Cast

from shuren.kernel import clock
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust


@pytest.fixture
def name(cast: Cast, tmp_path: Path, settings: Any) -> str:
    """A file of the archive with all that happened while the cast was made."""
    settings.SHUREN_EVIDENCE_DIR, settings.SHUREN_AUDIT_ARCHIVE = tmp_path / "evidence", tmp_path / "archive"
    settings.SHUREN_AUDIT_KEPT_DAYS = 180
    for _time in range(2):
        trust.anchor_trail(now=clock.now())
        trust.grow_log(now=clock.now())
    assert trust.archive_trail(now=clock.now() + timedelta(days=181))["files"] == 1
    (file,) = trust.archive_files()
    return file.name


def test_files_are_listed_and_downloaded_and_that_is_recorded(cast: Cast, name: str) -> None:
    client = cast.client("audit_admin")
    page = client.get("/audit/archive/")
    assert name in page.content.decode()
    assert client.get("/audit/archive/?since=2999-01-01").context["list"].rows == ()
    answer = client.get(f"/audit/archive/files/{name}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    lines = gzip.decompress(b"".join(answer.streaming_content)).splitlines(keepends=True)  # type: ignore[attr-defined]
    assert list(trust.faults_of_archive(lines, log_keys=trust.log_keys())) == []
    entry = AuditEntry.objects.get(action="front.audit_exported")
    assert (entry.details["form"], entry.details["file"]) == ("archive", name)
    assert client.get("/audit/archive/files/other.jsonl.gz").status_code == 404


def test_entries_in_files_are_searched_and_exported(cast: Cast, name: str) -> None:
    client = cast.client("audit_admin")
    assert AuditEntry.objects.filter(action="directory.org_added").count() == 0
    page = client.get("/audit/archive/entries/?action=新增机构")
    assert {row.cells[3].text for row in page.context["list"].rows} == {"新增机构"}
    assert client.get("/audit/archive/entries/?until=2001-01-01").context["list"].rows == ()
    export = client.get("/audit/archive/entries/?export=csv&area=directory.")
    text = b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]
    assert "新增机构" in text
    assert AuditEntry.objects.get(action="front.audit_exported").details["area"] == "directory."


def test_a_file_that_is_gone_is_said_to_be(cast: Cast, name: str, settings: Any) -> None:
    (settings.SHUREN_AUDIT_ARCHIVE / name).unlink()
    client = cast.client("audit_admin")
    assert "文件不见了" in client.get("/audit/archive/").content.decode()
    assert client.get(f"/audit/archive/files/{name}").status_code == 404
    assert name in client.get("/audit/archive/entries/").content.decode()


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "head"])
def test_nobody_else_sees_the_archive(cast: Cast, name: str, role: str) -> None:
    client = cast.client(role)
    for address in ("", "entries/", f"files/{name}"):
        assert client.get(f"/audit/archive/{address}").status_code == 403
