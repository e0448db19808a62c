"""Sealing, given the keys: pure, so that it can be tried on any key.

A sealed value is `v1:` + 12 random bytes + AES-256-GCM of the data with the purpose as additional data: moved to a
column of another purpose, or changed in one bit, it no longer opens.
"""

import hmac
import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = b"v1:"
_NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed value was changed, belongs to another purpose, or was sealed with another key."""


def derived_key(secret: bytes, *, use: str) -> bytes:
    """A key of its own for every use, so that none tells anything about another."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"shuren.trust.{use}".encode()).derive(secret)


def seal_with(key: bytes, data: bytes, *, purpose: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return PREFIX + nonce + AESGCM(key).encrypt(nonce, data, _bound(purpose))


def unseal_with(key: bytes, sealed: bytes, *, purpose: str) -> bytes:
    body = sealed[len(PREFIX) :]
    if not sealed.startswith(PREFIX) or len(body) <= _NONCE_BYTES:
        raise SealBroken("not a sealed value")
    try:
        return AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(purpose))
    except InvalidTag:
        raise SealBroken("the seal does not open") from None


def blind_with(key: bytes, text: str, *, purpose: str) -> str:
    """64 hex digits that are the same for the same text and purpose and tell nothing without the key."""
    bound = _bound(purpose)
    return hmac.new(key, len(bound).to_bytes(4, "big") + bound + text.encode(), sha256).hexdigest()


def _bound(purpose: str) -> bytes:
    if not purpose:
        raise ValueError("sealing needs a purpose")
    return purpose.encode()
