"""Files of the archive: compressed and encrypted block by block, so that a file of any size passes through little memory.

A file is `SHUREN-ARCHIVE-1` and then blocks, each its length (4 bytes) and AES-256-GCM over the compressed block. The nonce is
the block's number and the bound data say whether it is the last: what is cut off, exchanged or changed does not open. Each
file has a key of its own, which is kept sealed elsewhere.
"""

import struct
from collections.abc import Iterator
from typing import Any, Protocol

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEAD = b"SHUREN-ARCHIVE-1"
BLOCK = 4 * 1024 * 1024
_LENGTH = struct.Struct(">II")


class Reads(Protocol):
    def read(self, size: int, /) -> bytes: ...


class ArchiveBroken(Exception):
    """A sealed file was changed, cut off, or belongs to another key."""


def sealed_blocks(source: Reads, *, key: bytes) -> Iterator[bytes]:
    """The bytes of the sealed file, piece by piece."""
    cipher, codec, number = AESGCM(key), pa.Codec("zstd", compression_level=9), 0
    yield HEAD
    block = bytes(source.read(BLOCK))
    while True:
        following = bytes(source.read(BLOCK)) if block else b""
        packed: Any = codec.compress(block, asbytes=True)
        body = cipher.encrypt(_nonce(number), packed, _bound(is_last=not following))
        yield _LENGTH.pack(len(body), len(block)) + body
        if not following:
            return
        block, number = following, number + 1


def opened_blocks(source: Reads, *, key: bytes) -> Iterator[bytes]:
    """What was sealed, block by block; raises `ArchiveBroken` before a byte that is not as it was."""
    cipher, codec, number = AESGCM(key), pa.Codec("zstd"), 0
    if bytes(source.read(len(HEAD))) != HEAD:
        raise ArchiveBroken("no archive file")
    head = bytes(source.read(_LENGTH.size))
    while head:
        if len(head) != _LENGTH.size:
            raise ArchiveBroken("cut off")
        stored, plain = _LENGTH.unpack(head)
        body = bytes(source.read(stored))
        head = bytes(source.read(_LENGTH.size))
        try:
            packed = cipher.decrypt(_nonce(number), body, _bound(is_last=not head))
        except InvalidTag as error:
            raise ArchiveBroken("changed, cut off, or of another key") from error
        yield bytes(codec.decompress(packed, decompressed_size=plain, asbytes=True)) if plain else b""
        number += 1
    if not number:
        raise ArchiveBroken("cut off")


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(*, is_last: bool) -> bytes:
    return HEAD + (b"\x01" if is_last else b"\x00")
