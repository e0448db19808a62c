"""Signing heads of our own log and, as a witness, those of others."""

from datetime import datetime

from django.conf import settings

from shuren.trust.data import KeyAlgorithm
from shuren.trust.rules.log.checkpoint import NoteKey, cosigned_text, signature_line
from shuren.trust.selectors.note_keys import WITNESS_KEY, log_key_name, note_key, signing_algorithms
from shuren.trust.services.keys.make import ensure_key
from shuren.trust.services.keys.sign import sign


def signed_note(text: str, *, now: datetime) -> str:
    """A checkpoint's text with a signature of each kind that the settings ask for below it."""
    origin = text.partition("\n")[0]
    lines = []
    for algorithm in signing_algorithms():
        name = log_key_name(algorithm)
        key = note_key(origin, ensure_key(name=name, algorithm=algorithm, now=now))
        lines.append(signature_line(key, sign(text.encode(), key=name)))
    return text + "\n" + "".join(f"{line}\n" for line in lines)


def ensure_witness_key(*, now: datetime) -> NoteKey:
    """The key to cosign with, made on first use; Ed25519, the one kind that every log understands."""
    key = ensure_key(name=WITNESS_KEY, algorithm=KeyAlgorithm.ED25519, now=now)
    return note_key(settings.SHUREN_EVIDENCE_WITNESS_NAME, key, is_witness=True)


def cosignature_line(text: str, *, now: datetime) -> str:
    """The line by which this installation, as a witness, says that it saw the checkpoint now."""
    at = int(now.timestamp())
    return signature_line(ensure_witness_key(now=now), sign(cosigned_text(text, at), key=WITNESS_KEY), at=at)
