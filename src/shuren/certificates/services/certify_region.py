"""Authorities below ours certified and taken back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.certificates.models.digital import CertifiedRegion
from shuren.certificates.rules.requests import UnusableName, key_in, subject_in
from shuren.certificates.selectors.regions import access_authority_below, check_keeper
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api as trust
from shuren.trust.data import CertificateFacts, CertificateKind, RevocationReason, SubjectName


def subject_of_region(request: bytes) -> SubjectName:
    """The name in the request of a region below; raises `Invalid` where it cannot be certified.

    Its proof of possession is checked, and neither a key nor a name of ours is certified for others.
    """
    spki = trust.spki_of_request(request)
    try:
        subject = subject_in(request)
    except UnusableName as fault:
        raise Invalid(
            _("申请里的名称不能用：%(fault)s") % {"fault": fault}, remedy=_("请对方重新生成申请文件，名称只含国家、单位和名称。")
        ) from None
    for facts in trust.authorities():
        if key_in(facts.chain[0]) == spki:
            raise Conflict(_("这是本平台证书机构“%(title)s”自己的申请文件。") % {"title": facts.title})
        if f"CN={subject.common_name}" in trust.subject_text(facts.chain[0]).split(","):
            raise Conflict(
                _("申请里的名称与本平台的证书机构“%(title)s”相同。") % {"title": facts.title}, remedy=_("请对方改用自己的名称。")
            )
    return subject


@transaction.atomic
def certify_region(*, actor: Actor, authority: str, title: str, request: bytes, days: int, now: datetime) -> CertificateFacts:
    """Certify the authority of a region below by ours; publishes `certificates.region_certified`.

    Whoever calls has let the security administrator compare the key's fingerprint with what the region told by telephone.
    """
    check_keeper(actor, now=now)
    subject = subject_of_region(request)
    facts = trust.issue_certificate(
        authority=authority,
        kind=CertificateKind.AUTHORITY,
        subject=subject,
        request=request,
        days=days,
        actor=actor,
        now=now,
    )
    row = CertifiedRegion.objects.create(
        title=title.strip()[:100], certificate_id=facts.id, given_by=actor.account_id, given_at=now
    )
    details = {"authority": authority, "certificate_id": facts.id, "serial": facts.serial}
    audit.record(actor=actor, action="certificates.region_certified", target=f"region:{row.pk}", details=details, now=now)
    events.publish("certificates.region_certified", {"certificate_id": facts.id, "authority": authority}, now=now)
    return facts


@transaction.atomic
def revoke_authority(*, actor: Actor, certificate_id: int, reason: RevocationReason, now: datetime) -> None:
    """Take the certificate of an authority below back: all that it issued is good no more.

    The list and OCSP of the authority above tell it; `trust.certificate_revoked` goes on record and is published.
    """
    found = access_authority_below(actor=actor, id=certificate_id, now=now)
    trust.revoke_certificate(id=found.certificate.id, reason=reason, actor=actor, now=now)
