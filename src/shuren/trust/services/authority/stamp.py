"""The timestamp service: the region's word that a digest was there at a moment."""

from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid, NotFound
from shuren.trust.data import CertificateKind, DigestAlgorithm, KeyAlgorithm, SignatureForm
from shuren.trust.models import Certificate
from shuren.trust.rules.x509.algorithms import SM3_OID
from shuren.trust.rules.x509.timestamps import (
    SHA256_OID,
    Refused,
    TimestampQuestion,
    build_token,
    granted,
    read_timestamp_request,
    rejected,
)
from shuren.trust.selectors.authorities import TIMESTAMP_KEYS, chain_of
from shuren.trust.services.authority.own import own_certificate
from shuren.trust.services.keys.sign import sign

_OIDS = {DigestAlgorithm.SHA256: SHA256_OID, DigestAlgorithm.SM3: SM3_OID}


def timestamp(digest: bytes, algorithm: DigestAlgorithm, *, now: datetime) -> bytes:
    """A TimeStampToken (RFC 3161, DER) for a digest of 32 bytes, certificates included."""
    if len(digest) != 32:
        raise Invalid(_("摘要应为 32 字节。"), remedy=_("请先用 SM3 或 SHA-256 计算摘要。"))
    return _token(TimestampQuestion(_OIDS[algorithm], digest, wants_certificate=True), now=now)


def timestamp_for(app: str, digest: bytes, algorithm: DigestAlgorithm, *, now: datetime) -> bytes:
    """The same for an app: the key is the region's, since a timestamp is the word of a third party; `app` is counted above."""
    return timestamp(digest, algorithm, now=now)


def answer_timestamp(request: bytes, *, now: datetime) -> bytes:
    """The TimeStampResp to a TimeStampReq, both DER: a token, or why there is none."""
    try:
        return granted(_token(read_timestamp_request(request), now=now))
    except Refused as refusal:
        return rejected(refusal.failure)


def _token(question: TimestampQuestion, *, now: datetime) -> bytes:
    certificate, algorithm = _certificate(question, now)
    return build_token(
        question,
        now=now,
        certificate=bytes(certificate.der),
        chain=chain_of(certificate.authority),
        algorithm=algorithm,
        sign=partial(sign, key=TIMESTAMP_KEYS[algorithm], form=SignatureForm.DER),
    )


def _certificate(question: TimestampQuestion, now: datetime) -> tuple[Certificate, KeyAlgorithm]:
    national = _of_key(KeyAlgorithm.SM2, (KeyAlgorithm.SM2,), now) if question.digest_oid == SM3_OID else None
    if national is not None:
        return national, KeyAlgorithm.SM2
    found = _of_key(KeyAlgorithm.ES256, tuple(KeyAlgorithm), now)
    if found is None:
        raise NotFound(_("还没有证书机构，不能盖时间戳。"), remedy=_("请先在“证书机构”页建立一个。"))
    return found, KeyAlgorithm.ES256


def _of_key(algorithm: KeyAlgorithm, under: tuple[KeyAlgorithm, ...], now: datetime) -> Certificate | None:
    return own_certificate(
        key=TIMESTAMP_KEYS[algorithm],
        algorithm=algorithm,
        kind=CertificateKind.TIMESTAMP,
        common_name="时间戳服务",
        under=under,
        now=now,
    )
