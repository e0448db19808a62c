"""A repository in a bucket that speaks S3."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs
from pytest_django.fixtures import Settings
from tests.cast import build_cast

from shuren.backups import api as backups
from shuren.backups.data import RunState
from shuren.backups.services import restore
from shuren.backups.services.repository import open_repository, secret_of_settings
from shuren.datahub import api as datahub
from shuren.datahub.data import DatasetSpec
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


@pytest.fixture
def lake(bucket: str, settings: Settings) -> fs.S3FileSystem:
    """The lake lies in a bucket, beside the backups."""
    endpoint = bucket.partition("endpoint=")[2]
    settings.SHUREN_LAKE_URL, settings.SHUREN_LAKE_ENDPOINT = "s3://backups/lake", endpoint
    settings.SHUREN_LAKE_KEY = settings.SHUREN_LAKE_SECRET = "testing"
    told = {"access_key": "testing", "secret_key": "testing", "region": "us-east-1", "scheme": "http"}
    return fs.S3FileSystem(endpoint_override=endpoint.removeprefix("http://"), **told)


@pytest.mark.django_db(transaction=True)
def test_a_lake_in_a_bucket_goes_along_and_comes_back_from_a_bucket_alone(
    house: Path, settings: Settings, bucket: str, lake: fs.S3FileSystem
) -> None:
    """The drill finds even what the living lake has let go since; a lake that is lost is put back, file by file."""
    settings.SHUREN_BACKUP_TARGETS = [bucket]
    build_cast()
    datahub.declare_dataset(
        DatasetSpec(name="backups.sample", partition_keys=("year",), description="", grade="L1", owner="backups")
    )
    for marks in (range(1_000), range(40_000)):
        datahub.write_partition("backups.sample", {"year": "2026"}, pa.table({"id": list(marks)}), actor=SYSTEM, now=NOW)
    made = backups.back_up(actor=SYSTEM, now=NOW + timedelta(hours=1))
    assert made.state is RunState.DONE
    kept = {file.path: file.bytes for file in backups.read_manifest(made.manifest).files if "backups.sample" in file.path}
    assert len(kept) == 2
    assert datahub.sweep(now=NOW + timedelta(days=400)).snapshots == 1
    run = backups.drill(actor=SYSTEM, now=NOW + timedelta(hours=2))
    assert (run.report["faults"], run.state) == ([], RunState.DONE)
    assert (run.report["lake_files"], run.report["signed_in"]) == (2, "ok")

    lake.delete_dir("backups/lake")
    assert datahub.faults_of_lake()[1] != []
    repository = open_repository([bucket], secret=secret_of_settings())
    settings.DATA_DIR = house / "home"
    for _run in range(2):
        restore._place_files(repository.manifest(made.manifest), repository, lambda _count: None)
    repository.close()
    assert datahub.faults_of_lake() == (1, [])
    assert {name: lake.get_file_info(f"backups/{name}").size for name in kept} == kept
    assert not (house / "home" / "lake").exists()
