"""How a repository keeps its bytes: encrypted, named by their content, and opened by a passphrase or a key file.

A chunk is named by an HMAC of its plain bytes, so that a name tells nothing about what it holds, and encrypted with
AES-256-GCM, its name bound in: a byte that changed, or a chunk under the name of another, does not open.
"""

import hmac
import json
import secrets
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

FORM = 1
_HEAD = struct.Struct(">4sBI")
_MAGIC = b"SHB1"
_NONCE = 12
_RAW, _ZSTD = 0, 1
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
_LONGEST = 2**31
_MOST_SCRYPT = 2**20
LEAST_PASSPHRASE = 12


class Unopened(ValueError):
    """A thing of the repository does not open; the message names it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a repository: a passphrase, or the bytes of a key file."""

    kind: str
    value: bytes


class RepositoryKey:
    """The keys of one repository, derived from one master key."""

    def __init__(self, master: bytes, repository_id: str) -> None:
        self.repository_id = repository_id
        self.master = master
        self._name_key = _derived(master, "name")
        self._cipher = AESGCM(_derived(master, "seal"))
        self._level = pa.Codec("zstd", compression_level=1)

    def name_of(self, data: bytes) -> str:
        return hmac.digest(self._name_key, data, sha256).hex()

    def seal(self, data: bytes, *, name: str) -> bytes:
        """The bytes as they lie in the repository under `name`; compressed where that saves something."""
        packed = self._level.compress(data, asbytes=True) if data else b""
        method, body = (_ZSTD, packed) if len(packed) < len(data) * 0.97 else (_RAW, data)
        head = _HEAD.pack(_MAGIC, method, len(data))
        nonce = secrets.token_bytes(_NONCE)
        return head + nonce + self._cipher.encrypt(nonce, body, head + name.encode())

    def unseal(self, stored: bytes, *, name: str) -> bytes:
        """The plain bytes; raises `Unopened` with the name where anything in them is not as it was written."""
        head, nonce = stored[: _HEAD.size], stored[_HEAD.size : _HEAD.size + _NONCE]
        try:
            magic, method, length = _HEAD.unpack(head)
            if magic != _MAGIC or length > _LONGEST:
                raise Unopened(name)
            body = self._cipher.decrypt(nonce, stored[_HEAD.size + _NONCE :], head + name.encode())
            data = bytes(self._level.decompress(body, length, asbytes=True)) if method == _ZSTD else body
        except (InvalidTag, struct.error, ValueError) as fault:
            raise Unopened(name) from fault
        if len(data) != length:
            raise Unopened(name)
        return data

    def unseal_chunk(self, stored: bytes, *, chunk: str) -> bytes:
        data = self.unseal(stored, name=f"chunk {chunk}")
        if not hmac.compare_digest(self.name_of(data), chunk):
            raise Unopened(f"chunk {chunk}")
        return data

    def seal_chunk(self, data: bytes, *, chunk: str) -> bytes:
        return self.seal(data, name=f"chunk {chunk}")


def new_repository(secret: Secret) -> tuple[RepositoryKey, str]:
    """A fresh key, and the text of `repository.json` in which the secret wraps it."""
    master, repository_id = secrets.token_bytes(32), secrets.token_hex(8)
    head: dict[str, Any] = {"form": FORM, "id": repository_id, "kdf": {"name": secret.kind, "salt": secrets.token_hex(16)}}
    if secret.kind == "passphrase":
        head["kdf"] |= _SCRYPT
    nonce = secrets.token_bytes(_NONCE)
    wrapped = nonce + AESGCM(_stretched(secret, head["kdf"])).encrypt(nonce, master, _canonical(head))
    return RepositoryKey(master, repository_id), json.dumps(head | {"wrapped": wrapped.hex()}, indent=1) + "\n"


def opened_repository(text: str, secret: Secret) -> RepositoryKey:
    """The key of a repository; raises `Unopened` for another secret, or a text that was changed."""
    try:
        head = json.loads(text)
        wrapped = bytes.fromhex(head.pop("wrapped"))
        if head["form"] != FORM or head["kdf"]["name"] != secret.kind:
            raise Unopened("repository.json")
        key = AESGCM(_stretched(secret, head["kdf"]))
        master = key.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _canonical(head))
        return RepositoryKey(master, str(head["id"]))
    except (InvalidTag, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as fault:
        raise Unopened("repository.json") from fault


def _stretched(secret: Secret, kdf: dict[str, Any]) -> bytes:
    salt = bytes.fromhex(kdf["salt"])
    if secret.kind == "passphrase":
        if not 2**14 <= kdf["n"] <= _MOST_SCRYPT or kdf["r"] != _SCRYPT["r"] or kdf["p"] != _SCRYPT["p"]:
            raise ValueError("scrypt was asked for more, or less, than this writes")
        return Scrypt(salt=salt, length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"]).derive(secret.value)
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"shuren-backup/file").derive(secret.value)


def _derived(master: bytes, use: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"shuren-backup/{use}".encode()).derive(master)


def _canonical(head: dict[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
