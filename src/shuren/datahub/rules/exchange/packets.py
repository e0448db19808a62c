"""A packet as a file: what it holds sealed in front, and the signed manifest behind it, so that it is written in one pass.

`MAGIC`, then frames of at most 1 MiB sealed with AES-256-GCM under a key of this packet alone, then the manifest (a letter),
its length in 8 bytes, and `MAGIC` again. Frames are numbered in their nonce and the last one says so: frames that were
cut off, repeated or moved do not open. The packet's key is sealed for the receiver in the manifest (JWE, ECDH-ES+A256KW).
"""

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils.translation import gettext as _
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shuren.datahub.rules.exchange.letters import LONGEST, point_of
from shuren.kernel.errors import Invalid

MAGIC = b"SHUREN-PACKET-1\n"
FORM = "shuren-packet/1"
FRAME = 1024 * 1024
_TAG = 16
_LENGTH = struct.Struct(">Q")
_SIZE = struct.Struct(">I")
_ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


class PacketBroken(Invalid):
    """Not a whole packet, or not what its manifest says."""


class SealedBody:
    """What is written here goes sealed into `target`, which stands at the packet's beginning."""

    def __init__(self, target: BinaryIO, key: bytes, context: str) -> None:
        self._target, self._aead, self._context = target, AESGCM(key), context
        self._frame, self._waiting = 0, bytearray()
        self._digest = sha256()
        self.bytes = 0
        target.write(MAGIC)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > FRAME:
            self._seal(bytes(self._waiting[:FRAME]), is_last=False)
            del self._waiting[:FRAME]

    def close(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._aead.encrypt(_nonce(self._frame), plain, _bound(self._context, is_last))
        self._frame += 1
        for part in (_SIZE.pack(len(sealed)), sealed):
            self._target.write(part)
            self._digest.update(part)
            self.bytes += len(part)


def write_manifest(target: BinaryIO, manifest: str) -> None:
    """Close a packet with its manifest."""
    text = manifest.encode()
    target.write(text + _LENGTH.pack(len(text)) + MAGIC)


@dataclass(frozen=True, slots=True)
class PacketFile:
    """Where what lies in a packet file: `begin` to `end` is the sealed body."""

    manifest: str
    begin: int
    end: int


def packet_in(file: BinaryIO) -> PacketFile:
    """Find the manifest of a packet; raises `PacketBroken` for anything that is not whole."""
    size = file.seek(0, 2)
    tail = _LENGTH.size + len(MAGIC)
    if size < len(MAGIC) + tail:
        raise _cut()
    file.seek(0)
    head = file.read(len(MAGIC))
    file.seek(size - tail)
    length, end = _LENGTH.unpack(file.read(_LENGTH.size))[0], file.read(len(MAGIC))
    begin = size - tail - length
    if head != MAGIC or end != MAGIC or length > LONGEST or begin < len(MAGIC):
        raise _cut()
    file.seek(begin)
    try:
        return PacketFile(file.read(length).decode("ascii"), len(MAGIC), begin)
    except UnicodeDecodeError as fault:
        raise _cut() from fault


def check_body(file: BinaryIO, found: PacketFile, told: Mapping[str, Any]) -> None:
    """Hold the sealed body to the manifest before anything of it is opened."""
    file.seek(found.begin)
    digest, left = sha256(), found.end - found.begin
    if left != told.get("bytes"):
        raise _cut()
    while left:
        data = file.read(min(FRAME, left))
        if not data:
            raise _cut()
        digest.update(data)
        left -= len(data)
    if digest.hexdigest() != told.get("sha256"):
        raise PacketBroken(_("包的内容与清单不符，传输中可能损坏或被改动。"), remedy=_("请让对方重发这个包。"))


def frames(file: BinaryIO, found: PacketFile, *, key: bytes, context: str) -> Iterator[bytes]:
    """What was sealed, frame by frame; raises `PacketBroken` where a frame is not the one that belongs there."""
    aead, place, number = AESGCM(key), found.begin, 0
    while place < found.end:
        file.seek(place)
        size = _SIZE.unpack(file.read(_SIZE.size))[0]
        if size > FRAME + _TAG or place + _SIZE.size + size > found.end:
            raise _cut()
        sealed = file.read(size)
        place += _SIZE.size + size
        try:
            yield aead.decrypt(_nonce(number), sealed, _bound(context, place == found.end))
        except InvalidTag as fault:
            raise PacketBroken(_("包里的内容打不开。"), remedy=_("请让对方重发这个包。")) from fault
        number += 1


def seal_key(key: bytes, receiver: Mapping[str, Any]) -> str:
    """The packet's key, for the receiver's eyes."""
    head = {"alg": _ALGORITHMS[0], "enc": _ALGORITHMS[1], "kid": receiver["kid"]}
    return jwe.encrypt_compact(head, key, ECKey.import_key(point_of(receiver)), algorithms=_ALGORITHMS)


def sealed_for(text: str) -> str:
    """The id of the key that opens it."""
    try:
        head = text.partition(".")[0]
        return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])
    except (ValueError, KeyError, TypeError) as fault:
        raise _not_ours() from fault


def opened_key(text: str, private: Mapping[str, Any]) -> bytes:
    point = {name: private[name] for name in ("kty", "crv", "x", "y", "d")}
    try:
        key = jwe.decrypt_compact(text.encode(), ECKey.import_key(point), algorithms=_ALGORITHMS).plaintext
    except (JoseError, ValueError) as fault:
        raise _not_ours() from fault
    if key is None or len(key) != 32:
        raise _not_ours()
    return key


def _nonce(frame: int) -> bytes:
    return frame.to_bytes(12, "big")


def _bound(context: str, is_last: bool) -> bytes:
    return f"{FORM}:{context}:{'last' if is_last else 'more'}".encode()


def _cut() -> PacketBroken:
    return PacketBroken(_("这不是一个完整的交换包。"), remedy=_("请让对方重发这个包。"))


def _not_ours() -> PacketBroken:
    return PacketBroken(
        _("这个包不是封给本节点的。"), remedy=_("请核对节点与密钥；本节点换过密钥的，请让对方取得新的名片后重发。")
    )
