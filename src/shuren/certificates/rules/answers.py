"""OCSP answers as caches between see them."""

from asn1crypto.ocsp import OCSPResponse


def may_be_kept(answer: bytes) -> bool:
    """Whether an answer serves whoever else asks the same: signed, without a nonce, and about certificates that are known."""
    response = OCSPResponse.load(answer)
    if response["response_status"].native != "successful":
        return False
    data = response.response_data
    has_nonce = any(entry["extn_id"].native == "nonce" for entry in data["response_extensions"])
    return not has_nonce and all(single["cert_status"].name != "unknown" for single in data["responses"])


def too_many() -> bytes:
    """`tryLater`, without a signature (RFC 6960 §2.3)."""
    return bytes(OCSPResponse({"response_status": "try_later"}).dump())
