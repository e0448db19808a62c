"""Secrets in files under a passphrase: AES-256-GCM by a key that PBKDF2 stretches as long as key files do it."""

import re
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

_ROUNDS = 600_000
_FORM = "shuren-wrapped/v1"
_WRAPPED = re.compile(rf"{_FORM}:([0-9]{{6,8}}):([0-9a-f]{{32}}):([0-9a-f]{{24}}):([0-9a-f]{{32,}})")


class NotUnwrapped(ValueError):
    """The passphrase is missing or another one, or the file was changed."""


def is_wrapped(text: str) -> bool:
    return text.startswith(_FORM)


def wrapped(secret: bytes, passphrase: bytes) -> str:
    """The secret as text of a file that says nothing without the passphrase."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    head = f"{_FORM}:{_ROUNDS}:{salt.hex()}:{nonce.hex()}"
    body = AESGCM(_stretched(passphrase, salt, _ROUNDS)).encrypt(nonce, secret, head.encode())
    return f"{head}:{body.hex()}"


@lru_cache(maxsize=64)
def unwrapped(text: str, passphrase: bytes) -> bytes:
    """The secret in a file's text; one that is not wrapped is plain hexadecimal. Raises `NotUnwrapped`."""
    if not is_wrapped(text):
        return bytes.fromhex(text)
    found = _WRAPPED.fullmatch(text)
    if found is None or not passphrase:
        raise NotUnwrapped("the file is wrapped in a form that is not known, or there is no passphrase")
    rounds, salt, nonce, body = int(found[1]), bytes.fromhex(found[2]), bytes.fromhex(found[3]), bytes.fromhex(found[4])
    try:
        return AESGCM(_stretched(passphrase, salt, rounds)).decrypt(nonce, body, text.rpartition(":")[0].encode())
    except InvalidTag:
        raise NotUnwrapped("the passphrase does not open the file") from None


def _stretched(passphrase: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(algorithm=SHA256(), length=32, salt=salt, iterations=rounds).derive(passphrase)
