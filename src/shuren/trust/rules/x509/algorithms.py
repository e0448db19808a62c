"""Signature algorithms by their object identifiers: RFC 5758, RFC 8017, RFC 8410, and GM/T 0006 for SM2."""

from asn1crypto.algos import SignedDigestAlgorithm
from asn1crypto.core import Null
from asn1crypto.keys import PublicKeyInfo

from shuren.trust.data import KeyAlgorithm
from shuren.trust.rules.crypto.encoding import SM2_CURVE_OID, NotAKey

SM2_WITH_SM3_OID = "1.2.156.10197.1.501"
SM3_OID = "1.2.156.10197.1.401"
_OIDS = {
    KeyAlgorithm.ES256: "1.2.840.10045.4.3.2",
    KeyAlgorithm.RS256: "1.2.840.113549.1.1.11",
    KeyAlgorithm.ED25519: "1.3.101.112",
    KeyAlgorithm.SM2: SM2_WITH_SM3_OID,
}
_BY_OID = {oid: algorithm for algorithm, oid in _OIDS.items()}
_P256_OID = "1.2.840.10045.3.1.7"


def signature_algorithm(algorithm: KeyAlgorithm) -> SignedDigestAlgorithm:
    value = SignedDigestAlgorithm({"algorithm": _OIDS[algorithm]})
    if algorithm is KeyAlgorithm.RS256:
        value["parameters"] = Null()
    return value


def algorithm_of_signature(value: SignedDigestAlgorithm) -> KeyAlgorithm | None:
    """None for every algorithm that we neither make nor believe, MD5 and SHA-1 among them."""
    return _BY_OID.get(value["algorithm"].dotted)


def algorithm_of_spki(spki: bytes) -> KeyAlgorithm:
    """Which algorithm a public key is for; raises `NotAKey` for kinds and sizes that are not certified here."""
    try:
        info = PublicKeyInfo.load(spki, strict=True)
        kind = info["algorithm"]["algorithm"].native
        if kind == "ec":
            curve_oid = info["algorithm"]["parameters"].chosen.dotted
            if curve_oid in {_P256_OID, SM2_CURVE_OID}:
                return KeyAlgorithm.ES256 if curve_oid == _P256_OID else KeyAlgorithm.SM2
        if kind == "rsa" and info["public_key"].parsed["modulus"].native.bit_length() >= 2048:
            return KeyAlgorithm.RS256
        if kind == "ed25519":
            return KeyAlgorithm.ED25519
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise NotAKey(str(fault)) from None
    raise NotAKey(f"keys of this kind or size are not certified: {kind}")
