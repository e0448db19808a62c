"""Certificate revocation lists (RFC 5280 §5) and OCSP answers (RFC 6960, RFC 8954)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto.core import OctetString
from asn1crypto.crl import CertificateList, TbsCertList
from asn1crypto.ocsp import BasicOCSPResponse, CertId, CertStatus, OCSPRequest, OCSPResponse, ResponseData
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives import hashes

from shuren.trust.data import RevocationReason
from shuren.trust.rules.crypto.digests import sm3
from shuren.trust.rules.x509.algorithms import SM3_OID, signature_algorithm
from shuren.trust.rules.x509.certificates import Issuer, time_of

MAX_REQUESTS = 20
MAX_NONCE_BYTES = 32
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "1.3.14.3.2.26": hashes.SHA1,
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class Revocation:
    """One line of a list."""

    serial: int
    revoked_at: datetime
    reason: RevocationReason


def build_crl(revoked: Iterable[Revocation], *, number: int, now: datetime, next_at: datetime, issuer: Issuer) -> bytes:
    """A full list in DER, version 2, with its number."""
    signing = signature_algorithm(issuer.algorithm)
    content: dict[str, Any] = {
        "version": "v2",
        "signature": signing,
        "issuer": issuer.name,
        "this_update": time_of(now),
        "next_update": time_of(next_at),
        "crl_extensions": [
            {"extn_id": "authority_key_identifier", "critical": False, "extn_value": {"key_identifier": issuer.key_id}},
            {"extn_id": "crl_number", "critical": False, "extn_value": number},
        ],
    }
    entries = [_entry(line) for line in revoked]
    if entries:
        # RFC 5280 §5.1.2.6: an empty list is left out, not written as empty.
        content["revoked_certificates"] = entries
    tbs = TbsCertList(content)
    parts = {"tbs_cert_list": tbs, "signature_algorithm": signing, "signature": issuer.sign(tbs.dump())}
    return bytes(CertificateList(parts).dump())


def _entry(line: Revocation) -> dict[str, Any]:
    entry: dict[str, Any] = {"user_certificate": line.serial, "revocation_date": time_of(line.revoked_at)}
    if line.reason is not RevocationReason.UNSPECIFIED:
        # RFC 5280 §5.3.1: no reason is told by leaving it out.
        entry["crl_entry_extensions"] = [{"extn_id": "crl_reason", "critical": False, "extn_value": line.reason.value}]
    return entry


@dataclass(frozen=True, slots=True)
class OcspQuestion:
    """What a relying party asks: identifiers of certificates, and a nonce to be sent back."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None

    @property
    def serials(self) -> list[int]:
        return [int(cert_id["serial_number"].native) for cert_id in self.cert_ids]


def read_ocsp(der: bytes) -> OcspQuestion | None:
    """None for what is no request, or asks for too much."""
    try:
        tbs = OCSPRequest.load(der, strict=True)["tbs_request"]
        extensions = tbs["request_extensions"]
        nonces = [bytes(entry["extn_value"].parsed.native) for entry in extensions if entry["extn_id"].native == "nonce"]
        ids = tuple(single["req_cert"] for single in tbs["request_list"])
        question = OcspQuestion(cert_ids=ids, nonce=nonces[0] if nonces else None)
        _ = question.serials
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None
    fits = 1 <= len(ids) <= MAX_REQUESTS and (question.nonce is None or 1 <= len(question.nonce) <= MAX_NONCE_BYTES)
    return question if fits else None


def asks_about(question: OcspQuestion, issuer: Certificate) -> bool:
    """Whether every identifier names this issuer."""
    return all(_names(cert_id, issuer) for cert_id in question.cert_ids)


def _names(cert_id: CertId, issuer: Certificate) -> bool:
    oid = cert_id["hash_algorithm"]["algorithm"].dotted
    parts = [(cert_id["issuer_name_hash"].native, issuer.subject.dump())]
    parts.append((cert_id["issuer_key_hash"].native, bytes(issuer.public_key["public_key"].contents[1:])))
    if oid == SM3_OID:
        return all(sm3(bytes(data)) == digest for digest, data in parts)
    return oid in _HASHES and all(_hashed(_HASHES[oid](), bytes(data)) == digest for digest, data in parts)


def _hashed(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    running = hashes.Hash(algorithm)
    running.update(data)
    return running.finalize()


def build_ocsp(
    question: OcspQuestion,
    *,
    known: Mapping[int, Revocation | None],
    now: datetime,
    lasts: timedelta,
    issuer: Issuer,
) -> bytes:
    """A signed answer. `known` holds every serial that was issued, with its revocation; others are unknown."""
    responses = [
        {
            "cert_id": cert_id,
            "cert_status": _status(int(cert_id["serial_number"].native), known),
            "this_update": now.replace(microsecond=0),
            "next_update": (now + lasts).replace(microsecond=0),
        }
        for cert_id in question.cert_ids
    ]
    content: dict[str, Any] = {
        "version": "v1",
        "responder_id": ("by_key", issuer.key_id),
        "produced_at": now.replace(microsecond=0),
        "responses": responses,
    }
    if question.nonce is not None:
        nonce = {"extn_id": "nonce", "critical": False, "extn_value": OctetString(question.nonce)}
        content["response_extensions"] = [nonce]
    data = ResponseData(content)
    basic = BasicOCSPResponse(
        {
            "tbs_response_data": data,
            "signature_algorithm": signature_algorithm(issuer.algorithm),
            "signature": issuer.sign(data.dump()),
        }
    )
    body = {"response_type": "basic_ocsp_response", "response": basic}
    return bytes(OCSPResponse({"response_status": "successful", "response_bytes": body}).dump())


def refused_ocsp(status: str) -> bytes:
    """`malformed_request`, `unauthorized` or `internal_error`: an answer without a signature, as RFC 6960 has it."""
    return bytes(OCSPResponse({"response_status": status}).dump())


def _status(serial: int, known: Mapping[int, Revocation | None]) -> CertStatus:
    if serial not in known:
        return CertStatus("unknown")
    line = known[serial]
    if line is None:
        return CertStatus("good")
    status: dict[str, Any] = {"revocation_time": line.revoked_at.replace(microsecond=0)}
    if line.reason is not RevocationReason.UNSPECIFIED:
        status["revocation_reason"] = line.reason.value
    return CertStatus("revoked", status)
