"""SM2 signatures and encryption (GB/T 32918.2, .4, .5): one interface, two back ends.

`libcrypto` is the system's OpenSSL 3, called through ctypes; `python` is our own arithmetic and works anywhere.
Signatures are raw r ‖ s of 64 bytes everywhere; `encoding` turns them into DER. Encryption is C1 ‖ C3 ‖ C2.
"""

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from shuren.trust.rules.crypto import curve, libcrypto
from shuren.trust.rules.crypto.digests import sm3
from shuren.trust.rules.crypto.encoding import (
    NotAKey,
    NotASignature,
    bytes_of_sm2_point,
    der_of_raw,
    pkcs8_of_sm2,
    raw_of_der,
    sm2_point_of,
    sm2_secret_of_pkcs8,
    spki_of_sm2,
)

# The id that GB/T 32918 and GM/T 0009 use where the parties have agreed on none.
DEFAULT_ID = b"1234567812345678"


@dataclass(frozen=True)
class Sm2Key:
    """A pair of keys; `secret` is the number d of the standard."""

    secret: int = field(repr=False)
    point: curve.Point

    @classmethod
    def made(cls) -> "Sm2Key":
        # d = n - 1 is left out: 1 + d would have no inverse, and nothing could be signed.
        return cls.of(1 + secrets.randbelow(curve.N - 2))

    @classmethod
    def of(cls, secret: int) -> "Sm2Key":
        point = curve.times_generator(secret) if 1 <= secret <= curve.N - 2 else None
        if point is None:
            raise NotAKey("the secret number is out of range")
        return cls(secret, point)

    @classmethod
    def of_pkcs8(cls, der: bytes) -> "Sm2Key":
        return cls.of(sm2_secret_of_pkcs8(der))

    @cached_property
    def pkcs8(self) -> bytes:
        return pkcs8_of_sm2(self.secret, self.point)


class Sm2Backend(Protocol):
    """What signs and checks; both take the same keys and give the same kind of bytes."""

    name: str

    def sign(self, data: bytes, *, key: Sm2Key, id: bytes = DEFAULT_ID) -> bytes: ...

    def verify(self, data: bytes, signature: bytes, *, point: curve.Point, id: bytes = DEFAULT_ID) -> bool: ...


class PythonBackend:
    """Our own arithmetic."""

    name = "python"

    def sign(self, data: bytes, *, key: Sm2Key, id: bytes = DEFAULT_ID) -> bytes:
        number = message_number(data, point=key.point, id=id)
        while True:
            signed = sign_number(number, secret=key.secret, nonce=1 + secrets.randbelow(curve.N - 1))
            if signed:
                return signed

    def verify(self, data: bytes, signature: bytes, *, point: curve.Point, id: bytes = DEFAULT_ID) -> bool:
        if len(signature) != 2 * curve.BYTES or not curve.is_on_curve(point):
            return False
        r, s = int.from_bytes(signature[: curve.BYTES], "big"), int.from_bytes(signature[curve.BYTES :], "big")
        total = (r + s) % curve.N
        if not (0 < r < curve.N and 0 < s < curve.N and total):
            return False
        found = curve.sum_of_products(s, total, point)
        return found is not None and (message_number(data, point=point, id=id) + found[0]) % curve.N == r


class LibcryptoBackend:
    """OpenSSL 3 of the system."""

    name = "libcrypto"

    def sign(self, data: bytes, *, key: Sm2Key, id: bytes = DEFAULT_ID) -> bytes:
        return raw_of_der(libcrypto.sign_sm2(data, pkcs8=key.pkcs8, id=id))

    def verify(self, data: bytes, signature: bytes, *, point: curve.Point, id: bytes = DEFAULT_ID) -> bool:
        if len(signature) != 2 * curve.BYTES or not curve.is_on_curve(point):
            return False
        return libcrypto.verify_sm2(data, der_of_raw(signature), spki=spki_of_sm2(point), id=id)


PYTHON = PythonBackend()
BACKENDS: list[Sm2Backend] = [LibcryptoBackend(), PYTHON] if libcrypto.has_sm2() else [PYTHON]


def sign(data: bytes, *, key: Sm2Key, id: bytes = DEFAULT_ID) -> bytes:
    """r ‖ s, 64 bytes, by the best back end of this machine."""
    return BACKENDS[0].sign(data, key=key, id=id)


def verify(data: bytes, signature: bytes, *, point: curve.Point, id: bytes = DEFAULT_ID) -> bool:
    """Whether r ‖ s was made over `data` by the owner of `point`; malformed signatures are simply wrong."""
    return BACKENDS[0].verify(data, signature, point=point, id=id)


def verify_der(data: bytes, signature: bytes, *, point: curve.Point, id: bytes = DEFAULT_ID) -> bool:
    try:
        return verify(data, raw_of_der(signature), point=point, id=id)
    except NotASignature:
        return False


def identity_digest(point: curve.Point, *, id: bytes = DEFAULT_ID) -> bytes:
    """Z of GB/T 32918.2 §5.5: SM3 of the signer's id, the curve and the public key."""
    if len(id) >= 8192:
        raise ValueError("an id has at most 8191 bytes")
    numbers = (curve.A, curve.B, *curve.GENERATOR, *point)
    return sm3((8 * len(id)).to_bytes(2, "big") + id + b"".join(number.to_bytes(curve.BYTES, "big") for number in numbers))


def message_number(data: bytes, *, point: curve.Point, id: bytes = DEFAULT_ID) -> int:
    """e of the standard: SM3(Z ‖ data) as a number."""
    return int.from_bytes(sm3(identity_digest(point, id=id) + data), "big")


def sign_number(number: int, *, secret: int, nonce: int) -> bytes | None:
    """GB/T 32918.2 §6.1, steps A4 to A6; None when this nonce will not do and another must be drawn."""
    multiple = curve.times_generator(nonce)
    r = (number + multiple[0]) % curve.N if multiple else 0
    if r == 0 or r + nonce == curve.N:
        return None
    s = pow(1 + secret, -1, curve.N) * (nonce - r * secret) % curve.N
    return r.to_bytes(curve.BYTES, "big") + s.to_bytes(curve.BYTES, "big") if s else None


def encrypt(data: bytes, *, point: curve.Point, nonce: int | None = None) -> bytes:
    """C1 ‖ C3 ‖ C2 of GB/T 32918.4 for the owner of `point`; `nonce` is given by the standard's example only."""
    if not curve.is_on_curve(point) or not data:
        raise NotAKey("nothing to encrypt, or to nobody")
    while True:
        drawn = nonce or 1 + secrets.randbelow(curve.N - 1)
        first, shared = curve.times_generator(drawn), curve.times(drawn, point)
        if first and shared:
            masked = _masked(data, shared)
            if any(stream != text for stream, text in zip(masked, data, strict=True)) or nonce:
                return bytes_of_sm2_point(first) + _check(data, shared) + masked


def decrypt(sealed: bytes, *, key: Sm2Key) -> bytes:
    """What `encrypt` hid; anything changed raises `NotASignature`."""
    head = 1 + 2 * curve.BYTES
    if len(sealed) <= head + curve.BYTES:
        raise NotASignature("too short")
    try:
        shared = curve.times(key.secret, sm2_point_of(sealed[:head]))
    except NotAKey:
        raise NotASignature("the first part is not a point of the curve") from None
    if shared is None:
        raise NotASignature("the point has no inverse")
    data = _masked(sealed[head + curve.BYTES :], shared)
    if not secrets.compare_digest(_check(data, shared), sealed[head : head + curve.BYTES]):
        raise NotASignature("the check value differs")
    return data


def _masked(data: bytes, shared: curve.Point) -> bytes:
    seed = b"".join(number.to_bytes(curve.BYTES, "big") for number in shared)
    blocks = (len(data) + 31) // 32
    stream = b"".join(sm3(seed + count.to_bytes(4, "big")) for count in range(1, blocks + 1))
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))


def _check(data: bytes, shared: curve.Point) -> bytes:
    return sm3(shared[0].to_bytes(curve.BYTES, "big") + data + shared[1].to_bytes(curve.BYTES, "big"))
