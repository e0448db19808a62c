"""multipart/mixed as statements with attachments travel in it (1.0.3 Communication 1.5.2, RFC 2046 § 5.1)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shuren.records.rules.faults import MalformedStatement

HASH_HEADER = "x-experience-api-hash"
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,70})\"|([^\s;\"]{1,70}))", re.IGNORECASE)
_DIGESTS = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_MOST_PARTS = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """One part: header names in lower case, content byte by byte."""

    headers: dict[str, str]
    content: bytes


def is_mixed(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "multipart/mixed"


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of a body; raises `MalformedStatement` where it is not what its Content-Type says."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise MalformedStatement("names no boundary", "Content-Type")
    mark = b"--" + (found[1] or found[2]).encode("utf-8", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise MalformedStatement("does not end at its boundary", "body")
    if len(pieces) > _MOST_PARTS:
        raise MalformedStatement(f"has more than {_MOST_PARTS} parts", "body")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    padding, line, rest = piece.partition(b"\r\n")
    if padding.strip(b" \t") or not line:
        raise MalformedStatement("has a boundary within a line", "body")
    if rest.startswith(b"\r\n"):
        return Part({}, rest[2:])
    head, gap, content = rest.partition(b"\r\n\r\n")
    if not gap:
        raise MalformedStatement("has a part without an empty line after its headers", "body")
    headers = {}
    for text in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = text.partition(":")
        if not colon:
            raise MalformedStatement("has a header without a colon", "body")
        headers[name.strip().lower()] = value.strip()
    return Part(headers, content)


def split_statements(body: bytes, content_type: str) -> tuple[bytes, dict[str, bytes]]:
    """The JSON of the first part, and the content of all others by their SHA-2, which is counted again."""
    parts = parts_of(body, content_type)
    first = parts[0]
    if first.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise MalformedStatement("is not application/json", "first part")
    files = {}
    for number, part in enumerate(parts[1:], start=2):
        where = f"part {number}"
        digest = part.headers.get(HASH_HEADER, "").lower()
        if not digest:
            raise MalformedStatement("has no X-Experience-API-Hash", where)
        if part.headers.get("content-transfer-encoding", "").lower() != "binary":
            raise MalformedStatement("has no Content-Transfer-Encoding: binary", where)
        if not is_digest_of(digest, part.content):
            raise MalformedStatement("does not match its X-Experience-API-Hash", where)
        files[digest] = part.content
    return first.content, files


def is_digest_of(digest: str, content: bytes) -> bool:
    """Whether this is the SHA-2 of the content; which of the family, its length tells."""
    name = _DIGESTS.get(len(digest))
    return name is not None and hashlib.new(name, content).hexdigest() == digest


def check_attached(attachments: Iterable[dict[str, Any]], files: dict[str, bytes]) -> None:
    """Every attachment without an address comes along, with its length, and nothing else does."""
    named = set()
    for attachment in attachments:
        digest = attachment["sha2"].lower()
        named.add(digest)
        if digest not in files:
            if "fileUrl" not in attachment:
                raise MalformedStatement(f"neither comes along nor has a fileUrl: {digest}", "attachments")
        elif attachment["length"] != len(files[digest]):
            raise MalformedStatement(f"has another length than it says: {digest}", "attachments")
    if files.keys() - named:
        raise MalformedStatement(f"belongs to no statement: {min(files.keys() - named)}", "part")


def mixed(boundary: str, statements: bytes, files: Iterable[tuple[str, str, bytes]]) -> bytes:
    """A body with the statements first, then each file as (SHA-2, content type, content)."""
    lines = [f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode(), statements, b"\r\n"]
    for digest, content_type, content in files:
        head = (
            f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n"
            f"X-Experience-API-Hash: {digest}\r\n\r\n"
        )
        lines += [head.encode(), content, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()])
