"""SHA-256 and SM3 (GB/T 32905) under one name; SM3 by hashlib's OpenSSL, by `cryptography` where that has none."""

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes

from shuren.trust.data import DigestAlgorithm


def _sm3_by_hashlib(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def sm3_by_cryptography(data: bytes) -> bytes:
    running = hashes.Hash(hashes.SM3())
    running.update(data)
    return running.finalize()


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


sm3: Callable[[bytes], bytes] = _sm3_by_hashlib if "sm3" in hashlib.algorithms_available else sm3_by_cryptography
_DIGESTS: dict[DigestAlgorithm, Callable[[bytes], bytes]] = {DigestAlgorithm.SHA256: _sha256, DigestAlgorithm.SM3: sm3}


def digest(data: bytes, algorithm: DigestAlgorithm) -> bytes:
    """32 bytes that stand for `data`."""
    return _DIGESTS[algorithm](data)


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC of RFC 2104 over SM3 (GB/T 15852.2)."""
    if sm3 is _sm3_by_hashlib:
        return hmac.digest(key, data, "sm3")
    block = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    return sm3(bytes(byte ^ 0x5C for byte in block) + sm3(bytes(byte ^ 0x36 for byte in block) + data))
