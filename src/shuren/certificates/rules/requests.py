"""What stands in the request of a region below; the proof in it is checked by `trust`."""

from hashlib import sha256

from asn1crypto.csr import CertificationRequest
from asn1crypto.pem import detect, unarmor
from asn1crypto.x509 import Certificate

from shuren.trust.data import SubjectName

_PARTS = {
    "country_name": "country",
    "organization_name": "organization",
    "organizational_unit_name": "unit",
    "common_name": "common_name",
    "serial_number": "serial_number",
}


class UnusableName(Exception):
    """The name in a request has a part that certificates here do not carry, or says nothing."""


def subject_in(request: bytes) -> SubjectName:
    """The name for which a request asks; raises `UnusableName`. A region's authority keeps its name, so it is taken over."""
    try:
        der = unarmor(request)[2] if detect(request) else request
        native = CertificationRequest.load(der, strict=True)["certification_request_info"]["subject"].native
        parts = {_PARTS[kind]: str(text) for kind, text in native.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise UnusableName(str(fault)) from None
    if not parts.get("common_name", "").strip():
        raise UnusableName("common_name")
    return SubjectName(
        common_name=parts["common_name"],
        organization=parts.get("organization", ""),
        unit=parts.get("unit", ""),
        serial_number=parts.get("serial_number", ""),
        country=parts.get("country", ""),
    )


def key_fingerprint(spki: bytes) -> str:
    """SHA-256 of a public key as people compare it by telephone: pairs of digits with colons."""
    return sha256(spki).digest().hex(":").upper()


def key_in(certificate: bytes) -> bytes:
    """The public key (SubjectPublicKeyInfo) of a certificate in DER."""
    return bytes(Certificate.load(certificate).public_key.dump())
