"""Certificates issued, renewed and revoked."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.trust.data import CertificateFacts, CertificateKind, KeyAlgorithm, KeyFile, RevocationReason, SubjectName
from shuren.trust.models import Certificate
from shuren.trust.rules.signing import SoftwareSigner, made_pkcs8
from shuren.trust.rules.x509.certificates import build_certificate, made_serial, read_certificate
from shuren.trust.rules.x509.key_files import key_file
from shuren.trust.rules.x509.requests import NotARequest, read_request
from shuren.trust.selectors.authorities import authority_row, certificate_facts, certificate_row, chain_of, is_revoked
from shuren.trust.services.authority.found import PATH_LENGTH, issuer_of
from shuren.trust.services.authority.keep import facts_of_step, keep_issued
from shuren.trust.services.authority.publish import forget_crl

MAX_DAYS = 3653
LEAST_PASSPHRASE = 8


@transaction.atomic
def issue_certificate(
    *, authority: str, kind: CertificateKind, subject: SubjectName, request: bytes, days: int, actor: Actor, now: datetime
) -> CertificateFacts:
    """Certify the key of a PKCS#10 request (PEM or DER) for `subject`; publishes `trust.certificate_issued`.

    The request proves possession of the key; the name in it is not taken over. Whoever calls has checked who asks.
    """
    spki = spki_of_request(request)
    row = certify_key(authority=authority, kind=kind, subject=subject, spki=spki, days=days, actor=actor, now=now)
    return certificate_facts(row)


@transaction.atomic
def issue_with_key(
    *,
    authority: str,
    kind: CertificateKind,
    subject: SubjectName,
    algorithm: KeyAlgorithm,
    passphrase: str,
    days: int,
    actor: Actor,
    now: datetime,
) -> tuple[CertificateFacts, KeyFile]:
    """Make a key, certify it, and hand out both under `passphrase`, once: the private key is kept nowhere here."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise Invalid(_("口令至少 %(least)s 个字符。") % {"least": LEAST_PASSPHRASE}, remedy=_("请换一个更长的口令。"))
    pkcs8 = made_pkcs8(algorithm)
    spki = SoftwareSigner(pkcs8, algorithm).spki
    row = certify_key(authority=authority, kind=kind, subject=subject, spki=spki, days=days, actor=actor, now=now)
    chain = chain_of(row.authority)
    content = key_file(
        pkcs8, algorithm=algorithm, chain=(bytes(row.der), *chain), passphrase=passphrase, name=f"certificate-{row.serial[:8]}"
    )
    return certificate_facts(row), content


@transaction.atomic
def renew_certificate(*, id: int, request: bytes, days: int, actor: Actor, now: datetime) -> CertificateFacts:
    """Certify the same subject again, with the same key or a new one; the former certificate stays good until it ends."""
    former = certificate_row(id)
    if former.revoked_at is not None:
        raise Conflict(_("这张证书已吊销，不能续期。"), remedy=_("请重新申请。"))
    spki = spki_of_request(request)
    row = certify_key(
        authority=former.authority.code,
        kind=CertificateKind(former.kind),
        subject=_subject_of(former),
        spki=spki,
        days=days,
        former=former,
        actor=actor,
        now=now,
    )
    return certificate_facts(row)


@transaction.atomic
def revoke_certificate(*, id: int, reason: RevocationReason, actor: Actor, now: datetime) -> None:
    """Take a certificate back for ever; OCSP tells it at once, the list with the next download."""
    row = Certificate.objects.select_for_update().select_related("authority").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这张证书。"))
    if row.revoked_at is not None:
        raise Conflict(_("这张证书已经吊销。"))
    row.revoked_at, row.reason = now, reason.value
    row.save(update_fields=["revoked_at", "reason"])
    forget_crl(row.authority_id)
    target, details, payload = facts_of_step(row)
    audit.record(actor=actor, action="trust.certificate_revoked", target=target, details=details, now=now)
    events.publish("trust.certificate_revoked", payload, now=now)


def spki_of_request(request: bytes) -> bytes:
    """The public key of a request whose proof of possession holds; raises `Invalid`."""
    try:
        return read_request(request).spki
    except NotARequest as fault:
        raise Invalid(
            _("申请文件不可用：%(fault)s") % {"fault": fault},
            remedy=_("请上传 PKCS#10 申请文件（P-256、RSA 2048、Ed25519 或 SM2）。"),
        ) from None


def certify_key(
    *,
    authority: str,
    kind: CertificateKind,
    subject: SubjectName,
    spki: bytes,
    days: int,
    actor: Actor,
    now: datetime,
    former: Certificate | None = None,
) -> Certificate:
    """The row of a new certificate for a key whose possession is proved, within the caller's transaction."""
    issuing = authority_row(authority)
    if not 1 <= days <= MAX_DAYS or not subject.common_name.strip():
        raise Invalid(_("期限为 1 至 %(most)s 天，名称不能为空。") % {"most": MAX_DAYS}, remedy=_("请改正后再签发。"))
    if issuing.ends_at <= now:
        raise Conflict(_("证书机构“%(title)s”的证书已到期。") % {"title": issuing.title}, remedy=_("请建立新的证书机构。"))
    if is_revoked(issuing):
        raise Conflict(_("这张证书已经吊销。"), remedy=_("请建立新的证书机构。"))
    _refuse_known_bad_key(spki)
    ends_at = min(now + timedelta(days=days), issuing.ends_at)
    der = build_certificate(
        kind=kind,
        subject=subject,
        spki=spki,
        serial=made_serial(),
        begins_at=now,
        ends_at=ends_at,
        issuer=issuer_of(issuing),
        path_length=PATH_LENGTH - 1 if kind is CertificateKind.AUTHORITY else None,
    )
    return keep_issued(der, authority=issuing, kind=kind, begins_at=now, ends_at=ends_at, former=former, actor=actor, now=now)


def _refuse_known_bad_key(spki: bytes) -> None:
    stolen = Certificate.objects.filter(
        spki_digest=sha256(spki).hexdigest(),
        reason__in=[RevocationReason.KEY_COMPROMISE.value, RevocationReason.CA_COMPROMISE.value],
    )
    if stolen.exists():
        raise Invalid(_("这把密钥曾因泄露被吊销。"), remedy=_("请生成新密钥再申请。"))


def _subject_of(row: Certificate) -> SubjectName:
    found = read_certificate(bytes(row.der))
    native = found.subject.native
    names = found.subject_alt_name_value
    return SubjectName(
        common_name=native.get("common_name", ""),
        organization=native.get("organization_name", ""),
        unit=native.get("organizational_unit_name", ""),
        serial_number=native.get("serial_number", ""),
        country=native.get("country_name", ""),
        dns_names=tuple(names.native) if names is not None else (),
    )
