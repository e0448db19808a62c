"""The `claims` parameter (OpenID Connect Core 5.5): which claims an app asks for one by one, and how sure it must be."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shuren.identity.data import Assurance
from shuren.identity.rules.oauth.faults import OAuthFault

ACR_PREFIX = "urn:shuren:acr:"
ACR_VALUES = tuple(f"{ACR_PREFIX}{assurance.value}" for assurance in Assurance)
# claim: the scope that carries it, and without which nobody gets it
SCOPE_OF_CLAIM = {
    "name": "profile",
    "email": "email",
    "email_verified": "email",
    "phone_number": "phone",
    "phone_number_verified": "phone",
    "shuren_roles": "org",
    "shuren_number": "person_number",
}


@dataclass(frozen=True, slots=True)
class AskedClaims:
    """What was asked for: claims of the ID token and of userinfo, the subject it must be, and the acr it must not fall below.

    `acrs` are in order of preference; `is_acr_essential` says that nothing less will do.
    """

    in_id_token: frozenset[str] = frozenset()
    in_userinfo: frozenset[str] = frozenset()
    sub: str = ""
    acrs: tuple[str, ...] = ()
    is_acr_essential: bool = False

    def scopes_within(self, allowed: Collection[str]) -> frozenset[str]:
        """The scopes that carry the claims, as far as the client is registered for them: the rest is passed over."""
        return frozenset(SCOPE_OF_CLAIM[name] for name in self.in_id_token | self.in_userinfo) & frozenset(allowed)

    def wanted(self) -> Assurance | None:
        """The least of what was asked for that we know; None where nothing was, or nothing we know."""
        known = [Assurance(acr.removeprefix(ACR_PREFIX)) for acr in self.acrs if acr in ACR_VALUES]
        return min(known, key=list(Assurance).index, default=None)


def assurance_in(acr: str) -> Assurance:
    """How sure an acr of ours says that we are."""
    return Assurance(acr.removeprefix(ACR_PREFIX))


def asked_claims(text: str, acr_values: str) -> AskedClaims:
    """Read both parameters; `claims` outweighs `acr_values`. Raises `OAuthFault` where the JSON is none."""
    try:
        asked = json.loads(text) if text else {}
        told, here = (_members(asked, name) for name in ("id_token", "userinfo"))
        acr = told.get("acr")
        acrs = _values(acr) or tuple(acr_values.split())
        subjects = {value for member in (told, here) for value in _values(member.get("sub"))}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise OAuthFault("invalid_request", "claims cannot be read") from None
    if len(subjects) > 1:
        raise OAuthFault("invalid_request", "claims name two subjects")
    return AskedClaims(
        in_id_token=_known(told),
        in_userinfo=_known(here),
        sub=next(iter(subjects), ""),
        acrs=acrs,
        is_acr_essential=bool(acr and acr.get("essential") and acrs),
    )


def _members(asked: Any, name: str) -> Mapping[str, Any]:
    found = asked.get(name) or {}
    if not isinstance(found, dict) or any(value is not None and not isinstance(value, dict) for value in found.values()):
        raise ValueError(name)
    return found


def _known(members: Iterable[str]) -> frozenset[str]:
    return frozenset(members) & SCOPE_OF_CLAIM.keys()


def _values(member: Any) -> tuple[str, ...]:
    """`value` or `values` of one claim's request."""
    if not member:
        return ()
    found = [member["value"]] if "value" in member else member.get("values", [])
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise ValueError("values")
    return tuple(found)
