"""Secrets that an installation makes for itself on first use and keeps in its data folder."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def _made() -> str:
    return secrets.token_hex(32)


def read_or_make(path: Path, make: Callable[[], str] = _made) -> str:
    """Return the secret in `path`, making one (mode 0600; 256 bits unless `make` says otherwise) if there is none.

    Two processes that start together agree: the file is linked into place, and the loser reads the winner's.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
