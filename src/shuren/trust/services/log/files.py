"""Files of the log that are safe on disk once this says so."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shuren.kernel.files import sync_folder
from shuren.trust.rules.log.tiles import TileFile

_THREADS = 8


def write_tiles(folder: Path, files: Sequence[TileFile]) -> None:
    """Write all files, each whole or not at all, and return when they would survive a power cut.

    A tile that is there already is left alone: it was made of the same places and holds the same bytes. Fault tests
    count on the order: data, its sync, its name, the sync of its folder.
    """
    missing = [file for file in files if not (folder / file.path).exists()]
    # Also the folders of files that are there: whoever wrote those may have been killed before this.
    parents = sorted({(folder / file.path).parent for file in files})
    made = [parent for parent in parents if not parent.exists()]
    for parent in parents:
        parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda file: _write(folder / file.path, file.data), missing))
        synced = {ancestor for parent in made for ancestor in parent.parents if ancestor.is_relative_to(folder)}
        list(pool.map(sync_folder, [*parents, *sorted(synced)]))


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
