"""Signed statements: a JSON web signature over the statement comes as an attachment (1.0.3 Data 2.6)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from shuren.records.rules.equality import is_same_statement
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.statements import check_statement

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_HASHES: dict[str, type[HashAlgorithm]] = {"RS256": SHA256, "RS384": SHA384, "RS512": SHA512}


def check_signature(statement: Mapping[str, Any], attachment: Mapping[str, Any], content: bytes, *, version: str) -> None:
    """Raise `MalformedStatement` unless the signature is one, by RSA, over this very statement.

    Where it brings its certificate, the signature is checked by it; whether to believe the certificate is for readers.
    """
    where = "signature"
    if attachment["contentType"].partition(";")[0].strip() != "application/octet-stream":
        raise MalformedStatement("is not application/octet-stream", where)
    parts = content.strip().split(b".")
    if len(parts) != 3:
        raise MalformedStatement("is not a JSON web signature", where)
    header, payload = _json(parts[0]), _json(parts[1])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _HASHES:
        raise MalformedStatement("is made by another algorithm than RS256, RS384 or RS512", where)
    signed = _bytes(parts[2])
    if "x5c" in header:
        _check_by_certificate(header["x5c"], parts[0] + b"." + parts[1], signed, _HASHES[algorithm])
    check_statement(payload, version=version, where="signed statement")
    if not is_same_statement(_unsigned(statement), _unsigned(payload)) or _other_id(statement, payload):
        raise MalformedStatement("signs another statement", where)


def _unsigned(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Without its signatures, which cannot sign themselves; a moment set by the service is left out."""
    told = dict(statement)
    rest = [one for one in told.pop("attachments", []) if one["usageType"] != SIGNATURE]
    told.setdefault("timestamp", "1970-01-01T00:00:00Z")
    return told | ({"attachments": rest} if rest else {})


def _other_id(statement: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return "id" in payload and "id" in statement and payload["id"].lower() != statement["id"].lower()


def _bytes(part: bytes) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise MalformedStatement("is not base64url", "signature") from None


def _json(part: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(_bytes(part))
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise MalformedStatement("holds no JSON object", "signature")
    return found


def _check_by_certificate(chain: object, message: bytes, signed: bytes, algorithm: type[HashAlgorithm]) -> None:
    try:
        if not isinstance(chain, list):
            raise ValueError
        key = x509.load_der_x509_certificate(base64.b64decode(chain[0], validate=True)).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError
        key.verify(signed, message, padding.PKCS1v15(), algorithm())
    except (ValueError, TypeError, IndexError):
        raise MalformedStatement("brings a certificate (x5c) that cannot be used", "signature") from None
    except InvalidSignature:
        raise MalformedStatement("does not match its certificate", "signature") from None
