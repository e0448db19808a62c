"""What certificates keeps of a person, for their own copy: what they were given, and what they asked for."""

from shuren.certificates.models import Certificate, DigitalCertificate

Rows = list[dict[str, object]]


def certificates_kept(person_id: int) -> Rows:
    rows = Certificate.objects.filter(holder_id=person_id).order_by("-given_at", "-pk")
    columns = (
        "number",
        "kind",
        "version__name",
        "issuer_name",
        "narrative",
        "given_at",
        "valid_until",
        "revoked_at",
        "revoked_reason",
    )
    return [dict(row) for row in rows.values(*columns)]


def digital_certificates_kept(person_id: int) -> Rows:
    rows = DigitalCertificate.objects.filter(person_id=person_id).order_by("-pk")
    columns = ("kind", "status", "org__name", "asked_at", "decided_at", "certificate__serial", "certificate__ends_at")
    return [dict(row) for row in rows.values(*columns)]
