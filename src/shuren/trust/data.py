"""Words of proof that every app may use."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class KeyAlgorithm(StrEnum):
    """Kinds of signing keys; SM2 as in GB/T 32918, the others by their JOSE names."""

    ED25519 = "Ed25519"
    ES256 = "ES256"
    RS256 = "RS256"
    SM2 = "SM2"


class DigestAlgorithm(StrEnum):
    """SM3 as in GB/T 32905, or SHA-256 of FIPS 180-4; both give 32 bytes."""

    SHA256 = "SHA-256"
    SM3 = "SM3"


class SealAlgorithm(StrEnum):
    """How values are encrypted for keeping: AES with 256 bits, or SM4 (GB/T 32907) with 128, both in GCM."""

    AES_256_GCM = "AES-256-GCM"
    SM4_GCM = "SM4-GCM"


class SignatureForm(StrEnum):
    """How the two numbers of an ES256 or SM2 signature are written; RS256 and Ed25519 know one form only.

    RAW is r ‖ s, 32 bytes each, as JOSE wants it; DER is what X.509, CRLs and GM/T 0009 want.
    """

    RAW = "raw"
    DER = "der"


class KeyStatus(StrEnum):
    """ACTIVE signs; RETIRED only verifies what it signed; REVOKED is believed no more."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class KeyStore(StrEnum):
    """Where the private part of a key lies: sealed in the table, or elsewhere under the key's reference.

    FILE: a PKCS#8 PEM file; ENVIRONMENT: a variable that holds one; PKCS11: an object of a token, which never leaves it.
    """

    SEALED = "sealed"
    FILE = "file"
    ENVIRONMENT = "environment"
    PKCS11 = "pkcs11"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public part of one version of a key.

    `spki` is SubjectPublicKeyInfo in DER and `pem` the same as text; `key_id` is the JWK thumbprint of RFC 7638 (for
    SM2, which JOSE does not know, the SHA-256 of `spki`), base64url.
    """

    name: str
    version: int
    algorithm: KeyAlgorithm
    status: KeyStatus
    store: KeyStore
    spki: bytes
    pem: str
    key_id: str
    created_at: datetime
    retired_at: datetime | None = None


class CertificateKind(StrEnum):
    """Whom a certificate is for: it decides what the key may be used for.

    DOCUMENT and TIMESTAMP are for keys of ours; AUTHORITY is the CA of a region below.
    """

    PERSON = "person"
    UNIT = "unit"
    DEVICE = "device"
    TIMESTAMP = "timestamp"
    DOCUMENT = "document"
    AUTHORITY = "authority"


class RevocationReason(StrEnum):
    """CRLReason of RFC 5280 §5.3.1; those that a certificate of ours can have."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    CA_COMPROMISE = "ca_compromise"
    AFFILIATION_CHANGED = "affiliation_changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"
    PRIVILEGE_WITHDRAWN = "privilege_withdrawn"


@dataclass(frozen=True, slots=True)
class SubjectName:
    """Who stands in a certificate: common name, organisation, unit within it, and a number (RFC 4519 serialNumber).

    `dns_names` are the addresses of a device.
    """

    common_name: str
    organization: str = ""
    unit: str = ""
    serial_number: str = ""
    country: str = "CN"
    dns_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One issued certificate. `der` is X.509; `serial` its number in hexadecimal; `subject` as RFC 4514 text."""

    id: int
    authority: str
    kind: CertificateKind
    serial: str
    subject: str
    der: bytes
    begins_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None
    renewed_from_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """One certificate authority of this installation; `chain` is its own certificate and those above, DER each."""

    code: str
    title: str
    algorithm: KeyAlgorithm
    parent: str
    chain: tuple[bytes, ...]
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key that was made here, with its certificate, handed out once: PKCS#12, or PEM where that knows no SM2."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What the check of a chain found; no `faults` means that it holds. `subjects` are the names from leaf to root."""

    faults: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        return not self.faults


class Business(StrEnum):
    """What an entry of the evidence log is about: the six businesses of IAM-06, the audit trail and exchange between nodes."""

    ENROLMENT = "enrolment"
    EXAM = "exam"
    GROWTH = "growth"
    SCORE = "score"
    DIPLOMA = "diploma"
    HONOUR = "honour"
    AUDIT = "audit"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class EvidenceProof:
    """All an outsider needs to check one entry: what it says, its path to a root, and the signed head with that root.

    `path` goes from the leaf up. `checkpoint` is the signed note, cosignatures of witnesses included; `log_keys` are
    handed along for convenience, whoever checks compares them with what they got another way.
    """

    origin: str
    hash_algorithm: DigestAlgorithm
    business: Business
    subject: str
    digest: bytes
    salt: bytes
    at: datetime
    leaf_index: int
    tree_size: int
    path: tuple[bytes, ...]
    checkpoint: str
    log_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProofVerdict:
    """What came of checking a proof: `fault` is empty where all holds; `witnesses` cosigned, each with its time."""

    fault: str
    witnesses: tuple[tuple[str, datetime], ...] = ()

    @property
    def is_valid(self) -> bool:
        return not self.fault


@dataclass(frozen=True, slots=True)
class TreeHeadState:
    """A signed head: `note` with all signatures, `witnesses` those who cosigned."""

    size: int
    root: bytes
    hash_algorithm: DigestAlgorithm
    origin: str
    note: str
    at: datetime
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry as everybody may see it: its place, its business, its time and its hash."""

    index: int
    business: Business
    at: datetime
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """Where heads are sent, without keys or paths: the newest head that is due, and when it arrived (None: not yet)."""

    name: str
    size: int
    delivered_at: datetime | None
    answer: str


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """What to look for in the audit trail: `target` as it stands, `action` and `actor_name` by their beginning.

    `actions` names whole actions instead, any of which fits; `action` is then not looked at.
    """

    action: str = ""
    actions: tuple[str, ...] = ()
    target: str = ""
    actor_name: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of archived audit entries: those after `begin_at`, as far as that is known, up to `end_at`.

    `size` is in bytes, None where the file is gone.
    """

    name: str
    begin_at: datetime | None
    end_at: datetime
    batches: int
    entries: int
    size: int | None
    archived_at: datetime | None
