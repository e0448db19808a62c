"""Reading the log's files."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from shuren.trust.rules.log.tiles import PATH, WIDTH, TileSource, place_of, record_bytes, tile_path, width_of


def log_folder() -> Path:
    return Path(settings.SHUREN_EVIDENCE_DIR)


def folder_source(folder: Path) -> TileSource:
    """Read tiles below `folder`: the full one where it is there, else the one of just that width."""

    def read(level: int, number: int, width: int) -> bytes:
        full = folder / tile_path(level, number)
        try:
            return full.read_bytes()
        except FileNotFoundError:
            if width == WIDTH:
                raise
        return (folder / tile_path(level, number, width)).read_bytes()

    return read


def tile_bytes(path: str) -> bytes | None:
    """One file of the log by its address below the log's; None where there is none, or the address is not one of a tile."""
    if not PATH.fullmatch(path):
        return None
    try:
        return (log_folder() / path).read_bytes()
    except FileNotFoundError:
        return None


def faults_of_files(folder: Path, size: int) -> Iterator[str]:
    """Files of tiles that say more or other than the tree of `size`, whose own tiles were found whole.

    Narrower tiles that wider ones have replaced are still handed out to whoever asks, and so are held to those. A file
    beyond the tree may be one whose head is not signed yet: it is looked at once it is.
    """
    source = folder_source(folder)
    for parent, _folders, names in os.walk(folder):
        for name in sorted(names):
            path = Path(parent) / name
            place = place_of(path.relative_to(folder).as_posix())
            if place is None:
                continue
            level, number, width = place
            held = width_of(level, number, size)
            if width <= held and not _is_same(path, source(level, number, held), width * record_bytes(level)):
                yield f"{path.relative_to(folder).as_posix()} does not hold what the tree says"


def _is_same(path: Path, whole: bytes, length: int) -> bool:
    try:
        return path.stat().st_size == length and path.read_bytes() == whole[:length]
    except OSError:
        return False
