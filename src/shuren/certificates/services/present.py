"""Certificates as others take them: tokens, status lists, and all of a person's as one record."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.utils.translation import gettext as _

from shuren.certificates.models import Certificate, StatusList
from shuren.certificates.rules.credentials import record_credential, status_list_credential
from shuren.certificates.rules.proofs import proof_options, signed_part, with_proof
from shuren.certificates.rules.status_list import encoded
from shuren.certificates.selectors.certificates import credential_of, revoked_indexes
from shuren.certificates.selectors.issuer import PROOF_KEY, TOKEN_KEY, base_url
from shuren.directory import api as directory
from shuren.kernel.errors import NotFound
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm

LIST_KEPT_SECONDS = 300


def proved(document: Mapping[str, Any], *, issuer: str, now: datetime) -> dict[str, Any]:
    """The document with a proof of this installation in the name of the issuer (a DID)."""
    key = trust.ensure_key(name=PROOF_KEY, algorithm=KeyAlgorithm.ED25519, now=now)
    options = proof_options(created=now.strftime("%Y-%m-%dT%H:%M:%SZ"), method=f"{issuer}#{key.key_id}")
    return with_proof(document, options, trust.sign(signed_part(document, options), key=PROOF_KEY))


def token_of(row: Certificate, *, now: datetime) -> str:
    """The certificate as VC-JWT with RS256, which every Open Badges verifier knows (§ 8.2.4); its key lies in the header."""
    key = trust.ensure_key(name=TOKEN_KEY, algorithm=KeyAlgorithm.RS256, now=now)
    document = {name: value for name, value in credential_of(row).items() if name != "proof"}
    issued = int(row.given_at.timestamp())
    claims = {
        "iss": document["issuer"]["id"],
        "jti": document["id"],
        "sub": document["credentialSubject"]["id"],
        "nbf": issued,
        "iat": issued,
    }
    if "validUntil" in document:
        claims["exp"] = int(datetime.fromisoformat(document["validUntil"]).timestamp())
    payload = json.dumps({**document, **claims}, ensure_ascii=False, separators=(",", ":")).encode()
    jwk = trust.jwk_of(key.pem, key.algorithm, key_id=key.key_id)
    return trust.sign_jws(payload, key=TOKEN_KEY, header={"typ": "JWT", "jwk": jwk})


def status_list(number: int, *, now: datetime) -> dict[str, Any]:
    """The signed Bitstring Status List as it stands at this moment; raises `NotFound`.

    The one signed last is given again for some minutes, as long as nothing more is revoked and the key is the same.
    """
    root = directory.root_org()
    if root is None or not StatusList.objects.filter(pk=number).exists():
        raise NotFound("没有这份状态表。")
    revoked, key = sorted(revoked_indexes(number)), trust.key_of(PROOF_KEY)
    said = repr((base_url(), number, revoked, root.public_id, key.key_id if key else "")).encode()
    place = f"certificates.status_list:{sha256(said).hexdigest()}"
    kept: dict[str, Any] | None = cache.get(place)
    if kept is None:
        document = status_list_credential(
            base=base_url(), number=number, encoded_list=encoded(revoked), issuer=root.public_id, at=now
        )
        kept = proved(document, issuer=document["issuer"], now=now)
        cache.set(place, kept, LIST_KEPT_SECONDS)
    return kept


def record_of(rows: Sequence[Certificate], *, holder_name: str, now: datetime) -> dict[str, Any]:
    """The given certificates of one person as a signed Comprehensive Learner Record 2.0."""
    root = directory.root_org()
    if root is None or not rows:
        raise NotFound("还没有证书。")
    document = record_credential(
        [credential_of(row) for row in rows],
        base=base_url(),
        key=secrets.token_hex(12),
        issuer=root.public_id,
        issuer_name=root.name,
        holder=str(uuid4()),
        name=_("%(name)s的成长档案") % {"name": holder_name},
        at=now,
    )
    return proved(document, issuer=document["issuer"]["id"], now=now)
