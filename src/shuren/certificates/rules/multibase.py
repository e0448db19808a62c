"""Base58btc and Multikey (W3C Controlled Identifiers 1.0) of Ed25519 keys, and the key inside a did:key."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"
_KEY_BYTES = 32
_LONGEST = 120


def base58(data: bytes) -> str:
    """Multibase text with its letter z."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _LETTERS[rest] + text
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str) -> bytes:
    """The bytes of multibase text; raises `ValueError`."""
    if not text.startswith("z") or len(text) > _LONGEST:
        raise ValueError("not base58btc multibase")
    body, number = text[1:], 0
    for letter in body:
        number = number * 58 + _LETTERS.index(letter)
    zeros = len(body) - len(body.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def multikey(spki: bytes) -> str:
    """`publicKeyMultibase` of an Ed25519 key given as SubjectPublicKeyInfo."""
    return base58(_ED25519 + key_of_spki(spki))


def key_of_spki(spki: bytes) -> bytes:
    """The 32 bytes of an Ed25519 key given as SubjectPublicKeyInfo."""
    key = load_der_public_key(spki)
    assert isinstance(key, Ed25519PublicKey)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_of_multikey(text: str) -> bytes:
    """The 32 bytes of the Ed25519 key; raises `ValueError` for other kinds of keys."""
    data = from_base58(text)
    if not data.startswith(_ED25519) or len(data) != _KEY_BYTES + len(_ED25519):
        raise ValueError("not an Ed25519 multikey")
    return data[len(_ED25519) :]


def key_of_did(method: str) -> bytes | None:
    """The Ed25519 key that a did:key verification method names itself; None for other methods."""
    if not method.startswith("did:key:z"):
        return None
    try:
        return key_of_multikey(method.removeprefix("did:key:").split("#")[0])
    except ValueError:
        return None


def is_signed(data: bytes, signature: bytes, *, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
