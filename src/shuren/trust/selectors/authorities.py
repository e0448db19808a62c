"""Authorities, what they issued, and the roots that are believed."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from itertools import chain

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.kernel.errors import NotFound
from shuren.trust.data import (
    AuthorityFacts,
    CertificateFacts,
    CertificateKind,
    ChainVerdict,
    DigestAlgorithm,
    KeyAlgorithm,
    RevocationReason,
)
from shuren.trust.models import Authority, Certificate, TrustedRoot
from shuren.trust.rules.signing import pem_of
from shuren.trust.rules.x509.algorithms import SM3_OID
from shuren.trust.rules.x509.certificates import certificates_in, read_certificate
from shuren.trust.rules.x509.chains import check_chain
from shuren.trust.rules.x509.timestamps import SHA256_OID, TimestampFacts, read_token
from shuren.trust.selectors.keys import key_versions

# What is digested by SM3 is stamped by SM2 where an authority of SM2 stands, all else by ECDSA.
TIMESTAMP_KEYS = {KeyAlgorithm.ES256: "trust.timestamp", KeyAlgorithm.SM2: "trust.timestamp.sm2"}


def authorities() -> list[AuthorityFacts]:
    """All authorities of this installation, oldest first; there are few."""
    return [authority_facts(row) for row in Authority.objects.select_related("parent").order_by("pk")]


def authority(code: str) -> AuthorityFacts:
    """One authority by its code; raises `NotFound`."""
    return authority_facts(authority_row(code))


def certificate(id: int) -> CertificateFacts:
    """One certificate by its row id; raises `NotFound`. Whoever asks has checked that the reader may see it."""
    return certificate_facts(certificate_row(id))


def certificates_by_ids(ids: Sequence[int]) -> dict[int, CertificateFacts]:
    rows = Certificate.objects.filter(pk__in=ids).select_related("authority")
    return {row.pk: certificate_facts(row) for row in rows}


def certificates_ending(*, begin: datetime, end: datetime, after: int = 0, limit: int = 1000) -> list[CertificateFacts]:
    """Certificates that are still good and end in [begin, end), by row; the next page begins after the last one's id."""
    rows = Certificate.objects.filter(revoked_at__isnull=True, ends_at__gte=begin, ends_at__lt=end, pk__gt=after)
    return [certificate_facts(row) for row in rows.select_related("authority").order_by("pk")[:limit]]


def trusted_roots() -> list[tuple[int, str, bytes]]:
    """Row id, title and DER of the roots of others that are believed."""
    rows = TrustedRoot.objects.filter(removed_at__isnull=True).order_by("pk")
    return [(row.pk, row.title, bytes(row.certificate)) for row in rows]


def validate_certificate(chain: bytes, *, now: datetime) -> ChainVerdict:
    """Whether a certificate (PEM, leaf first, or one DER) leads to a root of ours or one that is believed.

    What was issued here is looked up for revocation; about what others issued their own lists and OCSP tell. Raises
    `NotACertificate`.
    """
    leaf, *others = certificates_in(chain)
    own = Authority.objects.all()
    roots = [bytes(row.certificate) for row in own if row.parent_id is None and not row.above]
    roots += [der for _id, _title, der in trusted_roots()]
    for row in own:
        others += [bytes(row.certificate), *(certificates_in(row.above.encode()) if row.above else ())]
    return check_chain(leaf, others=others, roots=roots, moment=now, is_revoked=_is_revoked)


def _is_revoked(der: bytes, issuer: bytes) -> bool:
    """By number and issuer's key: a signature can be written in two ways, and an authority have had two certificates."""
    serial, key = f"{read_certificate(der).serial_number:x}", _key_in(issuer)
    rows = Certificate.objects.filter(serial=serial, revoked_at__isnull=False).select_related("authority")
    return any(_key_in(bytes(row.authority.certificate)) == key for row in rows.defer("der"))


def _key_in(der: bytes) -> bytes:
    return bytes(read_certificate(der).public_key.dump())


def is_revoked(row: Authority) -> bool:
    """Whether the authority's own certificate was revoked here, or that of one above it."""
    while row.parent is not None:
        serial = f"{read_certificate(bytes(row.certificate)).serial_number:x}"
        if issued(row.parent).filter(serial=serial, revoked_at__isnull=False).exists():
            return True
        row = row.parent
    return False


def authority_row(code: str) -> Authority:
    row = Authority.objects.select_related("parent").filter(code=code).first()
    if row is None:
        raise NotFound(_("没有这个证书机构。"), remedy=_("请先在“证书机构”页建立它。"))
    return row


def certificate_row(id: int) -> Certificate:
    row = Certificate.objects.select_related("authority").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这张证书。"))
    return row


def issued(authority: Authority) -> QuerySet[Certificate]:
    return Certificate.objects.filter(authority=authority)


def authority_facts(row: Authority) -> AuthorityFacts:
    return AuthorityFacts(
        code=row.code,
        title=row.title,
        algorithm=KeyAlgorithm(row.algorithm),
        parent=row.parent.code if row.parent else "",
        chain=chain_of(row),
        begins_at=row.begins_at,
        ends_at=row.ends_at,
    )


def chain_of(row: Authority) -> tuple[bytes, ...]:
    """Its own certificate and those above it, as far as this installation knows them."""
    found, standing = [], row
    while True:
        found.append(bytes(standing.certificate))
        if standing.above:
            return (*found, *certificates_in(standing.above.encode()))
        if standing.parent is None:
            return tuple(found)
        standing = standing.parent


def certificate_facts(row: Certificate) -> CertificateFacts:
    return CertificateFacts(
        id=row.pk,
        authority=row.authority.code,
        kind=CertificateKind(row.kind),
        serial=row.serial,
        subject=row.subject,
        der=bytes(row.der),
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        reason=RevocationReason(row.reason) if row.reason else None,
        renewed_from_id=row.renewed_from_id,
    )


def certificates_of_key(name: str) -> list[CertificateFacts]:
    """Certificates for any version of a key of ours, newest first."""
    digests = [sha256(key.spki).hexdigest() for key in key_versions(name)]
    rows = Certificate.objects.filter(spki_digest__in=digests).select_related("authority").order_by("-pk")
    return [certificate_facts(row) for row in rows]


def verify_timestamp(token: bytes, digest: bytes, algorithm: DigestAlgorithm) -> TimestampFacts | None:
    """What a token of this installation says about `digest`; None where it was changed, or is about something else."""
    wanted = {DigestAlgorithm.SHA256: SHA256_OID, DigestAlgorithm.SM3: SM3_OID}[algorithm]
    for candidate in chain.from_iterable(certificates_of_key(name) for name in TIMESTAMP_KEYS.values()):
        facts = read_token(token, certificate=candidate.der)
        if facts is not None and (facts.digest_oid, facts.digest) == (wanted, digest) and facts.stamped_at >= candidate.begins_at:
            return facts if candidate.revoked_at is None or facts.stamped_at < candidate.revoked_at else None
    return None


def fingerprint_of(der: bytes) -> str:
    """SHA-256 of a certificate as people compare it: pairs of digits with colons."""
    return sha256(der).digest().hex(":").upper()


def pem_chain(ders: Sequence[bytes]) -> str:
    return "".join(pem_of(der, "CERTIFICATE") for der in ders)
