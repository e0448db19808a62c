"""What one leaf of the evidence log says, byte by byte.

Tiles are public, so a leaf tells when something was recorded and for which business, and commits to the rest without
showing it: `0x01` (version) ‖ code of the business (1 byte) ‖ milliseconds since 1970 (8 bytes, big-endian) ‖ commitment
(32 bytes). The commitment is H("shuren/evidence/v1\\n" ‖ salt (16 bytes) ‖ length of the subject (2 bytes) ‖ subject in
UTF-8 ‖ digest (32 bytes)) with the log's hash. Without the salt nobody finds the subject or a short content by trying.
"""

import struct
from datetime import UTC, datetime, timedelta

from shuren.trust.data import Business
from shuren.trust.rules.log.merkle import HASH_BYTES, TreeHash

VERSION = 1
SALT_BYTES = 16
ENTRY_BYTES = 42
SUBJECT_LIMIT = 150
_DOMAIN = b"shuren/evidence/v1\n"
_SHAPE = struct.Struct(">BBQ32s")
_LAST_MILLISECOND = 253_402_300_799_999  # the end of the year 9999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The numbers are part of the format: new businesses get new ones, none is given away twice.
CODES = {
    Business.ENROLMENT: 1,
    Business.EXAM: 2,
    Business.GROWTH: 3,
    Business.SCORE: 4,
    Business.DIPLOMA: 5,
    Business.HONOUR: 6,
    Business.AUDIT: 7,
    Business.EXCHANGE: 8,
}
_BUSINESSES = {code: business for business, code in CODES.items()}


def recorded_moment(at: datetime) -> datetime:
    """The moment as a leaf says it: what lies below a millisecond would stand in the row and be proved by nothing."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def commitment(*, salt: bytes, subject: str, digest: bytes, hasher: TreeHash) -> bytes:
    text = subject.encode()
    if len(salt) != SALT_BYTES or len(digest) != HASH_BYTES:
        raise ValueError("a salt has 16 bytes and a digest 32")
    return hasher.plain(b"".join((_DOMAIN, salt, len(text).to_bytes(2, "big"), text, digest)))


def entry_bytes(*, business: Business, at: datetime, committed: bytes) -> bytes:
    return _SHAPE.pack(VERSION, CODES[business], (at - _EPOCH) // timedelta(milliseconds=1), committed)


def read_entry(data: bytes) -> tuple[Business, datetime, bytes]:
    """Business, moment and commitment; raises `ValueError` for what is not an entry of this version."""
    if len(data) != ENTRY_BYTES or data[0] != VERSION or data[1] not in _BUSINESSES:
        raise ValueError("not an entry of this log")
    _version, code, milliseconds, committed = _SHAPE.unpack(data)
    if milliseconds > _LAST_MILLISECOND:
        raise ValueError("the entry's time is beyond the calendar")
    return _BUSINESSES[code], _EPOCH + timedelta(milliseconds=milliseconds), committed
