"""Private keys as PEM files under a passphrase: PKCS#8 with PBES2 (PBKDF2-HMAC-SHA-256, AES-256-CBC), RFC 8018.

`cryptography` reads and writes such files for the curves it knows; SM2 keys come the same way, and OpenSSL reads both.
"""

import hashlib
import secrets

from asn1crypto.keys import EncryptedPrivateKeyInfo, PrivateKeyInfo
from asn1crypto.pem import armor, unarmor
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

# OWASP's figure for PBKDF2-HMAC-SHA-256; a key file is opened once per process.
ITERATIONS = 600_000
_KEY_BYTES = 32


class NotOpened(Exception):
    """Not a key file, or another passphrase."""


def locked_pem(pkcs8: bytes, passphrase: bytes) -> bytes:
    """The PEM text of a key under `passphrase`; an empty passphrase leaves it readable by whoever reads the file."""
    if not passphrase:
        return bytes(armor("PRIVATE KEY", pkcs8))
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(_derived(passphrase, salt, ITERATIONS)), modes.CBC(nonce)).encryptor()
    body = encryptor.update(padder.update(pkcs8) + padder.finalize()) + encryptor.finalize()
    derivation = {"salt": ("specified", salt), "iteration_count": ITERATIONS, "prf": {"algorithm": "sha256"}}
    parameters = {
        "key_derivation_func": {"algorithm": "pbkdf2", "parameters": derivation},
        "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": nonce},
    }
    locked = EncryptedPrivateKeyInfo(
        {"encryption_algorithm": {"algorithm": "pbes2", "parameters": parameters}, "encrypted_data": body}
    )
    return bytes(armor("ENCRYPTED PRIVATE KEY", locked.dump()))


def pkcs8_of_pem(text: bytes, passphrase: bytes) -> bytes:
    """PKCS#8 in DER out of a PEM text; raises `NotOpened`."""
    try:
        label, _headers, der = unarmor(text)
        if label == "PRIVATE KEY":
            return bytes(PrivateKeyInfo.load(der, strict=True).dump())
        if label != "ENCRYPTED PRIVATE KEY":
            raise NotOpened(f"a PEM text of another kind: {label}")
        locked = EncryptedPrivateKeyInfo.load(der, strict=True)
        parameters = locked["encryption_algorithm"]["parameters"]
        derivation, scheme = parameters["key_derivation_func"], parameters["encryption_scheme"]
        numbers = derivation["parameters"]
        if scheme["algorithm"].native != "aes256_cbc" or numbers["prf"]["algorithm"].native != "sha256":
            raise NotOpened("locked with another algorithm than AES-256-CBC and PBKDF2 with SHA-256")
        key = _derived(passphrase, numbers["salt"].native, int(numbers["iteration_count"].native))
        decryptor = Cipher(algorithms.AES256(key), modes.CBC(scheme["parameters"].native)).decryptor()
        body = decryptor.update(locked["encrypted_data"].native) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        return bytes(PrivateKeyInfo.load(unpadder.update(body) + unpadder.finalize(), strict=True).dump())
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotOpened("not a key file, or another passphrase") from None


def _derived(passphrase: bytes, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase, salt, iterations, _KEY_BYTES)
