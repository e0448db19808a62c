"""Authorities: founded as a root or below another, here or in the region above."""

import re
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust.data import AuthorityFacts, CertificateKind, KeyAlgorithm, KeyStore, SignatureForm, SubjectName
from shuren.trust.models import Authority, TrustedRoot
from shuren.trust.rules.signing import pem_of
from shuren.trust.rules.x509.certificates import (
    Addresses,
    Issuer,
    NotACertificate,
    Sign,
    build_certificate,
    certificates_in,
    key_id_of_spki,
    made_serial,
    name_of,
    read_certificate,
)
from shuren.trust.rules.x509.chains import is_issued_by
from shuren.trust.rules.x509.requests import build_request
from shuren.trust.selectors.authorities import authority_facts, authority_row, is_revoked
from shuren.trust.selectors.keys import public_key_of
from shuren.trust.services.authority.keep import keep_issued
from shuren.trust.services.keys.make import make_key
from shuren.trust.services.keys.sign import sign

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
# How many authorities may stand below one that is not a root: city, county.
PATH_LENGTH = 2


@transaction.atomic
def found_authority(
    *,
    code: str,
    title: str,
    algorithm: KeyAlgorithm,
    actor: Actor,
    now: datetime,
    parent: str = "",
    years: int = 20,
    organization: str = "",
    store: KeyStore = KeyStore.SEALED,
    reference: str = "",
) -> AuthorityFacts:
    """Found a root, or an authority below `parent`; publishes `trust.authority_founded`.

    The title becomes the common name of its certificate. An authority below ends no later than the one above, whose
    revocation list and OCSP answer for it.
    """
    if not _CODE.fullmatch(code) or not title.strip() or not 1 <= years <= 30:
        raise Invalid(_("代码只能用小写字母、数字与短横，名称不能为空，年限为 1 至 30 年。"), remedy=_("例如 region-ca。"))
    if Authority.objects.filter(code=code).exists():
        raise Conflict(_("已有代码为“%(code)s”的证书机构。") % {"code": code}, remedy=_("请换一个代码。"))
    above = authority_row(parent) if parent else None
    if above is not None and is_revoked(above):
        raise Conflict(_("这张证书已经吊销。"), remedy=_("请建立新的证书机构。"))
    name = f"ca.{code}"
    key = make_key(name=name, algorithm=algorithm, now=now, store=store, reference=reference, actor=actor)
    subject = SubjectName(common_name=title.strip(), organization=organization or str(settings.SHUREN_REGION_NAME))
    row = Authority(code=code, title=title.strip(), parent=above, key_name=name, key_version=key.version, algorithm=algorithm)
    row.begins_at, row.ends_at = now, now + timedelta(days=round(365.25 * years))
    if above is None:
        issuer = Issuer(name=name_of(subject), key_id=key_id_of_spki(key.spki), algorithm=algorithm, sign=_pen(name, key.version))
    else:
        issuer, row.ends_at = issuer_of(above), min(row.ends_at, above.ends_at)
    row.certificate = build_certificate(
        kind=CertificateKind.AUTHORITY,
        subject=subject,
        spki=key.spki,
        serial=made_serial(),
        begins_at=now,
        ends_at=row.ends_at,
        issuer=issuer,
        path_length=PATH_LENGTH if above else None,
    )
    row.save(force_insert=True)
    if above is not None:
        keep_issued(
            row.certificate,
            authority=above,
            kind=CertificateKind.AUTHORITY,
            begins_at=now,
            ends_at=row.ends_at,
            actor=actor,
            now=now,
        )
    _tell(row, "trust.authority_founded", actor=actor, now=now)
    return authority_facts(row)


def authority_request(code: str) -> bytes:
    """A PKCS#10 request (PEM) for the key of the authority, for the region above to certify."""
    row = authority_row(code)
    key = public_key_of(row.key_name, version=row.key_version)
    subject = SubjectName(common_name=row.title, organization=str(settings.SHUREN_REGION_NAME))
    der = build_request(
        subject=subject, spki=key.spki, algorithm=KeyAlgorithm(row.algorithm), sign=_pen(row.key_name, row.key_version)
    )
    return pem_of(der, "CERTIFICATE REQUEST").encode()


@transaction.atomic
def accept_authority(*, code: str, chain: bytes, actor: Actor, now: datetime) -> AuthorityFacts:
    """Take up the certificate that the region above gave to our authority; publishes `trust.authority_certified`.

    `chain` is PEM, ours first, up to the root above. From then on certificates lead to that root; it must be trusted
    here first (`trust_root`).
    """
    row = authority_row(code)
    try:
        own, *above = certificates_in(chain)
    except NotACertificate:
        raise Invalid(_("这不是证书文件。"), remedy=_("请上传上级给的 PEM 证书链，本机构的证书在最前。")) from None
    fresh, links = read_certificate(own), [read_certificate(der) for der in (own, *above)]
    if bytes(fresh.public_key.dump()) != public_key_of(row.key_name, version=row.key_version).spki or not above:
        raise Invalid(_("证书链的第一张不是发给本机构密钥的。"), remedy=_("请用本页下载的申请文件向上级申请。"))
    if not all(is_issued_by(one, other) for one, other in pairwise(links)):
        raise Invalid(_("证书链上有一张不是后一张签发的。"), remedy=_("请按顺序排列：本机构、上级、根。"))
    if not TrustedRoot.objects.filter(sha256=links[-1].sha256.hex(), removed_at__isnull=True).exists():
        raise Invalid(_("证书链的根还没有列为信任。"), remedy=_("请先核对上级根证书的指纹并列为信任。"))
    # What was issued under the former certificate stays good: the key and the name are the same.
    if fresh.subject.dump() != read_certificate(bytes(row.certificate)).subject.dump():
        raise Invalid(_("上级改了本机构的名称。"), remedy=_("请上级按申请里的名称签发。"))
    row.certificate, row.parent, row.above = own, None, "".join(pem_of(der, "CERTIFICATE") for der in above)
    row.begins_at, row.ends_at, row.crl = fresh.not_valid_before, fresh.not_valid_after, None
    row.save(update_fields=["certificate", "parent", "above", "begins_at", "ends_at", "crl"])
    _tell(row, "trust.authority_certified", actor=actor, now=now)
    return authority_facts(row)


def issuer_of(row: Authority) -> Issuer:
    """The authority as one that signs, with the addresses that its certificates name."""
    own = read_certificate(bytes(row.certificate))
    return Issuer(
        name=own.subject,
        key_id=key_id_of_spki(bytes(own.public_key.dump())),
        algorithm=KeyAlgorithm(row.algorithm),
        sign=_pen(row.key_name, row.key_version),
        addresses=_addresses(row.code),
    )


def _addresses(code: str) -> Addresses:
    base = str(settings.SHUREN_PUBLIC_URL)
    if not base:
        return Addresses()
    return Addresses(crl=f"{base}/pki/{code}.crl", ocsp=f"{base}/pki/{code}/ocsp", issuer=f"{base}/pki/{code}.cer")


def _pen(name: str, version: int) -> Sign:
    return partial(sign, key=name, version=version, form=SignatureForm.DER)


def _tell(row: Authority, event: str, *, actor: Actor, now: datetime) -> None:
    audit.record(actor=actor, action=event, target=f"authority:{row.pk}", details={"code": row.code, "title": row.title}, now=now)
    events.publish(event, {"code": row.code}, now=now)
