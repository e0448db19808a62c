"""What was shown, how sure that makes us, and what is still to be shown."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from shuren.directory.data import Role
from shuren.identity.data import Assurance, HeldFactors, Requirement, SignInMethod

SECOND_METHODS = frozenset(
    {SignInMethod.TOTP, SignInMethod.RECOVERY_CODE, SignInMethod.SMS_CODE, SignInMethod.EMAIL_CODE, SignInMethod.QR}
)
KEY_METHODS = frozenset({SignInMethod.PASSKEY, SignInMethod.CERTIFICATE})
FRESH_FOR = timedelta(minutes=10)
GRACE = timedelta(days=30)

_STRONG_ROLES = (
    Role.COUNTY_OFFICER,
    Role.CITY_OFFICER,
    Role.PROVINCE_OFFICER,
    Role.SYSTEM_ADMIN,
    Role.SECURITY_ADMIN,
    Role.AUDIT_ADMIN,
)
DEFAULT_REQUIREMENTS = {role: Requirement.CRYPTOGRAPHIC if role in _STRONG_ROLES else Requirement.RISK for role in Role}
_ORDER = list(Requirement)
_ASSURANCES = list(Assurance)
# RFC 8176; a picture password is knowledge, a phone already signed in is another channel.
_AMR = {
    SignInMethod.PASSWORD: "pwd",
    SignInMethod.PASSKEY: "pop",
    SignInMethod.CERTIFICATE: "pop",
    SignInMethod.TOTP: "otp",
    SignInMethod.RECOVERY_CODE: "otp",
    SignInMethod.EMAIL_CODE: "otp",
    SignInMethod.SMS_CODE: "sms",
    SignInMethod.QR: "mca",
    SignInMethod.PICTURE: "kba",
}


class Step(StrEnum):
    """What comes after a first factor: in, show another one, or in but register one before anything else."""

    ENTER = "enter"
    VERIFY = "verify"
    ENROL = "enrol"


def assurance_of(methods: Collection[SignInMethod]) -> Assurance:
    shown = set(methods)
    if shown & KEY_METHODS:
        return Assurance.CRYPTOGRAPHIC
    if len(shown) > 1 and shown & SECOND_METHODS:
        return Assurance.MULTI
    return Assurance.WEAK if shown <= {SignInMethod.PICTURE} else Assurance.SINGLE


def reaches(assurance: Assurance, wanted: Assurance) -> bool:
    return _ASSURANCES.index(assurance) >= _ASSURANCES.index(wanted)


def amr_of(methods: Collection[SignInMethod]) -> list[str]:
    """Authentication method references of RFC 8176, `mfa` added where two were shown."""
    found = list(dict.fromkeys(_AMR[method] for method in methods if method in _AMR))
    return [*found, "mfa"] if assurance_of(methods) in (Assurance.MULTI, Assurance.CRYPTOGRAPHIC) else found


def strictest(requirements: Iterable[Requirement]) -> Requirement:
    return max(requirements, key=_ORDER.index, default=Requirement.RISK)


def next_step(
    *,
    requirement: Requirement,
    held: HeldFactors,
    shown: Collection[SignInMethod],
    is_usual: bool,
    is_in_grace: bool,
    can_receive: bool = False,
) -> Step:
    """What a person who has shown these methods does next. `is_usual` is False for a new device or another risk.

    Whoever holds a second factor is asked for it where the role demands one or something is unusual; whoever holds none
    but `can_receive` a code by phone or mail is sent one. Whoever must hold one and does not comes in while grace lasts,
    and afterwards only to register it. Where the role demands cryptography, a code by phone or mail stands in for nothing
    that is held: a key or an app's number is shown, and a recovery code leads to where a lost one is replaced.
    """
    assurance = assurance_of(shown)
    if requirement is Requirement.CRYPTOGRAPHIC:
        if held.has_second and not set(shown) & (KEY_METHODS | {SignInMethod.TOTP}):
            return Step.ENROL if SignInMethod.RECOVERY_CODE in shown else Step.VERIFY
        has_key = held.passkeys > 0 or assurance is Assurance.CRYPTOGRAPHIC
        return Step.ENTER if has_key or is_in_grace else Step.ENROL
    if reaches(assurance, Assurance.MULTI):
        return Step.ENTER
    if held.has_second or can_receive:
        is_asked = requirement is Requirement.SECOND or not is_usual
        return Step.VERIFY if is_asked else Step.ENTER
    return Step.ENTER if requirement is Requirement.RISK or is_in_grace else Step.ENROL


def is_fresh(
    *,
    verified_at: datetime | None,
    shown: Collection[SignInMethod],
    held: HeldFactors,
    now: datetime,
    is_for_factors: bool = False,
) -> bool:
    """Whether the last proof is recent and strong enough for something sensitive: with the best factor one holds.

    For the factors themselves a recovery code is enough: it is shown by whoever has lost them.
    """
    if verified_at is None or not timedelta() <= now - verified_at < FRESH_FOR:
        return False
    if is_for_factors and SignInMethod.RECOVERY_CODE in shown:
        return True
    assurance = assurance_of(shown)
    if held.passkeys:
        return assurance is Assurance.CRYPTOGRAPHIC or (held.has_totp and SignInMethod.TOTP in shown)
    return reaches(assurance, Assurance.MULTI if held.has_totp else Assurance.SINGLE)
