"""Ids are 64-bit numbers inside and opaque text outside.

A public id is the row id sent through a keyed Feistel permutation (four rounds of BLAKE2b, one key per
installation, the kind as tweak) and written in Crockford's base 32. It needs no column and no index, does not tell
how many rows there are, and an id of one kind means nothing as another kind.
"""

from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

from shuren.kernel.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 13
_ROUNDS = 4
_HALF = 0xFFFFFFFF
_MAX_ROW_ID = 2**63 - 1


def encode(kind: str, pk: int) -> str:
    """Return the 13-letter public id of row `pk` (0 ≤ pk < 2**63) of `kind`, e.g. ``org`` or ``person``."""
    left, right = pk >> 32, pk & _HALF
    for turn in range(_ROUNDS):
        left, right = right, left ^ _mix(kind, turn, right)
    value = left << 32 | right
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))


def decode(kind: str, text: str) -> int:
    """Return the row id behind a public id; raises `NotFound` for any text that `encode` never wrote."""
    if len(text) != _LENGTH or not _VALUES.keys() >= set(text):
        raise NotFound("没有找到这个编号。")
    value = 0
    for letter in text:
        value = value << 5 | _VALUES[letter]
    if value >> 64:
        raise NotFound("没有找到这个编号。")
    left, right = value >> 32, value & _HALF
    for turn in reversed(range(_ROUNDS)):
        left, right = right ^ _mix(kind, turn, left), left
    pk = left << 32 | right
    if pk > _MAX_ROW_ID:
        raise NotFound("没有找到这个编号。")
    return pk


def _mix(kind: str, turn: int, half: int) -> int:
    digest = blake2b(half.to_bytes(4, "big"), digest_size=4, key=_key(), person=f"{kind}:{turn}".encode()[:16])
    return int.from_bytes(digest.digest(), "big")


@lru_cache(maxsize=1)
def _key() -> bytes:
    return bytes.fromhex(settings.SHUREN_IDS_KEY)[:32]
