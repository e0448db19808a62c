"""A private key with its certificate as one file for the owner: PKCS#12 (RFC 7292), or PEM for SM2."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from shuren.trust.data import KeyAlgorithm, KeyFile
from shuren.trust.rules.crypto.pem import locked_pem
from shuren.trust.rules.signing import pem_of


def key_file(pkcs8: bytes, *, algorithm: KeyAlgorithm, chain: Sequence[bytes], passphrase: str, name: str) -> KeyFile:
    """`chain` is the owner's certificate and those above it; everything private stands under `passphrase`."""
    if algorithm is KeyAlgorithm.SM2:
        # Browsers' and systems' PKCS#12 readers know no SM2; OpenSSL and national clients read this.
        parts = [locked_pem(pkcs8, passphrase.encode()), *(pem_of(der, "CERTIFICATE").encode() for der in chain)]
        return KeyFile(name=f"{name}.pem", content=b"".join(parts), media_type="application/x-pem-file")
    own, *above = (x509.load_der_x509_certificate(der) for der in chain)
    key = serialization.load_der_private_key(pkcs8, password=None)
    lock = serialization.BestAvailableEncryption(passphrase.encode())
    content = pkcs12.serialize_key_and_certificates(name.encode(), key, own, above, lock)  # type: ignore[arg-type]  # keys of the four algorithms only
    return KeyFile(name=f"{name}.p12", content=content, media_type="application/x-pkcs12")
