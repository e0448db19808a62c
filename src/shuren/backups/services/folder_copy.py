"""Files of the data folder: held by links before and after the database's snapshot, then stored."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from shuren.backups.data import Piece, StoredFile
from shuren.backups.rules.chunking import BUNDLE, LARGE, SMALL_FILE
from shuren.backups.services.repository import Repository
from shuren.kernel.errors import Conflict

# What can be made again, belongs to a run, is copied by other means or must lie apart.
_LEFT_OUT = {"keys", "static", "tmp", "scratch", "restoring.json", "restoring.draft"}
_DRAFTS = (".tmp", ".draft", ".part", ".restoring", ".lock")
_DATABASE = "shuren.sqlite3"
# Below it lie the files of the lake, wherever the lake itself is kept.
LAKE = "lake/"

Futures = list[tuple["Future[str]", int, int]]


class Links:
    """The data folder's files as they were when looked at, safe from sweeping while they are copied.

    `hold` links every file into a folder of the same file system; where that is not possible the file itself is read.
    """

    def __init__(self, data: Path, links: Path, *, beside: tuple[Path, ...] = ()) -> None:
        self._data, self._links = data, links
        self._beside = {path.resolve() for path in beside}
        self.found: dict[str, Path] = {}

    def hold(self) -> None:
        """Take up what is new since the last time; a file that another took the place of is taken anew."""
        for path in _files(self._data, self._beside):
            name = path.relative_to(self._data).as_posix()
            held = self.found.get(name)
            link = self._links / name
            with suppress(FileNotFoundError):
                if held is not None:
                    if _is_same(held, path):
                        continue
                    link.unlink(missing_ok=True)
                link.parent.mkdir(parents=True, exist_ok=True)
                self.found[name] = _linked(path, link)


def _linked(path: Path, link: Path) -> Path:
    try:
        os.link(path, link)
    except FileNotFoundError:
        raise
    except OSError:
        return path
    return link


def _is_same(held: Path, path: Path) -> bool:
    one, other = held.stat(), path.stat()
    return (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)


def _files(data: Path, beside: set[Path]) -> Iterator[Path]:
    for parent, folders, names in os.walk(data):
        here = Path(parent)
        is_top = here == data
        folders[:] = sorted(
            name for name in folders if not (is_top and name in _LEFT_OUT) and (here / name).resolve() not in beside
        )
        for name in sorted(names):
            path = here / name
            if is_top and (name in _LEFT_OUT or name.startswith(_DATABASE)):
                continue
            if name.endswith(_DRAFTS) or path.is_symlink() or not path.is_file():
                continue
            yield path


class FileCopy:
    """Stores files, small ones several to a chunk; a file of the same size and time as before is not read again."""

    def __init__(self, repository: Repository, before: Mapping[str, StoredFile], *, reads_all: bool = False) -> None:
        self._repository = repository
        self._before = {} if reads_all else before
        self._bundle = bytearray()
        self._bundled: list[tuple[str, int, int, int, int]] = []
        self._waiting: list[tuple[str, int, int, Futures]] = []
        self._same: list[StoredFile] = []

    def add(self, name: str, path: Path) -> int:
        """Store one file; returns how many bytes had to be read."""
        facts = path.stat()
        return self.add_opened(name, facts.st_size, facts.st_mtime_ns, partial(path.open, "rb"))

    def add_opened(self, name: str, length: int, mtime_ns: int, opened: Callable[[], Any]) -> int:
        """The same for a file that lies elsewhere, and is opened only if it has to be read."""
        known = self._before.get(name)
        is_same = known is not None and (known.bytes, known.mtime_ns) == (length, mtime_ns)
        if known is not None and is_same and all(self._repository.has(piece.chunk) for piece in known.pieces):
            self._same.append(known)
            return 0
        if length <= SMALL_FILE:
            with opened() as file:
                data = bytes(file.read())
            self._bundled.append((name, len(data), mtime_ns, len(self._bundle), len(data)))
            self._bundle += data
            if len(self._bundle) >= BUNDLE:
                self._close_bundle()
            return len(data)
        pieces: Futures = []
        with opened() as file:
            while block := file.read(LARGE):
                pieces.append((self._repository.keep(block), 0, len(block)))
        size = sum(length for _chunk, _offset, length in pieces)
        self._waiting.append((name, size, mtime_ns, pieces))
        return size

    def finish(self) -> tuple[StoredFile, ...]:
        """Every file, by its path, once all chunks are stored."""
        self._close_bundle()
        done = [
            StoredFile(name, size, mtime, tuple(Piece(chunk.result(), offset, length) for chunk, offset, length in pieces))
            for name, size, mtime, pieces in self._waiting
        ]
        return tuple(sorted([*done, *self._same], key=lambda file: file.path))

    def _close_bundle(self) -> None:
        if self._bundled:
            chunk = self._repository.keep(bytes(self._bundle))
            for name, size, mtime, offset, length in self._bundled:
                self._waiting.append((name, size, mtime, [(chunk, offset, length)] if length else []))
        self._bundle, self._bundled = bytearray(), []


def place_file(target: Path, blocks: Iterator[bytes], *, size: int, mtime_ns: int) -> None:
    """Write a restored file whole or not at all, with the time it had."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.restoring")
    written = 0
    with draft.open("wb") as file:
        for block in blocks:
            written += file.write(block)
    if written != size:
        raise Conflict(f"{target.name}: {written} != {size}")
    os.utime(draft, ns=(mtime_ns, mtime_ns))
    draft.replace(target)
