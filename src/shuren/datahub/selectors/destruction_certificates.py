"""Certificates of destruction as files, and whether one is good."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shuren.datahub.data import DestructionState
from shuren.datahub.models import ArchivedFile, Destruction, StoredSnapshot
from shuren.datahub.rules.certificates import canonical, read_certificate
from shuren.datahub.selectors.storage import store
from shuren.trust import api as trust

KEY = "datahub.destruction"


@dataclass(frozen=True, slots=True)
class CertificateVerdict:
    """What a check found: `fault` is `form`, `number`, `content`, `signature`, `log` or `there`, and empty where all holds.

    `is_logged` is False for the minute until the evidence log has taken the entry up.
    """

    fault: str
    number: str = ""
    is_logged: bool = False

    @property
    def is_good(self) -> bool:
        return not self.fault


def certificate_file(row: Destruction) -> dict[str, Any]:
    """The certificate with its signature, the public key and the proof, for programs and for people outside."""
    key = trust.public_key_of(KEY, version=row.key_version)
    proof = trust.proof_of(row.log_entry_id) if row.log_entry_id else None
    return {
        "certificate": row.certificate,
        "sha256": hashlib.sha256(canonical(row.certificate)).hexdigest(),
        "signature": row.signature,
        "algorithm": "Ed25519",
        "key_version": row.key_version,
        "public_key": key.pem,
        "proof": json.loads(trust.proof_as_json(proof)) if proof else None,
    }


def verdict_of_certificate(text: bytes) -> CertificateVerdict:
    """Whether a file says what this installation signed, and whether what it speaks of is still gone."""
    told = read_certificate(text)
    if told is None:
        return CertificateVerdict("form")
    number = told["certificate"]["number"]
    row = Destruction.objects.filter(number=number[:20], state=DestructionState.DONE).first()
    if row is None:
        return CertificateVerdict("number", number)
    return _verdict(row, told)


def verdict_of_destruction(row: Destruction) -> CertificateVerdict:
    """The same for what is kept here."""
    return _verdict(row, {"certificate": row.certificate, "signature": row.signature, "key_version": row.key_version})


def _verdict(row: Destruction, told: Mapping[str, Any]) -> CertificateVerdict:
    number, signed = row.number or "", canonical(told["certificate"])
    if signed != canonical(row.certificate):
        return CertificateVerdict("content", number)
    try:
        signature = base64.b64decode(told["signature"], validate=True)
    except binascii.Error:
        return CertificateVerdict("signature", number)
    if not trust.verify(signed, signature, key=KEY, version=told["key_version"]):
        return CertificateVerdict("signature", number)
    # Rows here can be changed, the log cannot.
    proof = trust.proof_of(row.log_entry_id) if row.log_entry_id else None
    if proof is not None and proof.digest != hashlib.sha256(signed).digest():
        return CertificateVerdict("log", number)
    return CertificateVerdict("there" if _is_there(row) else "", number, is_logged=proof is not None)


def _is_there(row: Destruction) -> bool:
    """Whether a file of the list lies in the lake again, or a row names one."""
    files = list(row.files.values_list("file", flat=True))
    if StoredSnapshot.objects.filter(file__in=files).exists():
        return True
    if ArchivedFile.objects.filter(file__in=files, archive__destroyed_at__isnull=True).exists():
        return True
    folders = {file.rpartition("/")[0] for file in files}
    return any(file in files for folder in sorted(folders) for file, _at in store().files_under(folder))
