"""The cryptosuite eddsa-rdfc-2022 of W3C Data Integrity EdDSA Cryptosuites v1.0, § 3.2."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from shuren.certificates.rules.canonical_form import Form, are_plain, canonical_certificate
from shuren.certificates.rules.credentials import CONTEXTS
from shuren.certificates.rules.jsonld import NotCanonical, canonical
from shuren.certificates.rules.multibase import base58, from_base58, is_signed

CRYPTOSUITE = "eddsa-rdfc-2022"


def proof_options(*, created: str, method: str) -> dict[str, str]:
    return {
        "type": "DataIntegrityProof",
        "created": created,
        "verificationMethod": method,
        "cryptosuite": CRYPTOSUITE,
        "proofPurpose": "assertionMethod",
    }


def options_digest(options: Mapping[str, Any], context: Any) -> bytes:
    created, method = options.get("created"), options.get("verificationMethod")
    if (
        context == CONTEXTS
        and are_plain((created, method))
        and options == proof_options(created=str(created), method=str(method))
    ):
        text = _options_form().filled({"created": str(created), "method": str(method)})
    else:
        text = canonical({"@context": context, **options})
    return sha256(text.encode()).digest()


@cache
def _options_form() -> Form:
    marks = {"0created0": "created", "did:0method0": "method"}
    return Form(canonical({"@context": CONTEXTS, **proof_options(created="0created0", method="did:0method0")}), marks)


def document_digest(document: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical document without its proof."""
    said = {key: value for key, value in document.items() if key != "proof"}
    return sha256(canonical_certificate(said).encode()).digest()


def signed_part(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """The 64 bytes that are signed: digest of the options, then of the document."""
    return options_digest(options, document["@context"]) + document_digest(document)


def with_proof(document: Mapping[str, Any], options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
    return {**document, "proof": {**options, "proofValue": base58(signature)}}


def is_proved(document: Mapping[str, Any], *, key: bytes) -> bool:
    """Whether the document's proof was made by this Ed25519 key over exactly what the document says now."""
    proof = document.get("proof")
    if not isinstance(proof, Mapping) or proof.get("cryptosuite") != CRYPTOSUITE or proof.get("type") != "DataIntegrityProof":
        return False
    if proof.get("proofPurpose") != "assertionMethod":
        return False
    options = {name: value for name, value in proof.items() if name not in {"proofValue", "@context"}}
    try:
        signature = from_base58(str(proof.get("proofValue", "")))
        return is_signed(signed_part(document, options), signature, key=key)
    except (NotCanonical, ValueError, KeyError, TypeError, RecursionError):
        return False
