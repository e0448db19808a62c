"""Files that outlast a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """A renamed file survives a power cut only once its folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
