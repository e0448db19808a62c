"""Whether a certificate was revoked, by the evidence log: what stands there cannot be taken out again."""

from collections.abc import Collection, Iterator
from datetime import datetime

from shuren.certificates.models import Certificate
from shuren.trust import api as trust
from shuren.trust.data import Business, DigestAlgorithm


def revocation_subject(number: str) -> str:
    """Under which subject the revocation of a certificate stands in the log."""
    return f"revocation:{number}"


def was_revoked(row: Certificate) -> datetime | None:
    """When, by the log; None where the log knows of none. One look-up by index for a certificate that was not revoked."""
    proof = trust.proof_of_subject(revocation_subject(row.number), business=Business(row.kind))
    return proof.at if proof else None


def revocation_digest(number: str, at: datetime, reason: str) -> bytes:
    """What is anchored of a revocation: when it was, and the reason as the page shows it."""
    return trust.digest(f"revoked {number} {at.isoformat()} {reason}".encode(), DigestAlgorithm.SHA256)


def revocations_on_record() -> Iterator[tuple[str, Collection[bytes]]]:
    """Every certificate that is revoked by our rows, for `shuren verify records`; one that was changed back is missing."""
    rows = Certificate.objects.filter(revoked_at__isnull=False).order_by("pk")
    for number, at, reason in rows.values_list("number", "revoked_at", "revoked_reason").iterator(chunk_size=2000):
        assert at is not None
        yield number, [revocation_digest(number, at, reason)]


def certificates_on_record() -> Iterator[tuple[str, Collection[bytes]]]:
    """Every certificate with the digest that was signed and anchored."""
    rows = Certificate.objects.order_by("pk").values_list("number", "digest")
    for number, digest in rows.iterator(chunk_size=2000):
        yield number, [bytes(digest)]
