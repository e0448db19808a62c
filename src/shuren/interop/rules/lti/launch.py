"""What is asked in an LTI launch and what is answered (LTI 1.3 core, 1EdTech Security 1.0)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from shuren.interop.data import Seat
from shuren.interop.rules.lti import names

TOKEN_FOR = timedelta(minutes=5)
_ROLES = {Seat.TEACHER: [names.INSTRUCTOR, names.FACULTY], Seat.PUPIL: [names.LEARNER, names.STUDENT]}
_FIXED = {"scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none"}
_LONGEST = 1_000


def origin_of(url: str) -> str:
    """Scheme, host and port of a checked address, for a policy header."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def roles_of(seat: Seat) -> list[str]:
    """Role URIs, the one in the class first (LTI 1.3, A.2)."""
    return list(_ROLES[seat])


def seat_of_role(role: str) -> Seat | None:
    """The seat a role filter means: a full URI, or the short name of a context role (NRPS 2.0, 2.4.1)."""
    short = {"Instructor": Seat.TEACHER, "Learner": Seat.PUPIL}
    return short.get(role) or next((seat for seat, uris in _ROLES.items() if role in uris), None)


def request_fault(asked: Mapping[str, str], *, subject: str) -> tuple[str, str] | None:
    """What is wrong with an authentication request whose return address is known: error code and description.

    `subject` is the signed-in person as the tool knows them, empty where nobody is signed in.
    """
    for name, wanted in _FIXED.items():
        if wanted not in asked.get(name, "").split():
            code = "unsupported_response_type" if name == "response_type" else "invalid_request"
            return "invalid_scope" if name == "scope" else code, f"{name} must be {wanted}"
    if not 0 < len(asked.get("nonce", "")) <= _LONGEST or len(asked.get("state", "")) > 4 * _LONGEST:
        return "invalid_request", "nonce or state"
    if not subject or not hmac.compare_digest(asked.get("login_hint", "").encode(), subject.encode()):
        return "login_required", "login_hint is not the person who is signed in"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything a launch says but who signs it; `told` are claims of personal data that may be told."""

    issuer: str
    client_id: str
    deployment_id: str
    subject: str
    nonce: str
    seat: Seat
    target: str
    context_id: str
    context_title: str
    return_url: str
    locale: str
    platform: str
    line_items_url: str
    members_url: str
    line_item_url: str = ""
    link_id: str = ""
    link_title: str = ""
    link_text: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    deep_link_return: str = ""
    data: str = ""


def launch_claims(launch: Launch, *, now: datetime) -> dict[str, Any]:
    """The claims of the id token: of a resource link, or of a deep linking request where there is none."""
    is_deep = not launch.link_id
    claims = {
        "iss": launch.issuer,
        "aud": launch.client_id,
        "azp": launch.client_id,
        "sub": launch.subject,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_FOR).timestamp()),
        "nonce": launch.nonce,
        **launch.told,
    }
    about = {
        "message_type": names.DEEP_LINKING if is_deep else names.RESOURCE_LINK,
        "version": names.VERSION,
        "deployment_id": launch.deployment_id,
        "target_link_uri": launch.target,
        "roles": roles_of(launch.seat),
        "context": {
            "id": launch.context_id,
            "label": launch.context_title,
            "title": launch.context_title,
            "type": [names.COURSE_SECTION],
        },
        "tool_platform": {"guid": launch.issuer[:255], "name": launch.platform, "product_family_code": "shuren"},
        "launch_presentation": {"document_target": "window", "return_url": launch.return_url, "locale": launch.locale},
        "lis": {"course_section_sourcedid": launch.context_id},
    }
    if is_deep:
        return claims | _named(about) | {f"{names.DEEP_LINK_CLAIM}deep_linking_settings": _settings(launch)}
    about["resource_link"] = {"id": launch.link_id, "title": launch.link_title, "description": launch.link_text}
    about["custom"] = {name: _substituted(value, launch) for name, value in launch.custom.items()}
    endpoint = {"scope": list(names.AGS_SCOPES), "lineitems": launch.line_items_url}
    endpoint |= {"lineitem": launch.line_item_url} if launch.line_item_url else {}
    members = {"context_memberships_url": launch.members_url, "service_versions": ["2.0"]}
    return claims | _named(about) | {names.AGS_CLAIM: endpoint, names.NRPS_CLAIM: members}


def _named(about: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{names.CLAIM}{name}": value for name, value in about.items()}


def _settings(launch: Launch) -> dict[str, Any]:
    return {
        "deep_link_return_url": launch.deep_link_return,
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["window"],
        "accept_multiple": True,
        "accept_lineitem": True,
        "auto_create": False,
        "data": launch.data,
    }


def _substituted(value: str, launch: Launch) -> str:
    """Substitution variables that tell nothing the launch does not tell anyway (LTI 1.3, B)."""
    variables = {
        "$User.id": launch.subject,
        "$Context.id": launch.context_id,
        "$Context.title": launch.context_title,
        "$CourseSection.sourcedId": launch.context_id,
        "$ResourceLink.id": launch.link_id,
        "$ResourceLink.title": launch.link_title,
        "$LineItem.url": launch.line_item_url,
        "$LineItems.url": launch.line_items_url,
    }
    return variables.get(value, value)
