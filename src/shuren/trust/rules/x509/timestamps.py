"""Timestamps (RFC 3161, RFC 5816): a signed word that a digest was there at a moment."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto.cms import CMSAttribute, CMSAttributes, ContentInfo, SignedData
from asn1crypto.core import ParsableOctetString
from asn1crypto.tsp import TimeStampReq, TimeStampResp, TSTInfo
from asn1crypto.x509 import Certificate

from shuren.trust.data import KeyAlgorithm, SignatureForm
from shuren.trust.rules.crypto.digests import sm3
from shuren.trust.rules.signing import raw_form, verifies
from shuren.trust.rules.x509.algorithms import SM3_OID, algorithm_of_spki, signature_algorithm
from shuren.trust.rules.x509.certificates import Sign, read_certificate

# One policy (docs/howto/digital-certificates.md): the clock of the server, within a second. The arc is made from a UUID (X.667).
POLICY_OID = "2.25.121120964760372136691907042033855856145"
SHA256_OID = "2.16.840.1.101.3.4.2.1"
_DIGEST_BYTES = {SHA256_OID: 32, "2.16.840.1.101.3.4.2.2": 48, "2.16.840.1.101.3.4.2.3": 64, SM3_OID: 32}


@dataclass(frozen=True, slots=True)
class TimestampQuestion:
    """The digest that shall be stamped, by the object identifier of its algorithm."""

    digest_oid: str
    digest: bytes
    nonce: int | None = None
    wants_certificate: bool = False


@dataclass(frozen=True, slots=True)
class TimestampFacts:
    """What a token says, once its signature held."""

    digest_oid: str
    digest: bytes
    stamped_at: datetime
    serial: int


class Refused(Exception):
    """PKIFailureInfo of RFC 3161 §2.4.2: `bad_request`, `bad_alg`, `bad_data_format`, `unaccepted_policy`."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


def read_timestamp_request(der: bytes) -> TimestampQuestion:
    """Raises `Refused` with the failure that the answer shall name."""
    try:
        request = TimeStampReq.load(der, strict=True)
        imprint = request["message_imprint"]
        oid, digest = imprint["hash_algorithm"]["algorithm"].dotted, bytes(imprint["hashed_message"].native)
        nonce, policy = request["nonce"].native, request["req_policy"]
        wanted = policy.dotted if policy.native is not None else POLICY_OID
        has_extensions = bool(request["extensions"].native)
        wants = bool(request["cert_req"].native)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused("bad_data_format") from None
    if oid not in _DIGEST_BYTES:
        raise Refused("bad_alg")
    if len(digest) != _DIGEST_BYTES[oid] or has_extensions:
        raise Refused("bad_data_format" if not has_extensions else "unaccepted_extensions")
    if wanted != POLICY_OID:
        raise Refused("unaccepted_policy")
    return TimestampQuestion(oid, digest, nonce, wants)


def build_token(
    question: TimestampQuestion, *, now: datetime, certificate: bytes, chain: Sequence[bytes], algorithm: KeyAlgorithm, sign: Sign
) -> bytes:
    """A TimeStampToken in DER, with the certificates where they were asked for; all digests in it go with the key.

    That is SM3 for SM2, and SHA-256 for the rest.
    """
    content: dict[str, Any] = {
        "version": "v1",
        "policy": POLICY_OID,
        "message_imprint": {"hash_algorithm": {"algorithm": question.digest_oid}, "hashed_message": question.digest},
        "serial_number": secrets.randbits(127),
        "gen_time": now.replace(microsecond=0),
        "accuracy": {"seconds": 1},
    }
    if question.nonce is not None:
        content["nonce"] = question.nonce
    info = TSTInfo(content).dump()
    own = read_certificate(certificate)
    oid, hashed = _digest_beside(algorithm)
    named: dict[str, Any] = {"cert_hash": hashed(certificate)}
    if oid != SHA256_OID:
        # RFC 5035: SHA-256 is the default, and is left out.
        named["hash_algorithm"] = {"algorithm": oid}
    attributes = CMSAttributes(
        [
            CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            CMSAttribute({"type": "message_digest", "values": [hashed(info)]}),
            CMSAttribute({"type": "signing_certificate_v2", "values": [{"certs": [named]}]}),
        ]
    )
    signer = {
        "version": "v1",
        "sid": ("issuer_and_serial_number", {"issuer": own.issuer, "serial_number": own.serial_number}),
        "digest_algorithm": {"algorithm": oid},
        "signed_attrs": attributes,
        "signature_algorithm": signature_algorithm(algorithm),
        "signature": sign(attributes.dump()),
    }
    signed: dict[str, Any] = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": oid}],
        "encap_content_info": {"content_type": "tst_info", "content": ParsableOctetString(info)},
        "signer_infos": [signer],
    }
    if question.wants_certificate:
        signed["certificates"] = [read_certificate(der) for der in (certificate, *chain)]
    return bytes(ContentInfo({"content_type": "signed_data", "content": SignedData(signed)}).dump())


def _digest_beside(algorithm: KeyAlgorithm) -> tuple[str, Callable[[bytes], bytes]]:
    if algorithm is KeyAlgorithm.SM2:
        return SM3_OID, sm3
    return SHA256_OID, lambda data: sha256(data).digest()


def granted(token: bytes) -> bytes:
    """The TimeStampResp around a token."""
    return bytes(TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": ContentInfo.load(token)}).dump())


def rejected(failure: str) -> bytes:
    """The TimeStampResp that says why not."""
    # asn1crypto writes an empty token otherwise, which RFC 3161 leaves out.
    status = TimeStampResp._fields[0][1]({"status": "rejection", "fail_info": {failure}})
    body = status.dump()
    return b"\x30" + bytes([len(body)]) + bytes(body)


def read_token(token: bytes, *, certificate: bytes) -> TimestampFacts | None:
    """What the token says, or None where it was not signed by the owner of `certificate` or was changed."""
    try:
        signed = ContentInfo.load(token, strict=True)["content"]
        info_bytes = bytes(signed["encap_content_info"]["content"].contents)
        info = signed["encap_content_info"]["content"].parsed
        signer = signed["signer_infos"][0]
        attributes = {entry["type"].native: entry["values"][0] for entry in signer["signed_attrs"]}
        own: Certificate = read_certificate(certificate)
        spki = bytes(own.public_key.dump())
        algorithm = algorithm_of_spki(spki)
        oid, hashed = _digest_beside(algorithm)
        named = attributes["signing_certificate_v2"]["certs"][0]
        raw = raw_form(bytes(signer["signature"].native), algorithm=algorithm, form=SignatureForm.DER)
        # The attributes are signed as a SET OF, whatever tag stands in the message (RFC 5652 §5.4).
        data = b"\x31" + bytes(signer["signed_attrs"].dump())[1:]
        holds = (
            raw is not None
            and verifies(data, raw, spki=spki, algorithm=algorithm)
            and signer["digest_algorithm"]["algorithm"].dotted == oid
            and attributes["message_digest"].native == hashed(info_bytes)
            and attributes["content_type"].native == "tst_info"
            and named["hash_algorithm"]["algorithm"].dotted == oid
            and named["cert_hash"].native == hashed(certificate)
        )
        imprint = info["message_imprint"]
        facts = TimestampFacts(
            digest_oid=imprint["hash_algorithm"]["algorithm"].dotted,
            digest=bytes(imprint["hashed_message"].native),
            stamped_at=info["gen_time"].native,
            serial=int(info["serial_number"].native),
        )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None
    return facts if holds else None
