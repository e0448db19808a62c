"""What is on record about witnessing: the lines of our witnesses, and the heads that we cosigned for others."""

from collections.abc import Iterable
from datetime import UTC

from shuren.trust.data import DigestAlgorithm
from shuren.trust.models import Cosignature, WitnessedHead
from shuren.trust.rules.log.merkle import root_over
from shuren.trust.rules.log.trail import trail_bytes

COSIGNED, WITNESSED = "cosigned:", "witnessed:"


def cosigned_digest(rows: Iterable[Cosignature], algorithm: DigestAlgorithm) -> bytes:
    """The root over lines of witnesses, by rising id."""
    said = ({"head": row.head.size, "witness": row.witness, "line": row.line} for row in rows)
    return root_over((trail_bytes(words) for words in said), algorithm)


def witnessed_subject(known: WitnessedHead) -> str:
    """The subject bears the size: a row moves on, and may only be newer than what is on record."""
    return f"{WITNESSED}{known.pk}:{known.size}"


def witnessed_digest(known: WitnessedHead, algorithm: DigestAlgorithm) -> bytes:
    at = known.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = {"origin": known.origin, "size": known.size, "root": bytes(known.root).hex(), "note": known.note, "at": at}
    return root_over([trail_bytes(said)], algorithm)
