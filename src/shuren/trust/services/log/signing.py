"""Signing heads of our own log and, as a witness, those of others."""

from datetime import datetime

from django.conf import settings

from shuren.trust.data import DigestAlgorithm, KeyAlgorithm
from shuren.trust.rules.log.checkpoint import NoteKey, checkpoint_text, cosigned_text, signature_line
from shuren.trust.selectors.note_keys import WITNESS_KEY, log_key_name, note_key, signing_algorithms
from shuren.trust.services.keys.make import ensure_key
from shuren.trust.services.keys.sign import sign


def signed_head(*, origin: str, size: int, root: bytes, hash_algorithm: DigestAlgorithm, now: datetime) -> str:
    """A checkpoint of our log as it is published: with its time and, where several keys sign, their ids in what is signed."""
    key_ids = [key.key_id.hex() for _name, key in _signing_keys(origin, now)]
    text = checkpoint_text(
        origin=origin,
        size=size,
        root=root,
        hash_algorithm=hash_algorithm,
        at=now,
        key_ids=key_ids if len(key_ids) > 1 else (),
    )
    return signed_note(text, now=now)


def signed_note(text: str, *, now: datetime) -> str:
    """A text whose first line is the log's origin, with a signature of each kind that the settings ask for below it."""
    keys = _signing_keys(text.partition("\n")[0], now)
    lines = [signature_line(key, sign(text.encode(), key=name)) for name, key in keys]
    return text + "\n" + "".join(f"{line}\n" for line in lines)


def _signing_keys(origin: str, now: datetime) -> list[tuple[str, NoteKey]]:
    names = [(log_key_name(algorithm), algorithm) for algorithm in signing_algorithms()]
    return [(name, note_key(origin, ensure_key(name=name, algorithm=algorithm, now=now))) for name, algorithm in names]


def ensure_witness_key(*, now: datetime) -> NoteKey:
    """The key to cosign with, made on first use; Ed25519, the one kind that every log understands."""
    key = ensure_key(name=WITNESS_KEY, algorithm=KeyAlgorithm.ED25519, now=now)
    return note_key(settings.SHUREN_EVIDENCE_WITNESS_NAME, key, is_witness=True)


def cosignature_line(text: str, *, now: datetime) -> str:
    """The line by which this installation, as a witness, says that it saw the checkpoint now."""
    at = int(now.timestamp())
    return signature_line(ensure_witness_key(now=now), sign(cosigned_text(text, at), key=WITNESS_KEY), at=at)
