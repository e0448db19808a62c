"""Certificates taken back, renewed and corrected."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.certificates.data import CertificateKind, Recipient
from shuren.certificates.models import Certificate
from shuren.certificates.selectors.certificates import access_certificate
from shuren.certificates.selectors.revocations import revocation_digest, revocation_subject, was_revoked
from shuren.certificates.services.give import BUSINESSES, give_certificate
from shuren.directory import api as directory
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.messaging import api as messaging
from shuren.trust import api as trust


@transaction.atomic
def revoke_certificate(*, actor: Actor, certificate_id: int, reason: str, now: datetime) -> None:
    """Take it back for good, seen by every verifier at once; publishes `certificates.certificate_revoked`.

    For those who give certificates where it was given. The reason is shown to whoever verifies.
    """
    reason = reason.strip()
    if not reason:
        raise Invalid(_("没有写撤销的原因。"), remedy=_("请写明原因，查验的人会看到它。"))
    access_certificate(actor=actor, id=certificate_id, now=now, for_giving=True)
    row = Certificate.objects.select_for_update(of=("self",)).select_related("version").get(pk=certificate_id)
    if row.revoked_at is not None:
        raise Conflict(_("这份证书已经撤销。"))
    row.revoked_at, row.revoked_reason = now, reason[:200]
    row.save(update_fields=["revoked_at", "revoked_reason"])
    trust.anchor(
        business=BUSINESSES[CertificateKind(row.kind)],
        subject=revocation_subject(row.number),
        digest=revocation_digest(row.number, now, row.revoked_reason),
        now=now,
    )
    details = {"number": row.number, "reason": row.revoked_reason}
    audit.record(actor=actor, action="certificates.certificate_revoked", target=f"certificate:{row.pk}", details=details, now=now)
    payload = {"certificate_id": row.pk, "person_id": row.holder_id, "org_id": row.org_id, "kind": row.kind}
    events.publish("certificates.certificate_revoked", payload, now=now)
    guardians = [link.guardian_id for link in directory.guardians_of([row.holder_id], day=day_of(now))]
    messaging.notify(
        person_ids=[row.holder_id, *guardians],
        title=_("证书已撤销：%(name)s") % {"name": row.version.name},
        body=_("原因：%(reason)s") % {"reason": row.revoked_reason},
        url="/my-certificates/",
        key=f"certificate-revoked:{row.pk}",
        now=now,
    )


@transaction.atomic
def reissue_certificate(*, actor: Actor, certificate_id: int, values: dict[str, str], reason: str = "", now: datetime) -> int:
    """Give the same again: with a `reason` the old one was wrong and is revoked, without it the term is renewed.

    The new one carries the person's present name and the template's present version; asked twice it is given once.
    """
    row = access_certificate(actor=actor, id=certificate_id, now=now, for_giving=True)
    if reason:
        revoke_certificate(actor=actor, certificate_id=certificate_id, reason=reason, now=now)
    elif row.revoked_at is not None:
        raise Conflict(_("这份证书已经撤销，不能续期。"), remedy=_("请重新发一份。"))
    elif row.valid_until is None:
        raise Conflict(_("这份证书长期有效，不用续期。"))
    return give_certificate(
        actor=actor,
        org_id=row.org_id,
        template_id=row.version.template_id,
        recipient=Recipient(row.holder_id, values),
        key=f"after:{row.pk}",
        replaces_id=row.pk,
        now=now,
    )


def restore_revocations(*, now: datetime, on_progress: Callable[[int], None] = lambda _count: None) -> int:
    """Revoke again what the evidence log says was revoked and the table no longer says; returns how many there were.

    Status lists are made from the table. One look-up for each certificate that is not revoked.
    """
    restored = 0
    rows = Certificate.objects.filter(revoked_at__isnull=True).only("pk", "number", "kind").order_by("pk")
    for count, row in enumerate(rows.iterator(chunk_size=2000), start=1):
        if moment := was_revoked(row):
            restored += _restored(row, moment, now)
        if count % 1000 == 0:
            on_progress(count)
    return restored


@transaction.atomic
def _restored(row: Certificate, moment: datetime, now: datetime) -> int:
    if not Certificate.objects.filter(pk=row.pk, revoked_at__isnull=True).update(revoked_at=moment):
        return 0
    details = {"number": row.number, "revoked_at": moment.isoformat()}
    audit.record(
        actor=SYSTEM, action="certificates.revocation_restored", target=f"certificate:{row.pk}", details=details, now=now
    )
    return 1
