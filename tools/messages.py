"""Compile every locale's django.po that is newer than its django.mo; report what is untranslated."""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = Path(__file__).resolve().parent.parent / "src" / "shuren"


def compile_all() -> int:
    """Return the number of messages without a translation."""
    missing = 0
    for po in sorted(SOURCE.glob("*/locale/*/LC_MESSAGES/django.po")):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as file:
            catalog = read_po(file, locale=po.parent.parent.name)
        for message in catalog:
            if message.id and not all(message.string if isinstance(message.string, tuple) else [message.string]):
                missing += 1
                sys.stderr.write(f"{po}:{message.lineno}: not translated: {message.id}\n")
        with mo.open("wb") as file:
            write_mo(file, catalog)
    return missing


if __name__ == "__main__":
    sys.exit(1 if compile_all() else 0)
