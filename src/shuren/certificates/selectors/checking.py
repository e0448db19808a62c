"""Is this certificate good? Answered from the certificate itself, our keys and our lists; nobody else is asked."""

import base64
import binascii
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from asn1crypto.cms import ContentInfo
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from shuren.certificates.data import CertificateKind, CertificateStatus, Verdict, VerdictData
from shuren.certificates.models import Certificate
from shuren.certificates.rules.credentials import ACHIEVEMENT_TYPES, did_of, instant
from shuren.certificates.rules.jsonld import NotCanonical
from shuren.certificates.rules.multibase import key_of_did, key_of_spki
from shuren.certificates.rules.proofs import document_digest, is_proved
from shuren.certificates.selectors.certificates import certificate_by_number, credential_of, status_of
from shuren.certificates.selectors.issuer import PRINT_KEY, PROOF_KEY, TOKEN_KEY, base_url, own_keys, withdrawn_at
from shuren.certificates.selectors.revocations import was_revoked
from shuren.kernel.clock import day_of
from shuren.trust import api as trust
from shuren.trust.data import PublicKey

ATTACHMENT = "certificate.json"
_ALGORITHMS = ["RS256", "ES256"]
_MAX_HEADER, _MAX_PAYLOAD = 8_192, 4 * 1024 * 1024
_CLAIMS = {"iss", "jti", "sub", "nbf", "iat", "exp"}
_VERDICTS = {
    CertificateStatus.VALID: Verdict.VALID,
    CertificateStatus.EXPIRED: Verdict.EXPIRED,
    CertificateStatus.REVOKED: Verdict.REVOKED,
}


def verdict_by_number(text: str, *, now: datetime) -> VerdictData:
    """The verdict on a number; what we keep is checked too, so that a changed row is told."""
    row = certificate_by_number(text)
    return VerdictData(verdict=Verdict.UNKNOWN) if row is None else verdict_of_row(row, now=now)


def verdict_of_row(row: Certificate, *, now: datetime) -> VerdictData:
    """The verdict on a row of ours. That it was revoked is asked of the evidence log too: a row can be changed back."""
    document = credential_of(row)
    said = _said(document)
    subject = document["credentialSubject"]
    key = _own_key(document)
    withdrawn = withdrawn_at(key) if key else None
    is_whole = (
        key is not None
        and (withdrawn is None or row.given_at <= withdrawn)
        and is_proved(document, key=key_of_spki(key.spki))
        and document_digest(document) == bytes(row.digest)
        and said["number"] == row.number
        and said["holder_name"] == row.holder_name
        and subject["narrative"] == row.narrative
        and subject["achievement"]["achievementType"] == ACHIEVEMENT_TYPES[CertificateKind(row.kind)]
    )
    verdict = _VERDICTS[status_of(row, now=now)] if is_whole else Verdict.ALTERED
    if is_whole and verdict is not Verdict.REVOKED and was_revoked(row):
        verdict = Verdict.REVOKED
    found = VerdictData(verdict=verdict, **said)  # type: ignore[arg-type]  # its keys are text fields only
    found = replace(found, revoked_reason=row.revoked_reason, is_ours=True, entry_id=row.entry_id)
    return _with_withdrawal(found, withdrawn)


def verdict_of_file(data: bytes, *, now: datetime) -> VerdictData:
    """The verdict on a file: Open Badges JSON, a VC-JWT, or one of our PDF; others' are `CLAIMED` at most."""
    if data.startswith(b"%PDF"):
        return _verdict_of_pdf(data, now=now)
    text = data.decode("utf-8", errors="replace").strip().lstrip("\ufeff")
    if text.count(".") == 2 and not text.startswith("{"):
        return _verdict_of_token(text, now=now)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return VerdictData(verdict=Verdict.UNKNOWN)
    return verdict_of_document(document, now=now)


def verdict_of_document(document: Any, *, now: datetime) -> VerdictData:
    """The verdict on a credential with an eddsa-rdfc-2022 proof."""
    if not isinstance(document, dict) or not isinstance(document.get("proof"), Mapping):
        return VerdictData(verdict=Verdict.UNKNOWN)
    method = str(document["proof"].get("verificationMethod", ""))
    issuer = _issuer_id(document)
    if method.split("#")[0] != issuer:
        return VerdictData(verdict=Verdict.ALTERED)
    if issuer.startswith(did_of(base_url(), "")):
        return _verdict_of_own(document, now=now)
    key = key_of_did(method)
    if key is None:
        return VerdictData(verdict=Verdict.UNKNOWN)
    return _timed(document, now=now) if is_proved(document, key=key) else VerdictData(verdict=Verdict.ALTERED)


def _verdict_of_own(document: dict[str, Any], *, now: datetime) -> VerdictData:
    key = _own_key(document)
    if key is None or not is_proved(document, key=key_of_spki(key.spki)):
        return VerdictData(verdict=Verdict.ALTERED, is_ours=True)
    if "ClrCredential" in document.get("type", ()):
        return _verdict_of_record(document, key, now=now)
    row = certificate_by_number(_said(document)["number"])
    if row is None or bytes(row.digest) != document_digest(document):
        return VerdictData(verdict=Verdict.ALTERED, is_ours=True)
    return verdict_of_row(row, now=now)


def _verdict_of_record(document: dict[str, Any], key: PublicKey, *, now: datetime) -> VerdictData:
    """A record is as good as the worst certificate in it.

    No row tells what a record said, so that one under a revoked key is not believed.
    """
    if withdrawn := withdrawn_at(key):
        return _with_withdrawal(VerdictData(verdict=Verdict.UNKNOWN, is_ours=True), withdrawn)
    subject = document.get("credentialSubject", {})
    for part in subject.get("verifiableCredential", ()):
        found = verdict_of_document(part, now=now)
        if found.verdict is not Verdict.VALID:
            return found
    return VerdictData(
        verdict=Verdict.VALID,
        name=str(document.get("name", "")),
        issuer_name=_issuer_name(document),
        given_at=str(document.get("validFrom", "")),
        is_ours=True,
    )


def _verdict_of_token(token: str, *, now: datetime) -> VerdictData:
    """A VC-JWT (Open Badges 3.0 § 8.2.4) by our key, or by the key in its own header, which says nothing of whose it is."""
    try:
        head = json.loads(_decoded(token.split(".")[0]))
        payload = json.loads(_decoded(token.split(".")[1]))
    except (ValueError, binascii.Error):
        return VerdictData(verdict=Verdict.UNKNOWN)
    if not isinstance(head, dict) or not isinstance(payload, dict):
        return VerdictData(verdict=Verdict.UNKNOWN)
    document = payload["vc"] if isinstance(payload.get("vc"), dict) else payload
    is_ours = _issuer_id(document).startswith(did_of(base_url(), ""))
    own = own_keys(TOKEN_KEY).get(str(head.get("kid", "")).rpartition("#")[2]) if is_ours else None
    jwk = trust.jwk_of(own.pem, own.algorithm, key_id=own.key_id) if own else None if is_ours else head.get("jwk")
    if not isinstance(jwk, dict):
        return VerdictData(verdict=Verdict.ALTERED if is_ours else Verdict.UNKNOWN, is_ours=is_ours)
    try:
        key = RSAKey.import_key(jwk) if jwk.get("kty") == "RSA" else ECKey.import_key(jwk)
        jws.deserialize_compact(token, key, registry=_registry())
    except (JoseError, ValueError, TypeError):
        return VerdictData(verdict=Verdict.ALTERED, is_ours=is_ours)
    if not is_ours:
        return _timed(document, now=now)
    row = certificate_by_number(_said(document)["number"])
    if row is None or not _is_of(document, row):
        return VerdictData(verdict=Verdict.ALTERED, is_ours=True)
    found = verdict_of_row(row, now=now)
    return _with_withdrawal(found, withdrawn_at(own)) if own else found


def _registry() -> JWSRegistry:
    """RS256 and ES256 only. joserfc allows headers of 512 bytes, and a header with an RSA key in it is longer."""
    registry = JWSRegistry(algorithms=_ALGORITHMS)
    registry.max_header_length, registry.max_payload_length = _MAX_HEADER, _MAX_PAYLOAD
    return registry


def _is_of(document: Mapping[str, Any], row: Certificate) -> bool:
    """Whether a token's payload says what was signed when the certificate was given, beside the claims of JWT."""
    try:
        return document_digest({name: document[name] for name in document if name not in _CLAIMS}) == bytes(row.digest)
    except NotCanonical:
        return False


def _verdict_of_pdf(data: bytes, *, now: datetime) -> VerdictData:
    """The seal over the whole file must hold under our printing key, and so must the certificate that lies in it."""
    try:
        reader = PdfFileReader(io.BytesIO(data))
        attached = _attached(reader)
        seals = list(reader.embedded_signatures)
        if not seals or attached is None:
            return VerdictData(verdict=Verdict.UNKNOWN)
        context = ValidationContext(trust_roots=[seals[-1].signer_cert], allow_fetching=False)
        status = validate_pdf_signature(seals[-1], context)
        spki = seals[-1].signer_cert.public_key.dump()
        is_whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE and _is_padded_with_nothing(seals[-1].pkcs7_content)
        stamp = status.timestamp_validity
        is_sealed = status.intact and status.valid and is_whole and (stamp is None or (stamp.intact and stamp.valid))
    except Exception:  # noqa: BLE001  # a broken file makes the parser raise anything: whatever it is, it is no proof
        return VerdictData(verdict=Verdict.ALTERED)
    found = verdict_of_file(attached, now=now)
    if not found.is_ours:
        return found
    key = next((key for key in own_keys(PRINT_KEY).values() if key.spki == spki), None)
    if key is None or not is_sealed:
        return VerdictData(verdict=Verdict.ALTERED, is_ours=True)
    return _with_withdrawal(found, withdrawn_at(key))


def _is_padded_with_nothing(contents: bytes) -> bool:
    """The room left in the signature's place is signed by nobody: it must hold zeros."""
    return not contents[len(ContentInfo.load(contents).dump()) :].strip(b"\0")


def _attached(reader: PdfFileReader) -> bytes | None:
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    for place in range(0, len(names), 2):
        spec = names[place + 1]
        if str(spec["/F"]) == ATTACHMENT:
            return bytes(spec["/EF"]["/F"].data)
    return None


def _own_key(document: Mapping[str, Any]) -> PublicKey | None:
    """Our key that the proof names, a revoked one too; None where we have none of that name."""
    method = str(document["proof"].get("verificationMethod", ""))
    return own_keys(PROOF_KEY).get(method.partition("#")[2])


def _with_withdrawal(found: VerdictData, moment: datetime | None) -> VerdictData:
    return replace(found, key_withdrawn_on=day_of(moment).isoformat()) if moment else found


def _issuer_id(document: Mapping[str, Any]) -> str:
    issuer = document.get("issuer")
    return str(issuer.get("id", "")) if isinstance(issuer, Mapping) else str(issuer or "")


def _issuer_name(document: Mapping[str, Any]) -> str:
    issuer = document.get("issuer")
    return str(issuer.get("name") or issuer.get("id", ""))[:200] if isinstance(issuer, Mapping) else str(issuer or "")[:200]


def _said(document: Mapping[str, Any]) -> dict[str, str]:
    """What a credential says, as text; whatever is not there is empty."""
    subject = document.get("credentialSubject")
    subject = subject if isinstance(subject, Mapping) else {}
    achievement = subject.get("achievement")
    achievement = achievement if isinstance(achievement, Mapping) else {}
    names = [
        str(item.get("identityHash", ""))
        for item in subject.get("identifier") or []
        if isinstance(item, Mapping) and not item.get("hashed") and "ame" in str(item.get("identityType", ""))
    ]
    return {
        "name": str(document.get("name") or achievement.get("name") or "")[:200],
        "holder_name": (names or [""])[0][:100],
        "issuer_name": _issuer_name(document),
        "narrative": str(subject.get("narrative") or achievement.get("description") or "")[:1000],
        "number": str(subject.get("licenseNumber") or "")[:100],
        "given_at": str(document.get("validFrom") or "")[:30],
        "valid_until": str(document.get("validUntil") or "")[:30],
    }


def _timed(document: Mapping[str, Any], *, now: datetime) -> VerdictData:
    """A good signature of somebody else, by a key of their own choosing: never more than claimed, and judged by its own dates."""
    said, moment = _said(document), instant(now)
    verdict = Verdict.CLAIMED
    try:
        if said["given_at"] and instant(datetime.fromisoformat(said["given_at"])) > moment:
            verdict = Verdict.NOT_YET
        if said["valid_until"] and instant(datetime.fromisoformat(said["valid_until"])) < moment:
            verdict = Verdict.EXPIRED
    except ValueError:
        verdict = Verdict.ALTERED
    return VerdictData(verdict=verdict, **said)  # type: ignore[arg-type]  # its keys are text fields only


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
