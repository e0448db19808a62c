"""The lake in a bucket: the same promises, on a store of its own on loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pytest
from moto.server import ThreadedMotoServer

from shuren.datahub import api
from shuren.datahub.data import Reader
from shuren.datahub.selectors import storage
from shuren.datahub.tests.conftest import table_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    options = {"scheme": "http", "access_key": "testing", "secret_key": "testing", "allow_bucket_creation": True}
    pafs.S3FileSystem(endpoint_override=f"{host}:{port}", **options).create_dir("lake-of-tests")
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(autouse=True)
def bucket(server: str, settings: Any, lake: Any, request: pytest.FixtureRequest) -> storage.Bucket:
    settings.SHUREN_LAKE_URL = "s3://lake-of-tests/" + str(abs(hash(request.node.name)))
    settings.SHUREN_LAKE_ENDPOINT = server
    settings.SHUREN_LAKE_KEY = settings.SHUREN_LAKE_SECRET = "testing"
    found = storage.store()
    assert isinstance(found, storage.Bucket)
    return found


def objects(bucket: storage.Bucket) -> list[str]:
    return bucket.files_before(datetime.now(UTC) + timedelta(days=1))


def test_written_read_asked_compacted_and_swept(bucket: storage.Bucket, lake: Any) -> None:
    for value in (1, 2):
        api.append_partition("probe.marks", {"run": 7}, table_of(50_000, value), actor=SYSTEM, now=NOW)
    found = api.read_partition("probe.marks", {"run": 7}, filters=[("person_id", "==", 42)])
    assert found["mark"].to_pylist() == [1, 2]
    asked = api.query("SELECT run, sum(mark) AS total FROM probe_marks GROUP BY run").to_pylist()
    assert asked == [{"run": 7, "total": 150_000}]
    reader = Reader(scope=(), purpose="checking", is_region=True)
    assert api.query("SELECT count(*) AS n FROM probe_marks", reader=reader).to_pylist() == [{"n": 100_000}]
    assert api.compact_partition("probe.marks", {"run": 7}, now=NOW + timedelta(hours=1)) is not None
    assert api.read_partition("probe.marks", {"run": 7}).num_rows == 100_000
    api.prepare_partition("probe.marks", {"run": 8}, table_of(3))
    assert len(objects(bucket)) == 4
    swept = api.sweep(now=datetime.now(UTC) + timedelta(days=2))
    assert (swept.snapshots, swept.files) == (2, 1)
    assert len(objects(bucket)) == 1
    assert api.faults_of_lake() == (1, [])
    assert not lake.exists()


def test_a_broken_stream_leaves_no_object(bucket: storage.Bucket) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield table_of(4, 2).to_batches()[0]
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        api.write_partition("probe.marks", {"run": 1}, broken(), actor=SYSTEM, now=NOW)
    assert objects(bucket) == []


def test_other_objects_of_the_bucket_are_out_of_reach(bucket: storage.Bucket) -> None:
    api.write_partition("probe.marks", {"run": 1}, table_of(4), actor=SYSTEM, now=NOW)
    with bucket.writing("secret.parquet") as sink:
        sink.write(b"secret")
    with pytest.raises(Invalid):
        api.query(f"SELECT * FROM read_parquet('lake://{bucket.key('secret.parquet')}')", datasets=["probe.marks"])
