"""Signatures and keys of elliptic curves as bytes: raw r ‖ s, strict DER, and the key files of SM2."""

from asn1crypto.core import Integer, Sequence
from asn1crypto.keys import ECPrivateKey, NamedCurve, PrivateKeyInfo, PublicKeyInfo

from shuren.trust.rules.crypto import curve

SM2_CURVE_OID = "1.2.156.10197.1.301"
_DER_SEQUENCE = 0x30
# asn1crypto must know how long a private key of this curve is before it writes one.
NamedCurve.register("sm2p256v1", SM2_CURVE_OID, curve.BYTES)


class NotASignature(Exception):
    """The bytes are not the encoding of a signature."""


class NotAKey(Exception):
    """The bytes are not a key of the kind that was expected, or its point does not lie on the curve."""


class _EcdsaValue(Sequence):  # type: ignore[misc]  # asn1crypto ships no types
    _fields = [("r", Integer), ("s", Integer)]


def raw_of_der(signature: bytes, *, size: int = curve.BYTES) -> bytes:
    """r ‖ s of a DER signature, `size` bytes each; anything but the one right encoding raises `NotASignature`."""
    if not signature or signature[0] != _DER_SEQUENCE:
        raise NotASignature("no DER sequence")
    try:
        value = _EcdsaValue.load(signature, strict=True)
        r, s = value["r"].native, value["s"].native
        raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, TypeError, OverflowError, AttributeError) as fault:
        raise NotASignature(str(fault)) from None
    if der_of_raw(raw) != signature:
        raise NotASignature("not the shortest encoding")
    return bytes(raw)


def der_of_raw(signature: bytes) -> bytes:
    """The DER form of r ‖ s."""
    half = len(signature) // 2
    if len(signature) % 2 or not half:
        raise NotASignature("r and s differ in length")
    value = _EcdsaValue({"r": int.from_bytes(signature[:half], "big"), "s": int.from_bytes(signature[half:], "big")})
    return bytes(value.dump())


def sm2_point_of(uncompressed: bytes) -> curve.Point:
    """The point of 04 ‖ x ‖ y; one off the curve raises `NotAKey`."""
    if len(uncompressed) != 1 + 2 * curve.BYTES or uncompressed[0] != 4:
        raise NotAKey("not an uncompressed point of 65 bytes")
    x, y = uncompressed[1 : 1 + curve.BYTES], uncompressed[1 + curve.BYTES :]
    point = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if not curve.is_on_curve(point):
        raise NotAKey("the point does not lie on the curve")
    return point


def bytes_of_sm2_point(point: curve.Point) -> bytes:
    return b"\x04" + point[0].to_bytes(curve.BYTES, "big") + point[1].to_bytes(curve.BYTES, "big")


def spki_of_sm2(point: curve.Point) -> bytes:
    """SubjectPublicKeyInfo, DER: ecPublicKey on the SM2 curve."""
    algorithm = {"algorithm": "ec", "parameters": ("named", SM2_CURVE_OID)}
    return bytes(PublicKeyInfo({"algorithm": algorithm, "public_key": bytes_of_sm2_point(point)}).dump())


def sm2_point_of_spki(spki: bytes) -> curve.Point:
    try:
        info = PublicKeyInfo.load(spki, strict=True)
        if info["algorithm"]["parameters"].chosen.dotted != SM2_CURVE_OID:
            raise NotAKey("another curve")
        return sm2_point_of(bytes(info["public_key"].native))
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise NotAKey(str(fault)) from None


def pkcs8_of_sm2(secret: int, point: curve.Point) -> bytes:
    """PrivateKeyInfo (PKCS#8), DER, unencrypted."""
    inner = ECPrivateKey({"version": 1, "private_key": secret, "public_key": bytes_of_sm2_point(point)})
    algorithm = {"algorithm": "ec", "parameters": ("named", SM2_CURVE_OID)}
    return bytes(PrivateKeyInfo({"version": 0, "private_key_algorithm": algorithm, "private_key": inner}).dump())


def sm2_secret_of_pkcs8(pkcs8: bytes) -> int:
    try:
        info = PrivateKeyInfo.load(pkcs8, strict=True)
        if info["private_key_algorithm"]["parameters"].chosen.dotted != SM2_CURVE_OID:
            raise NotAKey("another curve")
        secret = int(info["private_key"].parsed["private_key"].native)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise NotAKey(str(fault)) from None
    if not 1 <= secret <= curve.N - 2:
        raise NotAKey("the secret number is out of range")
    return secret
