"""What an authority issued goes on record, whoever it is for: revocation lists and OCSP answer from these rows."""

from datetime import datetime
from hashlib import sha256

from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.trust.data import CertificateKind
from shuren.trust.models import Authority, Certificate
from shuren.trust.rules.x509.certificates import read_certificate, subject_text


def keep_issued(
    der: bytes,
    *,
    authority: Authority,
    kind: CertificateKind,
    begins_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
    former: Certificate | None = None,
) -> Certificate:
    """The row of a certificate that `authority` has just signed, in the caller's transaction; `trust.certificate_issued`."""
    made = read_certificate(der)
    row = Certificate.objects.create(
        authority=authority,
        kind=kind.value,
        serial=f"{made.serial_number:x}",
        subject=subject_text(der)[:400],
        der=der,
        spki_digest=sha256(bytes(made.public_key.dump())).hexdigest(),
        begins_at=begins_at,
        ends_at=ends_at,
        renewed_from=former,
    )
    target, details, payload = facts_of_step(row)
    audit.record(actor=actor, action="trust.certificate_issued", target=target, details=details, now=now)
    events.publish("trust.certificate_issued", payload, now=now)
    return row


def facts_of_step(row: Certificate) -> tuple[str, dict[str, object], dict[str, object]]:
    """What the audit trail is told of a step of a certificate, target and details, and what its event carries."""
    beside: dict[str, object] = {"kind": row.kind, "authority": row.authority.code}
    details = {"serial": row.serial, **beside, "reason": row.reason}
    return f"certificate:{row.pk}", details, {"certificate_id": row.pk, **beside}
