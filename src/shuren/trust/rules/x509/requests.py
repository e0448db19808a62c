"""Certification requests (PKCS#10, RFC 2986): a public key, and the proof that the asker holds its private part."""

from dataclasses import dataclass

from asn1crypto.csr import CertificationRequest, CertificationRequestInfo
from asn1crypto.keys import PublicKeyInfo
from asn1crypto.pem import detect, unarmor

from shuren.trust.data import KeyAlgorithm, SignatureForm, SubjectName
from shuren.trust.rules.crypto.encoding import NotAKey
from shuren.trust.rules.signing import raw_form, verifies
from shuren.trust.rules.x509.algorithms import algorithm_of_signature, algorithm_of_spki, signature_algorithm
from shuren.trust.rules.x509.certificates import Sign, name_of, name_text

MAX_BYTES = 16_384


class NotARequest(Exception):
    """The bytes are not a request, its key is of no kind that is certified, or the proof of possession fails."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a request proves: the key. The name in it is a wish only, and nothing is certified for being wished."""

    spki: bytes
    algorithm: KeyAlgorithm
    wished_name: str


def read_request(text: bytes) -> RequestFacts:
    """Read PEM or DER and check the proof of possession; raises `NotARequest`."""
    if len(text) > MAX_BYTES:
        raise NotARequest("too long")
    try:
        der = unarmor(text)[2] if detect(text) else text
        request = CertificationRequest.load(der, strict=True)
        info = request["certification_request_info"]
        spki = bytes(info["subject_pk_info"].dump())
        algorithm = algorithm_of_spki(spki)
        if algorithm_of_signature(request["signature_algorithm"]) is not algorithm:
            raise NotARequest("signed with an algorithm that does not fit the key")
        raw = raw_form(bytes(request["signature"].native), algorithm=algorithm, form=SignatureForm.DER)
        if raw is None or not verifies(bytes(info.dump()), raw, spki=spki, algorithm=algorithm):
            raise NotARequest("the signature does not prove possession of the key")
        return RequestFacts(spki=spki, algorithm=algorithm, wished_name=name_text(info["subject"]))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, NotAKey) as fault:
        raise NotARequest(str(fault)) from None


def build_request(*, subject: SubjectName, spki: bytes, algorithm: KeyAlgorithm, sign: Sign) -> bytes:
    """A request in DER for a key of ours, to be signed by an authority elsewhere."""
    info = CertificationRequestInfo(
        {"version": "v1", "subject": name_of(subject), "subject_pk_info": PublicKeyInfo.load(spki), "attributes": []}
    )
    parts = {
        "certification_request_info": info,
        "signature_algorithm": signature_algorithm(algorithm),
        "signature": sign(info.dump()),
    }
    return bytes(CertificationRequest(parts).dump())
