"""The timestamp service: the region's word that a digest was there at a moment."""

from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound
from shuren.trust.data import CertificateKind, DigestAlgorithm, KeyAlgorithm, SignatureForm, SubjectName
from shuren.trust.models import Authority, Certificate
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
from shuren.trust.selectors.authorities import TIMESTAMP_KEY, chain_of
from shuren.trust.services.authority.issue import certify_key
from shuren.trust.services.keys.make import ensure_key
from shuren.trust.services.keys.sign import sign

_DAYS = 1096
# A token must be checkable for a good while after it was given: the certificate turns over a year before it ends.
_SPARE = timedelta(days=365)
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
    certificate = _certificate(now)
    return build_token(
        question,
        now=now,
        certificate=bytes(certificate.der),
        chain=chain_of(certificate.authority),
        algorithm=KeyAlgorithm.ES256,
        sign=partial(sign, key=TIMESTAMP_KEY, form=SignatureForm.DER),
    )


@transaction.atomic
def _certificate(now: datetime) -> Certificate:
    key = ensure_key(name=TIMESTAMP_KEY, algorithm=KeyAlgorithm.ES256, now=now)
    rows = Certificate.objects.select_related("authority__parent").filter(
        spki_digest=sha256(key.spki).hexdigest(), revoked_at__isnull=True, ends_at__gt=now + _SPARE
    )
    found = rows.order_by("-pk").first()
    if found is not None:
        return found
    # Clients that check timestamps seldom know SM2: an authority of theirs goes first.
    order = {KeyAlgorithm.ES256.value: 0, KeyAlgorithm.RS256.value: 1}
    standing = sorted(Authority.objects.filter(ends_at__gt=now + _SPARE), key=lambda row: (order.get(row.algorithm, 2), -row.pk))
    if not standing:
        raise NotFound(_("还没有证书机构，不能盖时间戳。"), remedy=_("请先在“证书机构”页建立一个。"))
    subject = SubjectName(common_name="时间戳服务", organization=str(settings.SHUREN_REGION_NAME))
    return certify_key(
        authority=standing[0].code,
        kind=CertificateKind.TIMESTAMP,
        subject=subject,
        spki=key.spki,
        days=_DAYS,
        actor=SYSTEM,
        now=now,
    )
