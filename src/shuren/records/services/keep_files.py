"""Files that come along with statements: whole or not at all, once by their SHA-2."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from shuren.kernel.files import sync_folder
from shuren.records.selectors.files import file_path


def keep_files(files: Mapping[str, bytes]) -> None:
    """On the disk before the statements that name them; of a request that fails afterwards they stay, and harm nobody."""
    for digest, content in files.items():
        path = file_path(digest)
        if not path.exists():
            _keep(path, content)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
