"""How sure a service wants us to be, and how sure we say that we are: authentication context classes (saml-core 3.3.2.2.1)."""

from dataclasses import dataclass

from shuren.identity.data import Assurance, HeldFactors
from shuren.identity.rules.factors import reaches
from shuren.identity.rules.oauth.claims import ACR_PREFIX, ACR_VALUES, assurance_in

COMPARISONS = ("exact", "minimum", "maximum", "better")
UNSPECIFIED = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105  # the name of a class of sign-in
MFA = "https://refeds.org/profile/mfa"
# Shibboleth asks for the class of REFEDS, Microsoft for its own; a class of ours, as in OpenID Connect, is the only one that
# means a key and nothing less.
LEVELS: dict[str, Assurance] = {
    UNSPECIFIED: Assurance.WEAK,
    PASSWORD: Assurance.SINGLE,
    "urn:oasis:names:tc:SAML:2.0:ac:classes:Password": Assurance.SINGLE,
    MFA: Assurance.MULTI,
    "http://schemas.microsoft.com/claims/multipleauthn": Assurance.MULTI,
    **{acr: assurance_in(acr) for acr in ACR_VALUES},
}
_TOLD = {Assurance.WEAK: UNSPECIFIED, Assurance.SINGLE: PASSWORD, Assurance.MULTI: MFA, Assurance.CRYPTOGRAPHIC: MFA}
_ORDER = list(Assurance)


@dataclass(frozen=True, slots=True)
class AskedContext:
    """What a service asks for: the classes that we know, the one it likes best first. None at all can be met by nobody."""

    comparison: str
    classes: tuple[str, ...]


def least_assurance(asked: AskedContext) -> Assurance | None:
    """The least that will do; None where nothing does. What is stronger than a class asked for stands for it as well."""
    if not asked.classes:
        return None
    least = min((LEVELS[name] for name in asked.classes), key=_ORDER.index)
    if asked.comparison == "maximum":
        return Assurance.WEAK
    if asked.comparison == "better":
        return next(iter(_ORDER[_ORDER.index(least) + 1 :]), None)
    return least


def class_for(asked: AskedContext | None, shown: Assurance) -> str | None:
    """The class that tells a service what was shown, in its own words where it named them; None where that falls short."""
    if asked is None:
        return _TOLD[shown]
    least = least_assurance(asked)
    if least is None or not reaches(shown, least):
        return None
    if asked.comparison == "exact":
        return next(name for name in asked.classes if reaches(shown, LEVELS[name]))
    highest = max(asked.classes, key=lambda name: _ORDER.index(LEVELS[name]))
    if asked.comparison == "maximum" and reaches(shown, LEVELS[highest]):
        return highest
    told = _TOLD[shown]
    return told if reaches(LEVELS[told], least) else f"{ACR_PREFIX}{shown.value}"


def can_show(wanted: Assurance, *, held: HeldFactors, has_password: bool) -> bool:
    """Whether somebody who holds these could show that much, if they were asked."""
    if wanted is Assurance.CRYPTOGRAPHIC:
        return held.passkeys > 0
    return held.has_second if wanted is Assurance.MULTI else held.has_second or has_password
