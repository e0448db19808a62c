"""Where the lake's files lie: a folder of this machine, or a bucket of an S3 store.

A file is whole from the moment it is seen, wherever it lies: in a folder it is renamed when it is on disk, in a bucket the
object is there once its last part is. Nobody is told its name before.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pafs
from django.conf import settings

from shuren.kernel.files import sync_folder

UNFINISHED = ".tmp"
# What the lake writes: files that are asked, and those of the archive.
ENDINGS = (".parquet", ".sealed")


class Sink:
    """A file being written, hashed and counted on its way."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self.bytes = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.bytes += len(data)
        self._target.write(data)
        return len(data)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        """Nothing is safe before the whole file is."""

    def close(self) -> None:
        self.closed = True


class Store(Protocol):
    """What the lake asks of the place where its files lie; `file` is relative to it."""

    filesystem: pafs.FileSystem

    def key(self, file: str) -> str:
        """The file's name inside `filesystem`."""

    def address(self, file: str) -> str:
        """The file's name for an engine on another machine."""

    def writing(self, file: str) -> Any:
        """A `Sink`; the file is there when the block ends well, and is not when it does not."""

    def open(self, file: str) -> pa.NativeFile:
        """Raises `FileNotFoundError`."""

    def remove(self, file: str) -> int:
        """The bytes that were freed; 0 where it was gone already."""

    def files_before(self, moment: datetime) -> list[str]:
        """Every file last written before the moment, finished or not."""

    def files_under(self, folder: str) -> list[tuple[str, datetime]]:
        """Every file below a folder, finished or not, with the moment it was last written."""


class Folder:
    """The lake in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.filesystem = pafs.LocalFileSystem()

    def key(self, file: str) -> str:
        return str(self.root / file)

    address = key

    @contextmanager
    def writing(self, file: str) -> Iterator[Sink]:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + UNFINISHED)
        try:
            with unfinished.open("wb") as target:
                sink = Sink(target)
                yield sink
                target.flush()
                os.fsync(target.fileno())
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def open(self, file: str) -> pa.NativeFile:
        path = self.root / file
        # An empty file cannot be mapped, and no file that was published is empty.
        return pa.memory_map(str(path))

    def remove(self, file: str) -> int:
        path = self.root / file
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def files_before(self, moment: datetime) -> list[str]:
        return [file for file, at in self._files(self.root) if at < moment]

    def files_under(self, folder: str) -> list[tuple[str, datetime]]:
        return self._files(self.root / folder)

    def _files(self, folder: Path) -> list[tuple[str, datetime]]:
        found = []
        for ending in (*ENDINGS, *(f"{ending}{UNFINISHED}" for ending in ENDINGS)):
            for path in folder.rglob(f"*{ending}"):
                with suppress(FileNotFoundError):
                    at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
                    found.append((path.relative_to(self.root).as_posix(), at))
        return found


class Bucket:
    """The lake in a bucket, below a prefix."""

    def __init__(self, url: str, *, endpoint: str, key: str, secret: str, region: str) -> None:
        parts = urlsplit(url)
        self.prefix = f"{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
        options: dict[str, Any] = {"region": region or "us-east-1"}
        if endpoint:
            told = urlsplit(endpoint)
            options |= {"endpoint_override": told.netloc or told.path, "scheme": told.scheme or "https"}
        if key:
            options |= {"access_key": key, "secret_key": secret}
        self.filesystem = pafs.S3FileSystem(**options)

    def key(self, file: str) -> str:
        return f"{self.prefix}/{file}"

    def address(self, file: str) -> str:
        return f"s3a://{self.key(file)}"

    @contextmanager
    def writing(self, file: str) -> Iterator[Sink]:
        target = self.filesystem.open_output_stream(self.key(file))
        try:
            yield Sink(target)
            target.close()
        except BaseException:
            # The store closes a stream that is dropped, so what was sent may have become an object.
            self._discard(target, file)
            raise

    def open(self, file: str) -> pa.NativeFile:
        return self.filesystem.open_input_file(self.key(file))

    def remove(self, file: str) -> int:
        found = self.filesystem.get_file_info(self.key(file))
        if found.type is not pafs.FileType.File:
            return 0
        self.filesystem.delete_file(self.key(file))
        return int(found.size)

    def files_before(self, moment: datetime) -> list[str]:
        return [file for file, at in self._files(self.prefix) if at < moment]

    def files_under(self, folder: str) -> list[tuple[str, datetime]]:
        return self._files(self.key(folder))

    def _files(self, folder: str) -> list[tuple[str, datetime]]:
        chosen = pafs.FileSelector(folder, recursive=True, allow_not_found=True)
        found = [info for info in self.filesystem.get_file_info(chosen) if info.type is pafs.FileType.File]
        return [(info.path.removeprefix(f"{self.prefix}/"), info.mtime.replace(tzinfo=UTC)) for info in found]

    def _discard(self, target: IO[bytes], file: str) -> None:
        try:
            target.close()
            self.remove(file)
        except OSError:
            # The store cannot be reached; whatever lies there is an orphan, and swept as one.
            return


def store() -> Store:
    """Where the lake lies by the settings; asked every time, for a bucket's client is kept by its settings."""
    url = settings.SHUREN_LAKE_URL
    if not url:
        return Folder(Path(settings.DATA_DIR) / "lake")
    return _bucket(
        url, settings.SHUREN_LAKE_ENDPOINT, settings.SHUREN_LAKE_KEY, settings.SHUREN_LAKE_SECRET, settings.SHUREN_LAKE_REGION
    )


@lru_cache(maxsize=4)
def _bucket(url: str, endpoint: str, key: str, secret: str, region: str) -> Bucket:
    return Bucket(url, endpoint=endpoint, key=key, secret=secret, region=region)
