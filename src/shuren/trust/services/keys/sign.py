"""Signatures given and checked with the keys of this installation."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid
from shuren.trust.data import KeyAlgorithm, KeyStatus, SignatureForm
from shuren.trust.models import Key
from shuren.trust.rules.signing import in_form, jwk_of, pem_of, raw_form, verifies
from shuren.trust.selectors.keys import active_row, missing
from shuren.trust.services.keys.stores import private_pkcs8_of, signer_of


def sign(data: bytes, *, key: str, version: int | None = None, form: SignatureForm = SignatureForm.RAW) -> bytes:
    """The signature of the active version of `key` over `data`; raises `NotFound` when there is none.

    A `version` is named by whoever is bound to it, as an authority is to the key in its certificate.

    ES256 and RS256 hash with SHA-256, SM2 with SM3 over Z ‖ data with the default id, Ed25519 as RFC 8032 says.
    """
    row = _active(key) if version is None else _version(key, version)
    return in_form(signer_of(row).sign(data), algorithm=KeyAlgorithm(row.algorithm), form=form)


def sign_many(data: Sequence[bytes], *, key: str) -> list[bytes]:
    """RAW signatures of the active version of `key` over each; the key is looked for once."""
    signer = signer_of(_active(key))
    return [signer.sign(one) for one in data]


def verify(
    data: bytes,
    signature: bytes,
    *,
    key: str,
    version: int | None = None,
    form: SignatureForm = SignatureForm.RAW,
) -> bool:
    """Whether a version of `key` that is not revoked made this signature; `version` asks for one of them only."""
    rows = Key.objects.filter(name=key).exclude(status=KeyStatus.REVOKED).order_by("-version")
    for row in rows.filter(version=version) if version is not None else rows:
        algorithm = KeyAlgorithm(row.algorithm)
        raw = raw_form(signature, algorithm=algorithm, form=form)
        if raw is not None and verifies(data, raw, spki=bytes(row.public), algorithm=algorithm):
            return True
    return False


def sign_jws(payload: bytes, *, key: str, header: Mapping[str, Any] | None = None) -> str:
    """A compact JWS (RFC 7515) with `alg` and `kid` of the active version; works for keys that never leave their token."""
    row = _active(key)
    if row.algorithm == KeyAlgorithm.SM2:
        raise Invalid(_("JWS 不支持 SM2。"), remedy=_("请换用 ES256 密钥。"))
    alg = "EdDSA" if row.algorithm == KeyAlgorithm.ED25519 else row.algorithm
    head = json.dumps({**(header or {}), "alg": alg, "kid": row.key_id}, separators=(",", ":")).encode()
    text = f"{_base64url(head)}.{_base64url(payload)}"
    return f"{text}.{_base64url(signer_of(row).sign(text.encode()))}"


def private_jwk_of(name: str, *, version: int | None = None) -> dict[str, Any]:
    """The active version, or one by its number, as a private JWK for joserfc; raises `Invalid` for SM2 and for keys of a token.

    It is the key itself: keep it in memory only, or better, have `sign_jws` sign.
    """
    row = _active(name) if version is None else _version(name, version)
    if row.algorithm == KeyAlgorithm.SM2:
        raise Invalid(_("JWK 不支持 SM2。"), remedy=_("请换用 ES256 密钥。"))
    pem = pem_of(private_pkcs8_of(row), "PRIVATE KEY")
    return jwk_of(pem, KeyAlgorithm(row.algorithm), key_id=row.key_id, is_private=True)


def _active(name: str) -> Key:
    row = active_row(name)
    if row is None:
        raise missing(name)
    return row


def _version(name: str, version: int) -> Key:
    row = Key.objects.filter(name=name, version=version).exclude(status=KeyStatus.REVOKED).first()
    if row is None:
        raise missing(name)
    return row


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
