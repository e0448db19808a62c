"""Where a repository lies: a folder, or a bucket that speaks S3. Every object is there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext as _
from pyarrow import fs

from shuren.kernel.errors import Invalid
from shuren.kernel.files import sync_folder

_TMP = "tmp"


class Store(Protocol):
    """Objects by name; names are letters, digits, dots, dashes and slashes."""

    @property
    def label(self) -> str:
        """How people call it; holds no secrets."""

    def put(self, name: str, data: bytes) -> None: ...

    def get(self, name: str) -> bytes:
        """Raises `FileNotFoundError` where there is none."""

    def names(self, folder: str) -> Iterator[str]:
        """Names of all objects below a folder, as they are put."""

    def delete(self, name: str) -> None: ...

    def settle(self) -> None:
        """Return when all that was put would survive a power cut."""


class FolderStore:
    """A folder of this machine, or one mounted from another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._touched: set[Path] = set()
        self._lock = Lock()

    @property
    def label(self) -> str:
        return str(self.folder)

    def put(self, name: str, data: bytes) -> None:
        path, draft = self.folder / name, self.folder / _TMP / secrets.token_hex(12)
        draft.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        with self._lock:
            self._touched.add(path.parent)

    def get(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def names(self, folder: str) -> Iterator[str]:
        for parent, _folders, names in os.walk(self.folder / folder):
            inside = Path(parent).relative_to(self.folder).as_posix()
            yield from (f"{inside}/{name}" for name in names)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def settle(self) -> None:
        with self._lock:
            touched, self._touched = self._touched, set()
        for folder in sorted({*touched, *(parent.parent for parent in touched)}):
            sync_folder(folder)

    def clear_drafts(self) -> None:
        """Remove what a killed run left half written; only with the lock held."""
        with suppress(FileNotFoundError):
            for draft in (self.folder / _TMP).iterdir():
                draft.unlink(missing_ok=True)


class BucketStore:
    """A bucket that speaks S3; an object appears when its upload is complete."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        endpoint = urlsplit(asked.get("endpoint", ""))
        self._root = f"{parts.netloc}/{parts.path.strip('/')}".strip("/")
        self.label = f"s3://{self._root}"
        self._files = fs.S3FileSystem(
            access_key=os.environ.get("AWS_ACCESS_KEY_ID"),
            secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),
            region=asked.get("region") or os.environ.get("AWS_REGION") or "us-east-1",
            scheme=endpoint.scheme or None,
            endpoint_override=endpoint.netloc or None,
            connect_timeout=10,
            request_timeout=120,
        )

    def put(self, name: str, data: bytes) -> None:
        with self._files.open_output_stream(f"{self._root}/{name}") as stream:
            stream.write(data)

    def get(self, name: str) -> bytes:
        with self._files.open_input_stream(f"{self._root}/{name}") as stream:
            return bytes(stream.read())

    def names(self, folder: str) -> Iterator[str]:
        for info in self._files.get_file_info(fs.FileSelector(f"{self._root}/{folder}", recursive=True, allow_not_found=True)):
            if info.type == fs.FileType.File:
                yield info.path.removeprefix(f"{self._root}/")

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._files.delete_file(f"{self._root}/{name}")

    def settle(self) -> None:
        """A completed upload is durable already."""


def store_of(address: str) -> Store:
    """The store at an address: a folder's absolute path, `file:///…`, or `s3://bucket/path?endpoint=…&region=…`."""
    parts = urlsplit(address)
    if parts.scheme == "s3":
        return BucketStore(address)
    path = Path(parts.path if parts.scheme == "file" else address)
    if parts.scheme not in ("", "file") or not path.is_absolute():
        raise Invalid(
            _("备份位置“%(address)s”看不懂。") % {"address": address},
            remedy=_("请写文件夹的绝对路径，或 s3://桶/路径?endpoint=https://…。"),
        )
    return FolderStore(path)
