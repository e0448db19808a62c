"""A tool that describes itself, and what it is told of us (LTI Dynamic Registration 1.0, OpenID Connect Registration 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from shuren.interop.data import AppCategory, DataPurpose, DataWish, Entry, LaunchKind
from shuren.interop.rules.entries import is_web_address
from shuren.interop.rules.lti import names
from shuren.kernel.errors import Invalid
from shuren.standards.data import Grade

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
MESSAGES = (names.RESOURCE_LINK, names.DEEP_LINKING)
_CHINESE = ("zh-CN", "zh-Hans-CN", "zh-Hans", "zh")
_ELEMENTS = {"name": "person.name", "given_name": "person.name", "family_name": "person.name", "email": "person.email"}
_MOST_URIS = 20
_LONGEST = 500


class RegistrationFault(Invalid):
    """What a tool said of itself cannot be taken; `code` is the word of RFC 7591 for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Our own addresses as a tool needs them."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    registration: str


def platform_configuration(here: Endpoints, *, name: str) -> dict[str, Any]:
    """The OpenID configuration of the platform, for tools only: their way in is another than that of apps."""
    return {
        "issuer": here.issuer,
        "authorization_endpoint": here.authorization,
        "token_endpoint": here.token,
        "jwks_uri": here.jwks,
        "registration_endpoint": here.registration,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", *names.SCOPES],
        "response_types_supported": ["id_token"],
        "response_modes_supported": ["form_post"],
        "grant_types_supported": ["implicit", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "claims_supported": ["iss", "sub", "aud", "name", "given_name", "family_name", "email"],
        PLATFORM: {
            "product_family_code": "shuren",
            "version": name,
            "messages_supported": [{"type": kind} for kind in MESSAGES],
            "variables": ["User.id", "Context.id", "Context.title", "CourseSection.sourcedId", "ResourceLink.id"],
        },
    }


def entry_in(body: Mapping[str, Any], *, may_be_plain: bool) -> Entry:
    """The entry that a tool's own words make: a beginning, which its vendor completes. Raises `RegistrationFault`."""
    tool = body.get(TOOL)
    if not isinstance(tool, Mapping):
        raise RegistrationFault("invalid_client_metadata", _("缺少 %(field)s。") % {"field": TOOL})
    if body.get("token_endpoint_auth_method", "private_key_jwt") != "private_key_jwt":
        raise RegistrationFault("invalid_client_metadata", _("应用要用 private_key_jwt 证明自己。"))
    launch_url = _address(body, "initiate_login_uri", may_be_plain)
    redirect_uris = _redirect_uris(body, tool, may_be_plain)
    name = next((text for tag in _CHINESE if (text := _text(body, f"client_name#{tag}"))), "") or _text(body, "client_name")
    if not name:
        raise RegistrationFault("invalid_client_metadata", _("缺少 %(field)s。") % {"field": "client_name"})
    description = _text(tool, "description") or _text(body, "description")
    return Entry(
        name=name[:40],
        name_en=(_text(body, "client_name") or name)[:80],
        category=AppCategory.INTERACTIVE_CLASSROOM,
        description=description[:1000],
        description_en=description[:2000],
        kind=LaunchKind.LTI,
        launch_url=launch_url,
        redirect_uris=redirect_uris,
        jwks_uri=_address(body, "jwks_uri", may_be_plain),
        privacy_url=_address(body, "policy_uri", may_be_plain, is_needed=False),
        wishes=_wishes(tool.get("claims")),
    )


def registered(entry: Entry, *, client_id: str) -> dict[str, Any]:
    """What the tool is told of its registration."""
    return {
        "client_id": client_id,
        "application_type": "web",
        "client_name": entry.name,
        "initiate_login_uri": entry.launch_url,
        "redirect_uris": list(entry.redirect_uris),
        "jwks_uri": entry.jwks_uri,
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["implicit", "client_credentials"],
        "response_types": ["id_token"],
        "scope": " ".join(names.SCOPES),
        TOOL: {
            "domain": urlsplit(entry.redirect_uris[0]).netloc,
            "target_link_uri": entry.redirect_uris[0],
            "claims": ["iss", "sub", *sorted(name for name, element in _ELEMENTS.items() if _wants(entry, element))],
            "messages": [{"type": kind} for kind in MESSAGES],
        },
    }


def _wants(entry: Entry, element: str) -> bool:
    return any(wish.element == element for wish in entry.wishes)


def _redirect_uris(body: Mapping[str, Any], tool: Mapping[str, Any], may_be_plain: bool) -> tuple[str, ...]:
    """The return addresses, that of the launch first: it is what opens where a link names no other."""
    sent = body.get("redirect_uris")
    if not isinstance(sent, list) or not 0 < len(sent) <= _MOST_URIS:
        raise RegistrationFault("invalid_redirect_uri", _("请至少填写一个登录后回到的网址。"))
    for url in sent:
        _check_address("redirect_uris", url, may_be_plain)
    target = tool.get("target_link_uri")
    return tuple(sorted(dict.fromkeys(sent), key=lambda url: url != target))


def _address(body: Mapping[str, Any], name: str, may_be_plain: bool, *, is_needed: bool = True) -> str:
    url = body.get(name)
    if not url and not is_needed:
        return ""
    _check_address(name, url, may_be_plain)
    return str(url)


def _check_address(name: str, url: object, may_be_plain: bool) -> None:
    if not isinstance(url, str) or len(url) > _LONGEST or not is_web_address(url, may_be_plain=may_be_plain):
        code = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
        raise RegistrationFault(code, _("%(field)s 不是完整的 https 网址。") % {"field": name})


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value.replace("\0", "").strip() if isinstance(value, str) else ""


def _wishes(claims: object) -> tuple[DataWish, ...]:
    """The data elements behind the claims; the reason is left to the vendor, who cannot submit without one."""
    asked = claims if isinstance(claims, list) else []
    found = {_ELEMENTS[claim] for claim in asked if isinstance(claim, str) and claim in _ELEMENTS}
    return tuple(DataWish(element, DataPurpose.TEACHING, "", Grade.PERSONAL) for element in sorted(found))
