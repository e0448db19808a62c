"""What a witness decides (C2SP tlog-witness): the request's form, and whether a head grew out of the one it cosigned last."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from shuren.trust.rules.log.checkpoint import Checkpoint, NoteBroken, NoteKey, read_checkpoint
from shuren.trust.rules.log.merkle import HASH_BYTES, is_consistent, tree_hash
from shuren.trust.rules.log.proofs import is_signed

PROOF_LIMIT = 63
SIZE_TYPE = "text/x.tlog.size"


class WitnessRefused(Exception):
    """Why a head was not cosigned: `status` and `text` are the answer to whoever asked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign: the size the log believes the witness knows, the proof from there, and the checkpoint."""

    old_size: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint


def request_text(*, old_size: int, path: Sequence[bytes], note: str) -> str:
    return f"old {old_size}\n" + "".join(f"{base64.b64encode(step).decode()}\n" for step in path) + f"\n{note}"


def read_request(text: str) -> AddCheckpoint:
    """The parts of a request; raises `WitnessRefused` 400."""
    head, gap, note = text.partition("\n\n")
    first, *steps = head.split("\n")
    number = first.removeprefix("old ")
    try:
        path = tuple(base64.b64decode(step, validate=True) for step in steps)
        checkpoint = read_checkpoint(note)
    except (binascii.Error, NoteBroken) as error:
        raise WitnessRefused(400, f"malformed request: {error}") from None
    is_formed = gap and first.startswith("old ") and number.isascii() and number.isdigit() and str(int(number)) == number
    if not is_formed or len(path) > PROOF_LIMIT or any(len(step) != HASH_BYTES for step in path):
        raise WitnessRefused(400, "malformed request")
    if int(number) > checkpoint.size:
        raise WitnessRefused(400, "the old size is larger than the checkpoint's")
    return AddCheckpoint(int(number), path, checkpoint)


def refusal_of(request: AddCheckpoint, *, keys: Sequence[NoteKey], known_size: int, known_root: bytes) -> WitnessRefused | None:
    """Why not to cosign, in the order that the standard sets; None where all is well."""
    checkpoint = request.checkpoint
    if not is_signed(checkpoint, keys, needed=checkpoint.key_ids):
        return WitnessRefused(403, "the known keys of this log did not sign the checkpoint")
    if request.old_size != known_size:
        return WitnessRefused(409, str(known_size))
    if checkpoint.size == known_size and known_size and checkpoint.root != known_root:
        return WitnessRefused(409, str(known_size))
    hasher = tree_hash(checkpoint.hash_algorithm)
    if checkpoint.size == 0 and checkpoint.root != hasher.plain(b""):
        return WitnessRefused(422, "the root of an empty log is another")
    old_root = known_root if known_size else hasher.plain(b"")
    if not is_consistent(known_size, checkpoint.size, old_root, checkpoint.root, request.path, hasher):
        return WitnessRefused(422, "the proof does not lead from the known head to this one")
    return None
