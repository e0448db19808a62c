"""Sealing with the keys of this installation."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from shuren.conf.keys import read_or_make
from shuren.trust.rules import blind_with, derived_key, seal_with, unseal_with


def seal(data: bytes, *, purpose: str) -> bytes:
    """Encrypt for keeping, bound to `purpose` such as `directory.national_id`; 31 bytes longer than `data`."""
    return seal_with(_key("seal"), data, purpose=purpose)


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """Open what `seal` wrote for the same purpose; raises `SealBroken`. The caller audits the reading."""
    return unseal_with(_key("seal"), bytes(sealed), purpose=purpose)


def blind_index(text: str, *, purpose: str) -> str:
    """A keyed hash to find a sealed value by: equal texts of one purpose give equal hashes. The caller normalises."""
    return blind_with(_key("blind_index"), text, purpose=purpose)


@lru_cache(maxsize=8)
def _key(use: str) -> bytes:
    secret = read_or_make(Path(settings.SHUREN_SEAL_KEY_FILE))
    return derived_key(bytes.fromhex(secret), use=use)
