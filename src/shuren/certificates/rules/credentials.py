"""Certificates as Open Badges 3.0 achievement credentials and Comprehensive Learner Record 2.0.

Every node but the holder's name has an id, so that one blank node is left, which is always `_:c14n0`: the canonical
form of a second certificate is that of the first with other values (`canonical_form`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote, urlsplit

from shuren.certificates.data import CertificateKind
from shuren.certificates.rules.jsonld import CLR_CONTEXT, OB_CONTEXT, VC_CONTEXT

CONTEXTS = [VC_CONTEXT, OB_CONTEXT]
ACHIEVEMENT_TYPES = {
    CertificateKind.HONOUR: "Award",
    CertificateKind.DIPLOMA: "Diploma",
    CertificateKind.GROWTH: "Achievement",
}


@dataclass(frozen=True, slots=True)
class Achievement:
    """What a version of a template says on every certificate."""

    key: str
    kind: CertificateKind
    name: str
    criteria: str


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """What one certificate says about one person; `holder` is a uuid that names nobody."""

    number: str
    holder: str
    name: str
    narrative: str
    status_list: int
    status_index: int
    given_at: datetime
    valid_until: date | None


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def end_of(day: date) -> str:
    return instant(datetime.combine(day, time(23, 59, 59), UTC))


def did_of(base: str, issuer: str) -> str:
    """did:web of an issuing org of the installation at `base`."""
    return f"did:web:{quote(urlsplit(base).netloc, safe='')}:issuers:{issuer}"


def achievement_credential(
    facts: CredentialFacts, *, achievement: Achievement, base: str, issuer: str, issuer_name: str
) -> dict[str, Any]:
    """The credential without a proof; ids are addresses of this installation."""
    url = f"{base}/achievements/{achievement.key}"
    status = f"{base}/status-lists/{facts.status_list}"
    subject = {
        "id": f"urn:uuid:{facts.holder}",
        "type": ["AchievementSubject"],
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": facts.name, "identityType": "ext:name"},
        ],
        "licenseNumber": facts.number,
        "narrative": facts.narrative,
        "achievement": {
            "id": url,
            "type": ["Achievement"],
            "achievementType": ACHIEVEMENT_TYPES[achievement.kind],
            "name": achievement.name,
            "description": achievement.criteria,
            "criteria": {"id": f"{url}#criteria", "narrative": achievement.criteria},
        },
    }
    ends = {"validUntil": end_of(facts.valid_until)} if facts.valid_until else {}
    return {
        "@context": CONTEXTS,
        "id": f"{base}/credentials/{facts.number}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement.name,
        "issuer": {"id": did_of(base, issuer), "type": ["Profile"], "name": issuer_name},
        "validFrom": instant(facts.given_at),
        "awardedDate": instant(facts.given_at),
        **ends,
        "credentialSubject": subject,
        "credentialStatus": {
            "id": f"{status}#{facts.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(facts.status_index),
            "statusListCredential": status,
        },
    }


def record_credential(
    credentials: Sequence[Mapping[str, Any]],
    *,
    base: str,
    key: str,
    issuer: str,
    issuer_name: str,
    holder: str,
    name: str,
    at: datetime,
) -> dict[str, Any]:
    """Several certificates of one person as one Comprehensive Learner Record, without its proof."""
    return {
        "@context": [VC_CONTEXT, CLR_CONTEXT, OB_CONTEXT],
        "id": f"{base}/records/{key}",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": name,
        "issuer": {"id": did_of(base, issuer), "type": ["Profile"], "name": issuer_name},
        "validFrom": instant(at),
        "awardedDate": instant(at),
        "credentialSubject": {
            "id": f"urn:uuid:{holder}",
            "type": ["ClrSubject"],
            "verifiableCredential": list(credentials),
        },
    }


def status_list_credential(*, base: str, number: int, encoded_list: str, issuer: str, at: datetime) -> dict[str, Any]:
    url = f"{base}/status-lists/{number}"
    return {
        "@context": [VC_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did_of(base, issuer),
        "validFrom": instant(at),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded_list,
        },
    }


def did_document(
    *, did: str, keys: Sequence[tuple[str, str, datetime | None]], jwks: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The document of did:web: (key id, multikey, revoked when) of the keys of proofs, and the keys of JWTs."""
    proofs: list[dict[str, Any]] = [
        {
            "id": f"{did}#{key_id}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": text,
            **({"revoked": instant(revoked)} if revoked else {}),
        }
        for key_id, text, revoked in keys
    ]
    tokens: list[dict[str, Any]] = [
        {"id": f"{did}#{jwk['kid']}", "type": "JsonWebKey", "controller": did, "publicKeyJwk": dict(jwk)} for jwk in jwks
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [*proofs, *tokens],
        "assertionMethod": [str(method["id"]) for method in [*proofs, *tokens]],
    }


def as_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
