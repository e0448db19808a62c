"""Reading the log's files."""

from pathlib import Path

from django.conf import settings

from shuren.trust.rules.log.tiles import PATH, WIDTH, TileSource, tile_path


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
