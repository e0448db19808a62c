"""The keys folder in a backup: only when asked, under a passphrase of its own."""

import base64
import json
import os
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.backups.rules.sealing import LEAST_PASSPHRASE
from shuren.kernel.errors import Invalid
from shuren.trust import api as trust


def wrapped_keys(passphrase: str) -> str:
    """Every file of `keys/` as text that says nothing without the passphrase."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise Invalid(_("密钥口令太短。"), remedy=_("请至少用 12 个字符。"))
    files = {path.name: base64.b64encode(path.read_bytes()).decode() for path in sorted(_folder().iterdir()) if path.is_file()}
    return trust.wrap_secret(json.dumps(files).encode(), passphrase.encode())


def place_keys(wrapped: str, passphrase: str) -> list[str]:
    """Write the keys of a backup into `keys/`, over those that this installation made for itself."""
    try:
        files = json.loads(trust.unwrap_secret(wrapped, passphrase.encode()))
    except ValueError:
        raise Invalid(_("密钥口令不对，密钥没有恢复。")) from None
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in files.items():
        draft = folder / f"{Path(name).name}.restoring"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64decode(text))
        draft.replace(folder / Path(name).name)
    return sorted(files)


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "keys"
