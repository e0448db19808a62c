"""Where the files of statements lie: once by their SHA-2."""

from pathlib import Path

from django.conf import settings


def file_path(digest: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "records" / digest[:2] / digest


def file_content(digest: str) -> bytes | None:
    """The content of a file, None where it lies elsewhere (`fileUrl`)."""
    try:
        return file_path(digest).read_bytes()
    except FileNotFoundError:
        return None
