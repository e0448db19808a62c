"""Checking signatures of notes with keys that came from outside."""

from shuren.trust.data import KeyAlgorithm
from shuren.trust.rules.crypto.encoding import NotAKey
from shuren.trust.rules.log.checkpoint import NoteKey, Verify
from shuren.trust.rules.signing import verifies


def verification_with(key: NoteKey) -> Verify | None:
    """How to verify with this key; None leaves it to `signed_by`, which knows Ed25519."""
    if key.algorithm is KeyAlgorithm.ED25519:
        return None

    def verify(data: bytes, signature: bytes) -> bool:
        try:
            return verifies(data, signature, spki=key.public, algorithm=key.algorithm)
        except NotAKey:
            return False

    return verify
