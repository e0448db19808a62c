"""Certificates for keys of this installation itself: issued when they are first needed, and again before they end."""

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from shuren.kernel.data import SYSTEM
from shuren.trust.data import CertificateKind, KeyAlgorithm, SubjectName
from shuren.trust.models import Authority, Certificate
from shuren.trust.selectors.authorities import chain_of, is_revoked
from shuren.trust.services.authority.issue import certify_key
from shuren.trust.services.keys.make import ensure_key

_DAYS = 1096
# What is signed must be checkable for a good while: a certificate turns over a year before it ends.
_SPARE = timedelta(days=365)
# Software of others seldom knows SM2: an authority that it can follow goes first.
_WIDELY_KNOWN = (KeyAlgorithm.ES256, KeyAlgorithm.RS256)


def own_chain(*, key: str, algorithm: KeyAlgorithm, kind: CertificateKind, common_name: str, now: datetime) -> tuple[bytes, ...]:
    """The certificate of our key `key` and those above it, DER, for software that knows no SM2; empty without an authority.

    Makes the key where there is an authority and none yet.
    """
    row = own_certificate(key=key, algorithm=algorithm, kind=kind, common_name=common_name, under=_WIDELY_KNOWN, now=now)
    return (bytes(row.der), *chain_of(row.authority)) if row else ()


@transaction.atomic
def own_certificate(
    *,
    key: str,
    algorithm: KeyAlgorithm,
    kind: CertificateKind,
    common_name: str,
    now: datetime,
    under: Collection[KeyAlgorithm] = tuple(KeyAlgorithm),
) -> Certificate | None:
    """The row of the newest certificate that lasts, by an authority of one of the algorithms; None where none stands."""
    rows = Authority.objects.select_related("parent").filter(ends_at__gt=now + _SPARE, algorithm__in=under)
    standing = [row for row in rows if not is_revoked(row)]
    issuing = min(standing, key=lambda row: (_order(row.algorithm), -row.pk), default=None)
    if issuing is None:
        return None
    made = ensure_key(name=key, algorithm=algorithm, now=now)
    known = Certificate.objects.select_related("authority__parent").filter(
        spki_digest=sha256(made.spki).hexdigest(),
        kind=kind.value,
        revoked_at__isnull=True,
        ends_at__gt=now + _SPARE,
        authority__in=standing,
    )
    found = known.order_by("-pk").first()
    if found is not None:
        return found
    subject = SubjectName(common_name=common_name, organization=str(settings.SHUREN_REGION_NAME))
    return certify_key(authority=issuing.code, kind=kind, subject=subject, spki=made.spki, days=_DAYS, actor=SYSTEM, now=now)


def _order(algorithm: str) -> int:
    return _WIDELY_KNOWN.index(KeyAlgorithm(algorithm)) if algorithm in _WIDELY_KNOWN else len(_WIDELY_KNOWN)
