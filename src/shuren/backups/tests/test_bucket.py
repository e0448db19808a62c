"""A repository in a bucket that speaks S3."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs
from pytest_django.fixtures import Settings

from shuren.backups import api as backups
from shuren.backups.data import RunState
from shuren.kernel.data import SYSTEM

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {"scheme": "http", "endpoint_override": f"{host}:{port}", "allow_bucket_creation": True}
    fs.S3FileSystem(access_key="testing", secret_key="testing", region="us-east-1", **options).create_dir("backups")
    yield f"s3://backups/shuren?endpoint=http://{host}:{port}"
    server.stop()


@pytest.mark.django_db(transaction=True)
def test_a_folder_and_a_bucket_in_one_run_and_the_bucket_alone_gives_all_back(
    house: Path, settings: Settings, bucket: str
) -> None:
    settings.SHUREN_BACKUP_TARGETS = [str(house / "place"), bucket]
    run = backups.back_up(actor=SYSTEM, now=NOW)
    assert (run.state, run.targets) == (RunState.DONE, (str(house / "place"), "s3://backups/shuren"))
    assert backups.check_backups() == []
    settings.SHUREN_BACKUP_TARGETS = [bucket]
    assert [one.id for one in backups.backups()] == [run.manifest]
    assert [file.path for file in backups.read_manifest(run.manifest).files] == [
        "imports/1.xlsx",
        "imports/2.xlsx",
        "lake/a.parquet",
    ]
    assert backups.prune(actor=SYSTEM, now=NOW).report == {"backups": [], "chunks": 0}
    assert backups.check_backups() == []
