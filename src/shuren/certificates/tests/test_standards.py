"""Our documents against what the standards themselves require, and the standards' own examples under our code.

The tables say what a document must have, as the standard's section says it: multiplicities of 1 and 1..*.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.cast import Cast

from shuren.certificates.models import Certificate
from shuren.certificates.rules import jsonld
from shuren.certificates.rules.jsonld import CLR_CONTEXT, OB_CONTEXT, VC_CONTEXT, canonical
from shuren.certificates.rules.multibase import base58, from_base58, key_of_multikey
from shuren.certificates.rules.proofs import is_proved, signed_part, with_proof
from shuren.certificates.rules.status_list import SIZE, encoded, is_set
from shuren.certificates.selectors.certificates import credential_of
from shuren.certificates.selectors.issuer import issuer_document
from shuren.certificates.services.present import record_of, status_list

# Class, its type, its required members. Open Badges 3.0 and CLR 2.0, "Credential Data Models" (appendix B.1, shared by both),
# and the `required` of ob_v3p0_achievementcredential_schema.json.
REQUIRED: dict[str, tuple[str, ...]] = {
    "AchievementCredential": ("@context", "id", "type", "credentialSubject", "issuer", "validFrom"),
    "AchievementSubject": ("type", "achievement"),
    "Achievement": ("id", "type", "criteria", "description", "name"),
    "IdentityObject": ("type", "hashed", "identityHash", "identityType"),
    "Profile": ("id", "type"),
    "CredentialStatus": ("id", "type"),
    "ClrCredential": ("@context", "id", "type", "name", "credentialSubject", "issuer", "validFrom"),
    "ClrSubject": ("type", "verifiableCredential"),
    # VC Data Integrity 1.0, 2.1 Proofs; a cryptosuite's proof has the rest.
    "DataIntegrityProof": ("type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"),
    # Bitstring Status List 1.0, 2.1 and 2.2.
    "BitstringStatusListEntry": ("type", "statusPurpose", "statusListIndex", "statusListCredential"),
    "BitstringStatusListCredential": ("@context", "id", "type", "issuer", "credentialSubject"),
    "BitstringStatusList": ("id", "type", "statusPurpose", "encodedList"),
    # Controlled Identifiers 1.0, 2.1 and 2.2.2.
    "ControlledIdentifierDocument": ("id", "verificationMethod", "assertionMethod"),
    "Multikey": ("id", "type", "controller", "publicKeyMultibase"),
}
# AchievementSubject and IdentityObject close themselves: additionalProperties is false.
CLOSED = {
    "AchievementSubject": {
        *("id", "type", "activityEndDate", "activityStartDate", "creditsEarned", "achievement", "identifier", "image"),
        *("licenseNumber", "narrative", "result", "role", "source", "term"),
    },
    "IdentityObject": {"type", "hashed", "identityHash", "identityType", "salt"},
}
# Of the AchievementType enumeration those that we use.
ACHIEVEMENT_TYPES = {"Achievement", "Award", "Diploma"}
# XML Schema 1.1 dateTimeStamp, which VC 2.0 4.9 asks of validFrom and validUntil.
STAMP = re.compile(r"-?[1-9]?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def faults(kind: str, node: Mapping[str, Any], of_type: str = "") -> list[str]:
    found = [f"{kind} has no {name}" for name in REQUIRED[kind] if node.get(name) in (None, "", [])]
    types = node.get("type", [])
    if of_type and of_type not in ([types] if isinstance(types, str) else types):
        found.append(f"{kind} is no {of_type}")
    return found + [f"{kind} may not have {name}" for name in set(node) - CLOSED.get(kind, set(node))]


def faults_of_badge(document: Mapping[str, Any]) -> list[str]:
    subject, status = document["credentialSubject"], document["credentialStatus"]
    found = faults("AchievementCredential", document, "OpenBadgeCredential") + faults_of_any(document, OB_CONTEXT)
    found += faults("AchievementSubject", subject, "AchievementSubject")
    found += faults("Achievement", subject["achievement"], "Achievement")
    found += [fault for one in subject["identifier"] for fault in faults("IdentityObject", one, "IdentityObject")]
    found += faults("CredentialStatus", status) + faults("BitstringStatusListEntry", status, "BitstringStatusListEntry")
    if subject["achievement"].get("achievementType", "Achievement") not in ACHIEVEMENT_TYPES:
        found.append("unknown achievementType")
    if not {"id", "narrative"} & set(subject["achievement"]["criteria"]):
        found.append("empty criteria")
    return found + ([] if re.fullmatch(r"\d+", status["statusListIndex"]) else ["statusListIndex is no text of digits"])


def faults_of_any(document: Mapping[str, Any], second: str = "") -> list[str]:
    """VC Data Model 2.0: 4.3 contexts, 4.4 identifiers, 4.5 types, 4.7 issuer, 4.9 validity, 4.12 securing mechanisms."""
    found = [] if document["@context"][0] == VC_CONTEXT else ["the first context is not that of VC 2.0"]
    if second and second not in document["@context"]:
        found.append(f"{second} is missing")
    if document["type"][0] != "VerifiableCredential":
        found.append("no VerifiableCredential")
    if not re.match(r"[a-z][a-z0-9+.-]*:", document["id"]):
        found.append("id is no URL")
    if isinstance(document["issuer"], Mapping):
        found += faults("Profile", document["issuer"], "Profile")
    for name in ("validFrom", "validUntil", "awardedDate"):
        if name in document and not STAMP.fullmatch(document[name]):
            found.append(f"{name} is no dateTimeStamp")
    return found + faults("DataIntegrityProof", document["proof"], "DataIntegrityProof")


@pytest.fixture
def row(certificate_id: int) -> Certificate:
    return Certificate.objects.select_related("version").get(pk=certificate_id)


def test_a_certificate_is_an_open_badge_and_a_verifiable_credential(row: Certificate) -> None:
    document = credential_of(row)
    assert faults_of_badge(document) == []
    assert faults("AchievementCredential", document, "VerifiableCredential") == []


@pytest.mark.parametrize(
    "way", [("credentialSubject", "achievement", "criteria"), ("issuer", "id"), ("validFrom",), ("proof", "cryptosuite")]
)
def test_the_table_finds_what_is_missing(row: Certificate, way: Sequence[str]) -> None:
    document = json.loads(json.dumps(credential_of(row)))
    part = document
    for name in way[:-1]:
        part = part[name]
    part[way[-1]] = {} if way[-1] == "criteria" else ""
    assert faults_of_badge(document) != []


def test_a_record_is_a_comprehensive_learner_record(cast: Cast, row: Certificate) -> None:
    record = record_of([row], holder_name="张三", now=cast.now)
    assert faults("ClrCredential", record, "ClrCredential") + faults_of_any(record, CLR_CONTEXT) == []
    assert faults("ClrSubject", record["credentialSubject"], "ClrSubject") == []
    for part in record["credentialSubject"]["verifiableCredential"]:
        assert faults_of_badge(part) == []


def test_a_status_list_and_an_issuer_are_what_the_standards_say(cast: Cast, row: Certificate) -> None:
    document = status_list(row.status_list_id, now=cast.now)
    assert faults("BitstringStatusListCredential", document, "BitstringStatusListCredential") + faults_of_any(document) == []
    subject = document["credentialSubject"]
    assert faults("BitstringStatusList", subject, "BitstringStatusList") == []
    assert credential_of(row)["credentialStatus"]["statusPurpose"] == subject["statusPurpose"]
    issuer = issuer_document(cast.orgs["school"].public_id)
    assert faults("ControlledIdentifierDocument", issuer) == []
    keys = [method for method in issuer["verificationMethod"] if method["type"] == "Multikey"]
    assert keys
    assert [fault for key in keys for fault in faults("Multikey", key)] == []
    assert datetime.fromisoformat(document["validFrom"]).tzinfo is not None


# Bitstring Status List 1.0, example 3: nothing is revoked in it.
EXAMPLE_3 = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def test_the_list_of_the_standard_is_read_and_written() -> None:
    assert SIZE == 131_072
    assert not any(is_set(EXAMPLE_3, index) for index in (0, 1, 94_567, SIZE - 1))
    assert not any(is_set(encoded([]), index) for index in (0, 94_567, SIZE - 1))
    # Example 1 of the standard asks for the bit at 94567; bits count from the left (section 3.4).
    ours = encoded([94_567])
    assert [index for index in range(94_500, 94_600) if is_set(ours, index)] == [94_567]
    assert (ours[0], "=" in ours) == ("u", False)


# Data Integrity EdDSA Cryptosuites 1.0, B.1: the key, the document, the 64 bytes that are signed, and the signature.
PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"  # published with the standard
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DOCUMENT = {
    "@context": [VC_CONTEXT, EXAMPLES],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
OPTIONS = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "created": "2023-02-24T23:36:38Z",
    "verificationMethod": f"https://vc.example/issuers/5678#{PUBLIC}",
    "proofPurpose": "assertionMethod",
}
TO_BE_SIGNED = (
    "4c4d3890a157f8d611b13c265c2c22f39aa0a567c7c7dd9ba3e45cd579784eeb"  # SHA-256 of the options
    "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"  # and of the document
)
SIGNATURE = "z21EVs3eXERqTn4acNHT9viboqgzUaQ3kTmhPT3eA8qrVPE7CrQq78WkzctnMX5W4CrzcKnHw8V6dvy5pgWYCU5e9"


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The context of the standard's examples gives every unknown word an address; the product must not know it."""
    load = jsonld._load

    def with_examples(url: str, options: object = None) -> dict[str, Any]:
        if url != EXAMPLES:
            return load(url, options)
        document = {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}

    monkeypatch.setattr(jsonld, "_load", with_examples)
    monkeypatch.setattr(jsonld, "_AS_QUADS", jsonld._AS_QUADS | {"documentLoader": with_examples})


def test_the_example_of_the_cryptosuite_byte_for_byte(examples: None) -> None:
    assert signed_part(DOCUMENT, OPTIONS).hex() == TO_BE_SIGNED
    assert sha256(canonical(DOCUMENT).encode()).hexdigest() == TO_BE_SIGNED[64:]
    key = Ed25519PrivateKey.from_private_bytes(from_base58(SECRET)[2:])
    made = with_proof(DOCUMENT, OPTIONS, key.sign(signed_part(DOCUMENT, OPTIONS)))
    assert made["proof"]["proofValue"] == SIGNATURE
    assert is_proved(made, key=key_of_multikey(PUBLIC))
    assert base58(b"\xed\x01" + key.public_key().public_bytes_raw()) == PUBLIC
    assert not is_proved({**made, "name": "Alumni credential"}, key=key_of_multikey(PUBLIC))


def test_outside_the_example_its_context_is_unknown() -> None:
    with pytest.raises(jsonld.NotCanonical):
        canonical(DOCUMENT)
