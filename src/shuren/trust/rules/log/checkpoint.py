"""Tree heads as signed notes: C2SP tlog-checkpoint, signed-note and tlog-cosignature.

A checkpoint is text: the log's origin, its size, its root in base64, and lines of extension: `hash SM3` where the tree is
not over SHA-256, `time` with the moment of signing, `keys` with the ids of all keys that sign where there are several;
then an empty line and signatures, one a line: `— <name> <base64 of key id and signature>`. A key is written as
`<name>+<key id in hex>+<base64 of kind and public key>`. Kinds: 1 Ed25519, 4 Ed25519 of a witness with its time, 0xff and
a name for ES256 and SM2, which that standard has no number for.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shuren.trust.data import DigestAlgorithm, KeyAlgorithm
from shuren.trust.rules.log.merkle import HASH_BYTES

_DASH = "— "
_ED25519, _WITNESS, _OTHER = b"\x01", b"\x04", b"\xff"
_KEY_ID_BYTES = 4
_HASH_LINE, _TIME_LINE, _KEYS_LINE = "hash ", "time ", "keys "
_HASHES = {algorithm.value for algorithm in DigestAlgorithm}

Verify = Callable[[bytes, bytes], bool]


class NoteBroken(ValueError):
    """The text is not a checkpoint, or no signature on it is by a key that is trusted."""


class SignedText(Protocol):
    """A text with lines of signatures below it."""

    @property
    def text(self) -> str: ...

    @property
    def signatures(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note of any content: `text` is what was signed, up to and with the newline before the empty line."""

    text: str
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a tree head says; `text` is what was signed, `signatures` the lines below it.

    `at` and `key_ids` stand in it since heads are signed with them; before that they are None and empty.
    """

    origin: str
    size: int
    root: bytes
    hash_algorithm: DigestAlgorithm
    text: str
    signatures: tuple[str, ...] = ()
    at: datetime | None = None
    key_ids: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        return self.text + "\n" + "".join(f"{line}\n" for line in self.signatures)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key that signs notes. `public` is raw for Ed25519, SubjectPublicKeyInfo (DER) for ES256 and SM2."""

    name: str
    algorithm: KeyAlgorithm
    public: bytes
    is_witness: bool = False

    @property
    def kind(self) -> bytes:
        if self.algorithm is KeyAlgorithm.ED25519:
            return _WITNESS if self.is_witness else _ED25519
        return _OTHER + (f"{self.algorithm.value} cosignature\n" if self.is_witness else f"{self.algorithm.value}\n").encode()

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.kind + self.public).decode()}"


def read_key(text: str) -> NoteKey:
    """A key from its text; raises `NoteBroken`."""
    try:
        name, key_id, packed = text.strip().split("+", 2)
        data = base64.b64decode(packed, validate=True)
    except (ValueError, binascii.Error):
        raise NoteBroken(f"not a key: {text[:80]!r}") from None
    key = _key_of(name, data)
    if key is None or not is_key_name(name) or key.key_id.hex() != key_id:
        raise NoteBroken(f"the key's id does not fit it: {text[:80]!r}")
    return key


def _key_of(name: str, data: bytes) -> NoteKey | None:
    if data[:1] in (_ED25519, _WITNESS) and len(data) == 1 + 32:
        return NoteKey(name, KeyAlgorithm.ED25519, data[1:], is_witness=data[:1] == _WITNESS)
    kind, _newline, public = data[1:].partition(b"\n")
    word, _blank, role = kind.decode("ascii", "replace").partition(" ")
    if data[:1] != _OTHER or word not in (KeyAlgorithm.ES256, KeyAlgorithm.SM2) or role not in ("", "cosignature"):
        return None
    return NoteKey(name, KeyAlgorithm(word), public, is_witness=bool(role))


def is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def checkpoint_text(
    *,
    origin: str,
    size: int,
    root: bytes,
    hash_algorithm: DigestAlgorithm,
    at: datetime | None = None,
    key_ids: Sequence[str] = (),
) -> str:
    """What a log signs. Whoever takes one of several signatures away is betrayed by `key_ids`."""
    lines = [origin, str(size), base64.b64encode(root).decode()]
    if hash_algorithm is not DigestAlgorithm.SHA256:
        lines.append(f"{_HASH_LINE}{hash_algorithm.value}")
    if at is not None:
        lines.append(f"{_TIME_LINE}{at.astimezone(UTC).isoformat(timespec='microseconds')}")
    if key_ids:
        lines.append(f"{_KEYS_LINE}{','.join(key_ids)}")
    return "".join(f"{line}\n" for line in lines)


def cosigned_text(text: str, at: int) -> bytes:
    """What a witness signs at `at` (seconds since 1970)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def signature_line(key: NoteKey, signature: bytes, *, at: int | None = None) -> str:
    when = at.to_bytes(8, "big") if at is not None else b""
    return f"{_DASH}{key.name} {base64.b64encode(key.key_id + when + signature).decode()}"


def read_note(note: str) -> Note:
    """Text and signatures of any note; nothing is verified yet. Raises `NoteBroken`."""
    text, gap, below = note.rpartition("\n\n")
    if not gap or not text or any(ord(letter) < 32 and letter != "\n" for letter in note):
        raise NoteBroken("not a signed note")
    signatures = below.removesuffix("\n").split("\n") if below.endswith("\n") else []
    if not signatures or not all(line.startswith(_DASH) for line in signatures):
        raise NoteBroken("there is no signature")
    return Note(text + "\n", tuple(signatures))


def read_checkpoint(note: str) -> Checkpoint:
    """The parts of a head; nothing is verified yet. Raises `NoteBroken`."""
    parts = read_note(note)
    lines = parts.text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not lines[0]:
        raise NoteBroken("not a checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        raise NoteBroken("the root is not base64") from None
    size = lines[1]
    if not size.isascii() or not size.isdigit() or str(int(size)) != size or len(root) != HASH_BYTES:
        raise NoteBroken("size or root are not in form")
    named = [line.removeprefix(_HASH_LINE) for line in lines[3:] if line.startswith(_HASH_LINE)]
    if len(named) > 1 or any(word not in _HASHES for word in named):
        raise NoteBroken("the tree's hash is not known")
    algorithm = DigestAlgorithm(named[0]) if named else DigestAlgorithm.SHA256
    ids = tuple(key_id for line in lines[3:] if line.startswith(_KEYS_LINE) for key_id in line[len(_KEYS_LINE) :].split(","))
    return Checkpoint(lines[0], int(size), root, algorithm, parts.text, parts.signatures, _moment_in(lines[3:]), ids)


def _moment_in(lines: Sequence[str]) -> datetime | None:
    """The time of signing; None where there is none, or the line is another log's and means something else."""
    for line in lines:
        if line.startswith(_TIME_LINE):
            try:
                at = datetime.fromisoformat(line.removeprefix(_TIME_LINE))
            except ValueError:
                return None
            return at if at.tzinfo is not None else None
    return None


def signature_bytes(line: str, key: NoteKey) -> bytes | None:
    """What stands behind this key's name and id in a line; None where the line is another's or not written as it must be."""
    name, _blank, packed = line.removeprefix(_DASH).rpartition(" ")
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return None
    # The last letter of base64 has bits that decode to nothing: two texts of one signature would be two truths.
    is_plain = base64.b64encode(data).decode() == packed
    return data[_KEY_ID_BYTES:] if is_plain and name == key.name and data[:_KEY_ID_BYTES] == key.key_id else None


def signed_by(checkpoint: SignedText, key: NoteKey, *, verify: Verify | None = None) -> datetime | None:
    """When this key signed (the epoch where the kind of signature tells no time); None where it did not.

    `verify(data, signature)` is needed for keys that are not Ed25519.
    """
    check = verify or _ed25519(key)
    for line in checkpoint.signatures:
        rest = signature_bytes(line, key)
        if rest is None:
            continue
        at = int.from_bytes(rest[:8], "big") if key.is_witness else 0
        signed = cosigned_text(checkpoint.text, at) if key.is_witness else checkpoint.text.encode()
        if at < 1 << 40 and check(signed, rest[8:] if key.is_witness else rest):
            return datetime.fromtimestamp(at, UTC)
    return None


def _ed25519(key: NoteKey) -> Verify:
    def verify(data: bytes, signature: bytes) -> bool:
        if key.algorithm is not KeyAlgorithm.ED25519:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify


def with_signatures(checkpoint: Checkpoint, lines: Sequence[str]) -> Checkpoint:
    return replace(checkpoint, signatures=(*checkpoint.signatures, *lines))
