"""Words and records of certificates that other apps may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class CertificateKind(StrEnum):
    """What a certificate says; each kind has its business in the evidence log."""

    HONOUR = "honour"
    DIPLOMA = "diploma"
    GROWTH = "growth"


class CertificateStatus(StrEnum):
    """How a certificate stands at a moment; only VALID may be relied on."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TemplateStatus(StrEnum):
    """ACTIVE templates are used; RETIRED ones only explain what was given with them."""

    ACTIVE = "active"
    RETIRED = "retired"


class Layout(StrEnum):
    """How the printed page looks."""

    FORMAL = "formal"
    BRIGHT = "bright"
    PLAIN = "plain"


class Verdict(StrEnum):
    """What came of checking a certificate.

    CLAIMED: not one of ours, signed with the key that it brings along itself, which anybody can make; who issued it and
    whether it was revoked is not known here. UNKNOWN: not one of ours and no key in it that could be asked.
    """

    VALID = "valid"
    CLAIMED = "claimed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    ALTERED = "altered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """What a template says.

    `wording` may hold {name}, {school}, {class}, {date} and the keys of `fields`, which whoever gives fills in.
    `levels` are the org types below the owner that may give with it; the owner always may.
    """

    kind: CertificateKind
    name: str
    name_en: str
    criteria: str
    wording: str
    layout: Layout
    seal_text: str
    valid_months: int | None = None
    levels: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    image: bytes = b""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person to be given a certificate, with what the template's own fields say about them."""

    person_id: int
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CertificateData:
    """A certificate as pages and other apps see it; `number` is what one types to verify it."""

    id: int
    public_id: str
    number: str
    kind: CertificateKind
    name: str
    name_en: str
    holder_id: int
    holder_name: str
    issuer_id: int
    issuer_name: str
    narrative: str
    given_at: datetime
    valid_until: date | None
    status: CertificateStatus
    revoked_at: datetime | None = None
    revoked_reason: str = ""


@dataclass(frozen=True, slots=True)
class VerdictData:
    """What the public page says about a certificate; its facts come from the certificate itself, in its own words.

    `key_withdrawn_on` is the day on which the key that signed it was revoked, empty where it was not.
    """

    verdict: Verdict
    name: str = ""
    holder_name: str = ""
    issuer_name: str = ""
    narrative: str = ""
    number: str = ""
    given_at: str = ""
    valid_until: str = ""
    revoked_reason: str = ""
    is_ours: bool = False
    entry_id: int | None = None
    key_withdrawn_on: str = ""
