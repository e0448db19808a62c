"""Bitstring Status List v1.0: one bit per certificate, 131,072 of them, so that a reader of a list learns of nobody."""

import base64
import gzip
from collections.abc import Iterable

SIZE = 131_072
_MULTIPLIER = 74_565


def scattered(place: int, *, number: int) -> int:
    """The bit of the `place`th certificate of a list: every place has its own, and neighbours lie far apart."""
    return (place * _MULTIPLIER + number * 7_919) % SIZE


def encoded(revoked: Iterable[int]) -> str:
    """`encodedList`: the bits, gzipped, as multibase base64url (letter u)."""
    bits = bytearray(SIZE // 8)
    for index in revoked:
        bits[index >> 3] |= 0x80 >> (index & 7)
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(bits), 9, mtime=0)).rstrip(b"=").decode()


def is_set(encoded_list: str, index: int) -> bool:
    data = encoded_list.removeprefix("u")
    bits = gzip.decompress(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    return bool(bits[index >> 3] & (0x80 >> (index & 7)))
