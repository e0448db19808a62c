"""Sealing with the secrets of this installation: `seal.key`, `seal.2.key`, … in the folder of keys.

They are wrapped by `SHUREN_KEY_PASSPHRASE` where there is one; plain files from before open as they are. The folder is
looked at before each sealing (one `stat`), so that all processes seal with a new secret at once.
"""

import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.conf.keys import read_or_make
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust.data import SealAlgorithm
from shuren.trust.rules.sealing import blind_with, derived_key, head_of, seal_with, unseal_with
from shuren.trust.rules.wrapping import NotUnwrapped, is_wrapped, unwrapped, wrapped

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


def seal(data: bytes, *, purpose: str, owner: str = "") -> bytes:
    """Encrypt for keeping, bound to `purpose` such as `directory.national_id`; some 34 bytes longer than `data`.

    `owner` is an app of others: what is sealed for it has a key of its own.
    """
    ring = _ring()
    secret, algorithm = ring.secrets[ring.version], _algorithm()
    return seal_with(secret, data, purpose=purpose, version=ring.version, algorithm=algorithm, owner=owner)


def unseal(sealed: bytes, *, purpose: str, owner: str = "") -> bytes:
    """Open what `seal` wrote for the same purpose and owner; raises `SealBroken`. The caller audits the reading."""
    return unseal_with(_secret_of, bytes(sealed), purpose=purpose, owner=owner)


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
    read_or_make(folder / f"seal.{version}.key", make=_made)
    # The clock of a file system may tick slower than two changes follow each other: other processes must see this one.
    moment = time.time_ns()
    os.utime(folder, ns=(moment, moment))
    audit.record(actor=actor, action="trust.seal_key_added", target=f"seal_key:{version}", now=now)
    return version


def wrap_seal_keys(*, actor: Actor, now: datetime) -> list[str]:
    """Wrap the secrets that lie in plain files by the passphrase; returns the names of those that did. They stay the same.

    Copies made before stay plain: whoever backs them up makes new ones.
    """
    passphrase = _passphrase()
    if not passphrase:
        raise Invalid(_("没有设置口令。"), remedy=_("请先设置 SHUREN_KEY_PASSPHRASE。"))
    _index_key()
    done = []
    for path in sorted(path for path in _first().parent.iterdir() if _is_secret(path.name)):
        text = path.read_text().strip()
        if not is_wrapped(text):
            _replace(path, wrapped(bytes.fromhex(text), passphrase))
            done.append(path.name)
    if done:
        audit.record(actor=actor, action="trust.seal_keys_wrapped", target="seal_key:all", details={"files": done}, now=now)
    return done


def _is_secret(name: str) -> bool:
    return name in (_first().name, "index.key") or _LATER.fullmatch(name) is not None


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _passphrase() -> bytes:
    return str(settings.SHUREN_KEY_PASSPHRASE).encode()


def _made() -> str:
    return _kept(secrets.token_bytes(32))


def _kept(secret: bytes) -> str:
    """How a secret is written: wrapped where there is a passphrase."""
    return wrapped(secret, _passphrase()) if _passphrase() else secret.hex()


def _opened(text: str, path: Path) -> bytes:
    try:
        return unwrapped(text.strip(), _passphrase())
    except NotUnwrapped:
        raise Invalid(
            _("打不开 %(file)s：口令不对，或文件被改过。") % {"file": path.name}, remedy=_("请检查 SHUREN_KEY_PASSPHRASE。")
        ) from None


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
    known = {int(match[1]): _opened(name.read_text(), name) for name, match in found if match}
    # Without any later secret the first one is made on first use; once all values moved on it may be put away.
    if path.exists() or not known:
        known[1] = _opened(read_or_make(path, make=_made), path)
    ring = _Ring(changed=changed, secrets=known)
    _rings[path] = ring
    return ring


def _index_key() -> bytes:
    """Kept apart in `index.key`, so that it stays the same when secrets turn over: look-ups would find nothing else."""
    path = _first().with_name("index.key")
    if path not in _index_keys:
        _index_keys[path] = _opened(read_or_make(path, make=_first_index_key), path)
    return _index_keys[path]


def _first_index_key() -> str:
    secret = _ring().secrets.get(1)
    if secret is None:
        raise Conflict(
            _("找不到 index.key，而它所由来的 seal.key 也已移走。"),
            remedy=_("请从备份放回 index.key，否则已存的证件号将查不到。"),
        )
    return _kept(derived_key(secret, use="blind_index"))
