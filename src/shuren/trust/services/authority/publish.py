"""What relying parties ask an authority: the revocation list, and the state of single certificates."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from django.core.cache import cache
from django.db import transaction

from shuren.trust.data import RevocationReason
from shuren.trust.models import Authority, Certificate
from shuren.trust.rules.x509.certificates import read_certificate
from shuren.trust.rules.x509.revocation import Revocation, asks_about, build_crl, build_ocsp, read_ocsp, refused_ocsp
from shuren.trust.selectors.authorities import authority_row, issued
from shuren.trust.services.authority.found import issuer_of

CRL_LASTS = timedelta(days=7)
# A new list well before the old one runs out, so that whoever fetches daily never stands without one.
CRL_RENEWED = timedelta(days=3)
OCSP_LASTS = timedelta(hours=1)
OCSP_KEPT = timedelta(minutes=5)


def crl_of(code: str, *, now: datetime) -> bytes:
    """The present list in DER; made anew after a revocation, and three days before the last one ends."""
    row = authority_row(code)
    if row.crl is not None and row.crl_next_at is not None and row.crl_next_at - now > CRL_RENEWED:
        return bytes(row.crl)
    with transaction.atomic():
        row = Authority.objects.select_for_update().get(pk=row.pk)
        row.crl_number, row.crl_next_at = row.crl_number + 1, now + CRL_LASTS
        row.crl = build_crl(
            _revocations(row, now), number=row.crl_number, now=now, next_at=row.crl_next_at, issuer=issuer_of(row)
        )
        row.save(update_fields=["crl", "crl_number", "crl_next_at"])
    return bytes(row.crl)


def forget_crl(authority_id: int) -> None:
    """The present list no longer tells all: the next download makes another."""
    Authority.objects.filter(pk=authority_id).update(crl=None)


def answer_ocsp(code: str, request: bytes, *, now: datetime) -> bytes:
    """The signed answer to an OCSP request in DER, or an answer that says why there is none.

    Without a nonce the answer is the one signed for the same question a few minutes ago, as long as it still says the truth.
    """
    row = authority_row(code)
    question = read_ocsp(request)
    if question is None:
        return refused_ocsp("malformed_request")
    if not asks_about(question, read_certificate(bytes(row.certificate))):
        return refused_ocsp("unauthorized")
    found = issued(row).filter(serial__in=[f"{serial:x}" for serial in question.serials if serial > 0])
    known = {int(entry.serial, 16): _revocation(entry) for entry in found.defer("der")}
    if question.nonce is not None or len(known) < len(question.serials):
        return build_ocsp(question, known=known, now=now, lasts=OCSP_LASTS, issuer=issuer_of(row))
    said = repr((bytes(row.certificate), request, sorted(known.items()))).encode()
    key = f"trust.ocsp:{sha256(said).hexdigest()}"
    kept: bytes | None = cache.get(key)
    if kept is None:
        kept = build_ocsp(question, known=known, now=now, lasts=OCSP_LASTS, issuer=issuer_of(row))
        cache.set(key, kept, int(OCSP_KEPT.total_seconds()))
    return kept


def _revocations(row: Authority, now: datetime) -> Iterator[Revocation]:
    # RFC 5280 §3.3: what has ended need not stand on the list any longer than one more issue.
    rows = issued(row).filter(revoked_at__isnull=False, ends_at__gt=now - CRL_LASTS).order_by("pk").defer("der")
    for entry in rows.iterator(chunk_size=2000):
        line = _revocation(entry)
        if line is not None:
            yield line


def _revocation(row: Certificate) -> Revocation | None:
    if row.revoked_at is None:
        return None
    return Revocation(int(row.serial, 16), row.revoked_at, RevocationReason(row.reason))
