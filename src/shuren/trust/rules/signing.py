"""Signing with any of the four algorithms, given the private part as PKCS#8: pure, so that it can be tried on any key.

Signatures are RAW in here; `in_form` and `raw_form` turn them into DER and back where the algorithm knows both.
"""

import base64
from hashlib import sha256
from typing import Any, Protocol

from asn1crypto.keys import PrivateKeyInfo
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shuren.trust.data import KeyAlgorithm, SignatureForm
from shuren.trust.rules.crypto import sm2
from shuren.trust.rules.crypto.encoding import NotAKey, NotASignature, der_of_raw, raw_of_der, sm2_point_of_spki, spki_of_sm2

# NIST SP 800-57: enough until 2030, and a key of this kind is replaced long before.
RSA_BITS = 2048
_TWO_NUMBERS = {KeyAlgorithm.ES256, KeyAlgorithm.SM2}
_JOSE_KINDS: dict[KeyAlgorithm, Any] = {
    KeyAlgorithm.ED25519: OKPKey,
    KeyAlgorithm.ES256: ECKey,
    KeyAlgorithm.RS256: RSAKey,
}


class Signer(Protocol):
    """Whatever holds a private key: memory of this process, or a token that never gives it out."""

    def sign(self, data: bytes) -> bytes:
        """The RAW signature over `data`, hashed as the algorithm says."""


class SoftwareSigner:
    """A private key in the memory of this process."""

    def __init__(self, pkcs8: bytes, algorithm: KeyAlgorithm) -> None:
        self._algorithm = algorithm
        self._key: Any = sm2.Sm2Key.of_pkcs8(pkcs8) if algorithm is KeyAlgorithm.SM2 else _loaded(pkcs8, algorithm)

    def sign(self, data: bytes) -> bytes:
        if self._algorithm is KeyAlgorithm.SM2:
            return sm2.sign(data, key=self._key)
        if self._algorithm is KeyAlgorithm.ES256:
            return raw_of_der(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        if self._algorithm is KeyAlgorithm.RS256:
            return bytes(self._key.sign(data, padding.PKCS1v15(), hashes.SHA256()))
        return bytes(self._key.sign(data))

    @property
    def spki(self) -> bytes:
        if self._algorithm is KeyAlgorithm.SM2:
            return spki_of_sm2(self._key.point)
        public = self._key.public_key()
        return bytes(public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def made_pkcs8(algorithm: KeyAlgorithm) -> bytes:
    """A fresh private key, PKCS#8 in DER, unencrypted."""
    if algorithm is KeyAlgorithm.SM2:
        return sm2.Sm2Key.made().pkcs8
    key: Any
    if algorithm is KeyAlgorithm.ES256:
        key = ec.generate_private_key(ec.SECP256R1())
    elif algorithm is KeyAlgorithm.RS256:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.DER, *form))


def verifies(data: bytes, signature: bytes, *, spki: bytes, algorithm: KeyAlgorithm) -> bool:
    """Whether the RAW `signature` over `data` was made with the key of `spki`; malformed ones are simply wrong."""
    try:
        if algorithm is KeyAlgorithm.SM2:
            return sm2.verify(data, signature, point=sm2_point_of_spki(spki))
        key: Any = _public(spki, algorithm)
        if algorithm is KeyAlgorithm.ES256:
            if len(signature) != 64:
                return False
            key.verify(der_of_raw(signature), data, ec.ECDSA(hashes.SHA256()))
        elif algorithm is KeyAlgorithm.RS256:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def in_form(signature: bytes, *, algorithm: KeyAlgorithm, form: SignatureForm) -> bytes:
    """A RAW signature written in `form`."""
    return der_of_raw(signature) if form is SignatureForm.DER and algorithm in _TWO_NUMBERS else signature


def raw_form(signature: bytes, *, algorithm: KeyAlgorithm, form: SignatureForm) -> bytes | None:
    """The RAW form of a signature that came in `form`; None when it is not one."""
    if form is SignatureForm.RAW or algorithm not in _TWO_NUMBERS:
        return signature
    try:
        return raw_of_der(signature)
    except NotASignature:
        return None


def key_id_of(spki: bytes, algorithm: KeyAlgorithm) -> str:
    """The RFC 7638 thumbprint, or for SM2 the SHA-256 of `spki`; base64url, 43 letters."""
    if algorithm is KeyAlgorithm.SM2:
        return base64.urlsafe_b64encode(sha256(spki).digest()).rstrip(b"=").decode()
    return str(_JOSE_KINDS[algorithm].import_key(pem_of(spki)).thumbprint())


def jwk_of(pem: str, algorithm: KeyAlgorithm, *, key_id: str, is_private: bool = False) -> dict[str, Any]:
    """The JSON Web Key (RFC 7517) of a PEM text, with `kid`, `use` and `alg`; raises `NotAKey` for SM2."""
    if algorithm is KeyAlgorithm.SM2:
        raise NotAKey("JOSE has no SM2")
    alg = "EdDSA" if algorithm is KeyAlgorithm.ED25519 else algorithm.value
    key = _JOSE_KINDS[algorithm].import_key(pem, {"kid": key_id, "use": "sig", "alg": alg})
    return dict(key.as_dict(private=is_private))


def pem_of(der: bytes, label: str = "PUBLIC KEY") -> str:
    body = base64.encodebytes(der).replace(b"\n", b"").decode()
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def algorithm_of_pkcs8(pkcs8: bytes) -> KeyAlgorithm:
    """Which of the four a private key is for; raises `NotAKey` for any other."""
    try:
        kind = PrivateKeyInfo.load(pkcs8)["private_key_algorithm"]
        name = kind["algorithm"].native
        curve_oid = kind["parameters"].chosen.dotted if name == "ec" else ""
    except (ValueError, TypeError, AttributeError) as fault:
        raise NotAKey(str(fault)) from None
    known = {
        ("ed25519", ""): KeyAlgorithm.ED25519,
        ("rsa", ""): KeyAlgorithm.RS256,
        ("ec", "1.2.840.10045.3.1.7"): KeyAlgorithm.ES256,
        ("ec", "1.2.156.10197.1.301"): KeyAlgorithm.SM2,
    }
    if (name, curve_oid) not in known:
        raise NotAKey(f"a key of another kind: {name} {curve_oid}")
    return known[name, curve_oid]


def _loaded(pkcs8: bytes, algorithm: KeyAlgorithm) -> Any:
    if algorithm_of_pkcs8(pkcs8) is not algorithm:
        raise NotAKey(f"not a key for {algorithm.value}")
    try:
        return serialization.load_der_private_key(pkcs8, password=None)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise NotAKey(str(fault)) from None


def _public(spki: bytes, algorithm: KeyAlgorithm) -> Any:
    kinds = {
        KeyAlgorithm.ES256: ec.EllipticCurvePublicKey,
        KeyAlgorithm.RS256: rsa.RSAPublicKey,
        KeyAlgorithm.ED25519: ed25519.Ed25519PublicKey,
    }
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise NotAKey(str(fault)) from None
    if not isinstance(key, kinds[algorithm]):
        raise NotAKey(f"not a key for {algorithm.value}")
    return key
