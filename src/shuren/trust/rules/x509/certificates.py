"""X.509 certificates (RFC 5280; GM/T 0015 for SM2) built and read."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto.core import OctetString
from asn1crypto.keys import PublicKeyInfo
from asn1crypto.pem import detect, unarmor
from asn1crypto.x509 import Certificate, DistributionPointName, Extension, GeneralName, Name, TbsCertificate, Time

from shuren.trust.data import CertificateKind, KeyAlgorithm, SubjectName
from shuren.trust.rules.x509.algorithms import signature_algorithm

Sign = Callable[[bytes], bytes]
# 127 random bits and a positive sign: RFC 5280 allows 20 bytes, the browsers' forum asks for 64 random bits.
_SERIAL_BITS = 127
# RFC 9336.
_DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
_KEY_USAGES: dict[CertificateKind, set[str]] = {
    CertificateKind.PERSON: {"digital_signature", "non_repudiation"},
    CertificateKind.UNIT: {"digital_signature", "non_repudiation"},
    CertificateKind.DEVICE: {"digital_signature", "key_agreement"},
    CertificateKind.TIMESTAMP: {"digital_signature", "non_repudiation"},
    CertificateKind.DOCUMENT: {"digital_signature", "non_repudiation"},
    CertificateKind.AUTHORITY: {"key_cert_sign", "crl_sign", "digital_signature"},
}
_EXTENDED_USAGES: dict[CertificateKind, list[str]] = {
    CertificateKind.PERSON: ["client_auth", "email_protection"],
    CertificateKind.UNIT: ["client_auth"],
    CertificateKind.DEVICE: ["server_auth", "client_auth"],
    CertificateKind.TIMESTAMP: ["time_stamping"],
    CertificateKind.DOCUMENT: [_DOCUMENT_SIGNING],
    CertificateKind.AUTHORITY: [],
}


class NotACertificate(Exception):
    """The bytes are not an X.509 certificate, or not a PEM text of some."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where relying parties find more about an authority; an empty one is left out of its certificates."""

    crl: str = ""
    ocsp: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whoever signs: its name and key id as they stand in its own certificate, its algorithm, and its pen."""

    name: Name
    key_id: bytes
    algorithm: KeyAlgorithm
    sign: Sign
    addresses: Addresses = field(default_factory=Addresses)


def made_serial() -> int:
    return secrets.randbits(_SERIAL_BITS) | 1 << _SERIAL_BITS - 1


def name_of(subject: SubjectName) -> Name:
    parts = {
        "country_name": subject.country,
        "organization_name": subject.organization,
        "organizational_unit_name": subject.unit,
        "common_name": subject.common_name,
        "serial_number": subject.serial_number,
    }
    return Name.build({kind: text for kind, text in parts.items() if text})


def key_id_of_spki(spki: bytes) -> bytes:
    """RFC 5280 §4.2.1.2 (1): SHA-1 of the key's bits; a name for it, no proof of anything."""
    return bytes(PublicKeyInfo.load(spki).sha1)


def build_certificate(
    *,
    kind: CertificateKind,
    subject: SubjectName,
    spki: bytes,
    serial: int,
    begins_at: datetime,
    ends_at: datetime,
    issuer: Issuer,
    path_length: int | None = None,
) -> bytes:
    """A signed certificate in DER. `path_length` is how many authorities may stand below this one."""
    signing = signature_algorithm(issuer.algorithm)
    tbs = TbsCertificate(
        {
            "version": "v3",
            "serial_number": serial,
            "signature": signing,
            "issuer": issuer.name,
            "validity": {"not_before": time_of(begins_at), "not_after": time_of(ends_at)},
            "subject": name_of(subject),
            "subject_public_key_info": PublicKeyInfo.load(spki),
            "extensions": _extensions(kind, subject, spki, issuer, path_length),
        }
    )
    parts = {"tbs_certificate": tbs, "signature_algorithm": signing, "signature_value": issuer.sign(tbs.dump())}
    return bytes(Certificate(parts).dump())


def time_of(moment: datetime) -> Time:
    # RFC 5280 §4.1.2.5: UTCTime through 2049.
    return Time("utc_time" if moment.year < 2050 else "general_time", moment.replace(microsecond=0))


def _address(text: str) -> GeneralName:
    return GeneralName("uniform_resource_identifier", text)


def _extensions(
    kind: CertificateKind, subject: SubjectName, spki: bytes, issuer: Issuer, path_length: int | None
) -> list[Extension]:
    is_authority = kind is CertificateKind.AUTHORITY
    constraints: dict[str, Any] = {"ca": is_authority}
    if is_authority and path_length is not None:
        constraints["path_len_constraint"] = path_length
    found: list[tuple[str, bool, Any]] = [
        ("basic_constraints", True, constraints),
        ("key_usage", True, _KEY_USAGES[kind]),
        ("key_identifier", False, OctetString(key_id_of_spki(spki))),
        ("authority_key_identifier", False, {"key_identifier": issuer.key_id}),
    ]
    if _EXTENDED_USAGES[kind]:
        # RFC 3161 §2.3 wants it critical for timestamps.
        found.append(("extended_key_usage", kind is CertificateKind.TIMESTAMP, _EXTENDED_USAGES[kind]))
    if subject.dns_names:
        found.append(("subject_alt_name", False, [GeneralName("dns_name", name) for name in subject.dns_names]))
    if issuer.addresses.crl:
        point = {"distribution_point": DistributionPointName("full_name", [_address(issuer.addresses.crl)])}
        found.append(("crl_distribution_points", False, [point]))
    ways = [("ocsp", issuer.addresses.ocsp), ("ca_issuers", issuer.addresses.issuer)]
    described = [{"access_method": way, "access_location": _address(address)} for way, address in ways if address]
    if described:
        found.append(("authority_information_access", False, described))
    return [Extension({"extn_id": id, "critical": is_critical, "extn_value": value}) for id, is_critical, value in found]


def read_certificate(der: bytes) -> Certificate:
    """A certificate with all its parts read, so that nothing malformed is found only later; raises `NotACertificate`."""
    try:
        found = Certificate.load(der, strict=True)
        _ = found.native
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as fault:
        raise NotACertificate(str(fault)) from None
    return found


def certificates_in(text: bytes) -> list[bytes]:
    """DER of every certificate of a PEM text, or of one DER; raises `NotACertificate`."""
    try:
        ders = [der for _label, _headers, der in unarmor(text, multiple=True)] if detect(text) else [text]
    except (ValueError, TypeError) as fault:
        raise NotACertificate(str(fault)) from None
    return [bytes(read_certificate(der).dump()) for der in ders]


def subject_text(der: bytes) -> str:
    """The subject as RFC 4514 writes it, most particular part first."""
    return name_text(read_certificate(der).subject)


def name_text(name: Name) -> str:
    short = {
        "country_name": "C",
        "organization_name": "O",
        "organizational_unit_name": "OU",
        "common_name": "CN",
        "serial_number": "serialNumber",
        "state_or_province_name": "ST",
        "locality_name": "L",
    }
    parts: Sequence[Any] = [part for relative in name.chosen for part in relative]
    texts = (f"{short.get(part['type'].native, part['type'].dotted)}={_escaped(str(part.native['value']))}" for part in parts)
    return ",".join(reversed(list(texts)))


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in ',+"\\<>;=' else letter for letter in text)
