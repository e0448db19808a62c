"""Checking one proof, and proofs as JSON: nothing here asks the server that made them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shuren.trust.data import Business, DigestAlgorithm, EvidenceProof, ProofVerdict
from shuren.trust.rules.log.checkpoint import (
    NoteBroken,
    NoteKey,
    SignedText,
    read_checkpoint,
    read_key,
    signature_bytes,
    signed_by,
)
from shuren.trust.rules.log.entries import commitment, entry_bytes
from shuren.trust.rules.log.merkle import root_from_inclusion, tree_hash
from shuren.trust.rules.log.signatures import verification_with

FORMAT = "shuren-evidence-proof/v1"


def leaf_of(proof: EvidenceProof) -> bytes:
    """The bytes of the entry that the proof speaks of."""
    hasher = tree_hash(proof.hash_algorithm)
    committed = commitment(salt=proof.salt, subject=proof.subject, digest=proof.digest, hasher=hasher)
    return entry_bytes(business=proof.business, at=proof.at, committed=committed)


def verify_proof(proof: EvidenceProof, *, log_keys: Sequence[str], witness_keys: Sequence[str] = ()) -> ProofVerdict:
    """Check a proof against keys that the caller trusts, in the text form of signed notes.

    Of the log's keys at least one must have signed, every one whose line is there must hold, and so must every one that the
    head says signed it; witnesses are only counted. Nothing is asked over the network.
    """
    try:
        checkpoint = read_checkpoint(proof.checkpoint)
        keys = [read_key(text) for text in log_keys]
        witnesses = [read_key(text) for text in witness_keys]
        leaf = leaf_of(proof)
    except ValueError as error:
        return ProofVerdict(fault=str(error))
    if (checkpoint.origin, checkpoint.size, checkpoint.hash_algorithm) != (
        proof.origin,
        proof.tree_size,
        proof.hash_algorithm,
    ):
        return ProofVerdict(fault="the checkpoint is of another log or size")
    hasher = tree_hash(proof.hash_algorithm)
    root = root_from_inclusion(hasher.leaf(leaf), proof.leaf_index, proof.tree_size, proof.path, hasher)
    if root != checkpoint.root:
        return ProofVerdict(fault="the path does not lead from the entry to the root")
    if not is_signed(checkpoint, keys, needed=checkpoint.key_ids):
        return ProofVerdict(fault="the trusted keys of the log did not sign the checkpoint")
    times = [(key.name, signed_by(checkpoint, key, verify=verification_with(key))) for key in witnesses if key.is_witness]
    return ProofVerdict(fault="", witnesses=tuple((name, at) for name, at in times if at is not None))


def is_signed(note: SignedText, keys: Sequence[NoteKey], *, needed: Sequence[str] = ()) -> bool:
    """Whether these keys, not of witnesses, signed: at least one did, and none that has a line or is `needed` did not.

    A key that nobody handed in is not asked for: whoever holds one of two keys checks with that one.
    """
    own = [key for key in keys if not key.is_witness]
    held = [key for key in own if signed_by(note, key, verify=verification_with(key)) is not None]
    return bool(held) and not any(key not in held and (_has_line(note, key) or key.key_id.hex() in needed) for key in own)


def _has_line(note: SignedText, key: NoteKey) -> bool:
    return any(signature_bytes(line, key) is not None for line in note.signatures)


def proof_as_json(proof: EvidenceProof) -> str:
    return json.dumps(
        {
            "format": FORMAT,
            "log": {"origin": proof.origin, "hash": proof.hash_algorithm.value, "keys": list(proof.log_keys)},
            "entry": {
                "business": proof.business.value,
                "subject": proof.subject,
                "digest": proof.digest.hex(),
                "salt": proof.salt.hex(),
                "at": proof.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            },
            "leaf_index": proof.leaf_index,
            "tree_size": proof.tree_size,
            "path": [step.hex() for step in proof.path],
            "checkpoint": proof.checkpoint,
        },
        ensure_ascii=False,
        indent=2,
    )


def read_proof(text: str) -> EvidenceProof:
    """A proof from its JSON; raises `NoteBroken` with what is missing or out of form."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise NoteBroken(f"not a proof of the form {FORMAT}")
        entry, log = data["entry"], data["log"]
        at = datetime.fromisoformat(entry["at"])
        if at.tzinfo is None:
            raise NoteBroken("the entry's time has no zone")
        return EvidenceProof(
            origin=_text(log["origin"]),
            hash_algorithm=DigestAlgorithm(log["hash"]),
            business=Business(entry["business"]),
            subject=_text(entry["subject"]),
            digest=bytes.fromhex(entry["digest"]),
            salt=bytes.fromhex(entry["salt"]),
            at=at,
            leaf_index=_number(data["leaf_index"]),
            tree_size=_number(data["tree_size"]),
            path=tuple(bytes.fromhex(step) for step in data["path"]),
            checkpoint=_text(data["checkpoint"]),
            log_keys=tuple(_text(key) for key in log["keys"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NoteBroken(f"not a proof: {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text was expected")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise TypeError("a number was expected")
    return value
