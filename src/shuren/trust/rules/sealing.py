"""Sealing, given the secrets: pure, so that it can be tried on any of them.

A sealed value is `v2:<version of the secret>:` + one letter for the algorithm + 12 random bytes + the ciphertext with
its tag, bound to all that stands before it and to the purpose: moved to a column of another purpose, or changed in one
bit, it no longer opens. Values of the first form (`v1:`, version 1, AES-256-GCM) open for ever. What is sealed for an app
of others begins with `v3:` and has a key derived for that app alone; what was sealed for it before opens as it was.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shuren.trust.data import SealAlgorithm
from shuren.trust.rules.crypto import sm4

_FIRST, _OWNED = b"v1:", b"v3:"
_HEAD = re.compile(rb"v([23]):([1-9][0-9]{0,8}):([AS])")
_LETTERS = {SealAlgorithm.AES_256_GCM: b"A", SealAlgorithm.SM4_GCM: b"S"}
_ALGORITHMS = {letter: algorithm for algorithm, letter in _LETTERS.items()}
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SealBroken(Exception):
    """The sealed value was changed, belongs to another purpose, or was sealed with another key."""


@lru_cache(maxsize=256)
def derived_key(secret: bytes, *, use: str, length: int = 32) -> bytes:
    """A key of its own for every use, so that none tells anything about another."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"shuren.trust.{use}".encode()).derive(secret)


def head_of(*, version: int, algorithm: SealAlgorithm, owner: str = "") -> bytes:
    """What values begin with that were sealed so."""
    return (b"v3:%d:" if owner else b"v2:%d:") % version + _LETTERS[algorithm]


def seal_with(secret: bytes, data: bytes, *, purpose: str, version: int, algorithm: SealAlgorithm, owner: str = "") -> bytes:
    """`owner` names the app that it is sealed for; empty for this installation itself."""
    head, nonce = head_of(version=version, algorithm=algorithm, owner=owner), secrets.token_bytes(_NONCE_BYTES)
    secret = _secret_for(secret, owner)
    bound = head + _bound(purpose)
    if algorithm is SealAlgorithm.SM4_GCM:
        return head + nonce + sm4.encrypt_gcm(_sm4_key(secret), nonce, data, bound)
    return head + nonce + AESGCM(_aes_key(secret)).encrypt(nonce, data, bound)


def unseal_with(secret_of: Callable[[int], bytes | None], sealed: bytes, *, purpose: str, owner: str = "") -> bytes:
    """Open a value with the secret of its version; raises `SealBroken`, also where there is no such version."""
    version, algorithm, head = _read_head(sealed)
    secret = secret_of(version)
    if secret is None:
        raise SealBroken(f"there is no secret of version {version}")
    if head.startswith(_OWNED):
        if not owner:
            raise SealBroken("the value was sealed for an app")
        secret = _secret_for(secret, owner)
    body = sealed[len(head) :]
    if len(body) < _NONCE_BYTES + _TAG_BYTES:
        raise SealBroken("not a sealed value")
    nonce, body = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
    bound = _bound(purpose) if head == _FIRST else head + _bound(purpose)
    try:
        if algorithm is SealAlgorithm.SM4_GCM:
            return sm4.decrypt_gcm(_sm4_key(secret), nonce, body, bound)
        return AESGCM(_aes_key(secret)).decrypt(nonce, body, bound)
    except (InvalidTag, sm4.NotGenuine):
        raise SealBroken("the seal does not open") from None


def version_of(sealed: bytes) -> int:
    """The version of the secret that a value was sealed with; raises `SealBroken`."""
    return _read_head(sealed)[0]


def blind_with(key: bytes, text: str, *, purpose: str) -> str:
    """64 hex digits that are the same for the same text and purpose and tell nothing without the key."""
    bound = _bound(purpose)
    return hmac.new(key, len(bound).to_bytes(4, "big") + bound + text.encode(), sha256).hexdigest()


def _read_head(sealed: bytes) -> tuple[int, SealAlgorithm, bytes]:
    if sealed.startswith(_FIRST):
        return 1, SealAlgorithm.AES_256_GCM, _FIRST
    found = _HEAD.match(sealed)
    if found is None:
        raise SealBroken("not a sealed value")
    return int(found[2]), _ALGORITHMS[found[3]], found[0]


def _secret_for(secret: bytes, owner: str) -> bytes:
    return derived_key(secret, use=f"seal.app/{owner}") if owner else secret


def _aes_key(secret: bytes) -> bytes:
    return derived_key(secret, use="seal")


def _sm4_key(secret: bytes) -> bytes:
    return derived_key(secret, use="seal.sm4", length=sm4.KEY_BYTES)


def _bound(purpose: str) -> bytes:
    if not purpose:
        raise ValueError("sealing needs a purpose")
    return purpose.encode()
