"""SM4 (GB/T 32907) in the modes GCM (RFC 8998) and CBC: one interface, two back ends.

`cryptography` brings its own OpenSSL; where that was built without SM4, our own arithmetic does the same, slowly.
"""

import secrets
from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from shuren.trust.rules.crypto import sm4_blocks

KEY_BYTES = 16
TAG_BYTES = 16
NONCE_BYTES = 12


class NotGenuine(Exception):
    """The ciphertext, its nonce or what it is bound to was changed, or the key is another."""


class Sm4Backend(Protocol):
    """Authenticated encryption; both back ends give the same bytes."""

    name: str

    def encrypt_gcm(self, key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes: ...

    def decrypt_gcm(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes: ...


class CryptographyBackend:
    """OpenSSL as `cryptography` ships it."""

    name = "cryptography"

    def encrypt_gcm(self, key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt_gcm(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        if len(tag) != TAG_BYTES:
            raise NotGenuine("too short")
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(bound)
        try:
            return decryptor.update(body) + decryptor.finalize()
        except InvalidTag:
            raise NotGenuine("the tag differs") from None


class PythonBackend:
    """Our own arithmetic, about a thousand times slower."""

    name = "python"

    def encrypt_gcm(self, key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
        body = sm4_blocks.counter_mode(key, nonce, data)
        return body + sm4_blocks.gcm_tag(key, nonce, body, bound)

    def decrypt_gcm(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        if len(tag) != TAG_BYTES or not secrets.compare_digest(tag, sm4_blocks.gcm_tag(key, nonce, body, bound)):
            raise NotGenuine("the tag differs")
        return sm4_blocks.counter_mode(key, nonce, body)


def _has_sm4() -> bool:
    try:
        Cipher(algorithms.SM4(bytes(KEY_BYTES)), modes.GCM(bytes(NONCE_BYTES))).encryptor()
    except UnsupportedAlgorithm:
        return False
    return True


PYTHON = PythonBackend()
BACKENDS: list[Sm4Backend] = [CryptographyBackend(), PYTHON] if _has_sm4() else [PYTHON]


def encrypt_gcm(key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
    """Ciphertext ‖ 16 bytes of tag; a nonce of 12 bytes is used once per key."""
    return BACKENDS[0].encrypt_gcm(key, nonce, data, bound)


def decrypt_gcm(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    """What `encrypt_gcm` hid; raises `NotGenuine`."""
    return BACKENDS[0].decrypt_gcm(key, nonce, sealed, bound)


def encrypt_cbc(key: bytes, start: bytes, data: bytes) -> bytes:
    """CBC with PKCS#7 padding, for files that others want so. It proves nothing about who wrote them: prefer GCM."""
    padder = PKCS7(128).padder()
    return sm4_blocks.chained(key, start, padder.update(data) + padder.finalize())


def decrypt_cbc(key: bytes, start: bytes, body: bytes) -> bytes:
    """What `encrypt_cbc` hid; raises `NotGenuine` where the padding does not fit."""
    if not body or len(body) % 16:
        raise NotGenuine("not a whole number of blocks")
    unpadder = PKCS7(128).unpadder()
    try:
        return unpadder.update(sm4_blocks.unchained(key, start, body)) + unpadder.finalize()
    except ValueError:
        raise NotGenuine("the padding does not fit") from None
