"""Sealing with the secrets of this installation: `seal.key`, `seal.2.key`, … in the folder of keys.

The folder is looked at before each sealing (one `stat`), so that all processes seal with a new secret at once.
"""

import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.conf.keys import read_or_make
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.trust.data import SealAlgorithm
from shuren.trust.rules.sealing import blind_with, derived_key, head_of, seal_with, unseal_with

_LATER = re.compile(r"seal\.([1-9][0-9]*)\.key")


@dataclass(frozen=True, slots=True)
class _Ring:
    changed: int
    secrets: dict[int, bytes]

    @property
    def version(self) -> int:
        return max(self.secrets)


_rings: dict[Path, _Ring] = {}
_index_keys: dict[Path, bytes] = {}


def seal(data: bytes, *, purpose: str) -> bytes:
    """Encrypt for keeping, bound to `purpose` such as `directory.national_id`; some 34 bytes longer than `data`."""
    ring = _ring()
    return seal_with(ring.secrets[ring.version], data, purpose=purpose, version=ring.version, algorithm=_algorithm())


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """Open what `seal` wrote for the same purpose; raises `SealBroken`. The caller audits the reading."""
    return unseal_with(_secret_of, bytes(sealed), purpose=purpose)


def blind_index(text: str, *, purpose: str) -> str:
    """A keyed hash to find a sealed value by: equal texts of one purpose give equal hashes. The caller normalises."""
    return blind_with(_index_key(), text, purpose=purpose)


def present_head() -> bytes:
    """What values begin with that are sealed now; those that begin otherwise wait for re-sealing."""
    return head_of(version=_ring().version, algorithm=_algorithm())


def seal_versions() -> list[int]:
    """Versions whose secret is at hand, oldest first; the last one seals."""
    return sorted(_ring().secrets)


def add_seal_key(*, actor: Actor, now: datetime) -> int:
    """Make the next secret and seal with it from now on; returns its version. Old values open as before."""
    folder = _first().parent
    _index_key()
    version = _ring().version + 1
    read_or_make(folder / f"seal.{version}.key")
    # The clock of a file system may tick slower than two changes follow each other: other processes must see this one.
    moment = time.time_ns()
    os.utime(folder, ns=(moment, moment))
    audit.record(actor=actor, action="trust.seal_key_added", target=f"seal_key:{version}", now=now)
    return version


def _algorithm() -> SealAlgorithm:
    return SealAlgorithm(settings.SHUREN_SEAL_ALGORITHM)


def _first() -> Path:
    return Path(settings.SHUREN_SEAL_KEY_FILE)


def _secret_of(version: int) -> bytes | None:
    found = _ring().secrets.get(version)
    return found if found is not None else _read(_first()).secrets.get(version)


def _ring() -> _Ring:
    path = _first()
    ring = _rings.get(path)
    try:
        if ring is not None and path.parent.stat().st_mtime_ns == ring.changed:
            return ring
    except FileNotFoundError:
        pass
    return _read(path)


def _read(path: Path) -> _Ring:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Looked at before the names are read: a secret that comes meanwhile makes the next look read again.
    changed = path.parent.stat().st_mtime_ns
    found = ((name, _LATER.fullmatch(name.name)) for name in path.parent.iterdir())
    secrets = {int(match[1]): bytes.fromhex(name.read_text().strip()) for name, match in found if match}
    # Without any later secret the first one is made on first use; once all values moved on it may be put away.
    if path.exists() or not secrets:
        secrets[1] = bytes.fromhex(read_or_make(path))
    ring = _Ring(changed=changed, secrets=secrets)
    _rings[path] = ring
    return ring


def _index_key() -> bytes:
    """Kept apart in `index.key`, so that it stays the same when secrets turn over: look-ups would find nothing else."""
    path = _first().with_name("index.key")
    if path not in _index_keys:
        text = read_or_make(path, make=_first_index_key)
        _index_keys[path] = bytes.fromhex(text)
    return _index_keys[path]


def _first_index_key() -> str:
    secret = _ring().secrets.get(1)
    if secret is None:
        raise Conflict(
            _("找不到 index.key，而它所由来的 seal.key 也已移走。"),
            remedy=_("请从备份放回 index.key，否则已存的证件号将查不到。"),
        )
    return derived_key(secret, use="blind_index").hex()
