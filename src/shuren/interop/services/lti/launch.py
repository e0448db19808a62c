"""Leading a person into a tool: the login initiation, and the answer to what the tool then asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.identity import api as identity
from shuren.interop.data import AppData, LaunchKind, ToolLink
from shuren.interop.models import App
from shuren.interop.rules.lti.launch import Launch, launch_claims, request_fault
from shuren.interop.selectors.agreed import wished_at
from shuren.interop.selectors.apps import app_of_client
from shuren.interop.selectors.lti import (
    Member,
    Place,
    access_class,
    access_link,
    deployment_of,
    sole_line_item_of_link,
    tool_of_class,
    with_told,
)
from shuren.interop.services.launch import count_launch
from shuren.kernel import audit, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, Refused

_HINT = "interop.lti_message_hint"
DATA = "interop.lti_deep_link_data"
_HINT_FOR = 300


@dataclass(frozen=True, slots=True)
class Addresses:
    """Our own addresses as tools see them; the last three hold the class, `line_item` ends with a slash."""

    issuer: str
    return_url: str
    deep_link_return: str
    line_items: str
    members: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser posts to the tool."""

    url: str
    fields: dict[str, str]
    name: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who goes into which tool from where; without a link a teacher goes there to choose one."""

    person_id: int
    tool: AppData
    place: Place
    link: ToolLink | None
    nonce: str


def begin_link(*, actor: Actor, link_id: int, issuer: str, now: datetime) -> str:
    """Where to send the browser so that a tool opens from a link of one's class."""
    link, place = access_link(actor=actor, id=link_id, now=now)
    tool = tool_of_class(link.app_id, place.org.path)
    errand = {"link": link.id, "class": place.org.id, "person": actor.person_id}
    return _login_url(tool, place, errand, target=link.url or _target(tool), issuer=issuer)


def begin_choice(*, actor: Actor, app_id: int, class_id: int, issuer: str, now: datetime) -> str:
    """Where to send a teacher's browser so that the tool lets them choose what to put into their class (deep linking)."""
    place = access_class(actor=actor, id=class_id, now=now, is_teaching=True)
    tool = tool_of_class(app_id, place.org.path)
    errand = {"link": 0, "class": place.org.id, "person": actor.person_id}
    return _login_url(tool, place, errand, target=_target(tool), issuer=issuer)


def _login_url(tool: AppData, place: Place, errand: Mapping[str, Any], *, target: str, issuer: str) -> str:
    subject = _subject(tool, errand["person"])
    asked = {
        "iss": issuer,
        "login_hint": subject,
        "target_link_uri": target,
        "lti_message_hint": signing.dumps({**errand, "client": tool.client_id}, salt=_HINT),
        "lti_deployment_id": deployment_of(tool.id, place.org.path),
        "client_id": tool.client_id,
        "lti_storage_target": "_parent",
    }
    mark = "&" if "?" in tool.launch_url else "?"
    return f"{tool.launch_url}{mark}{urlencode(asked)}"


def _target(tool: AppData) -> str:
    return next(iter(_version(tool).redirect_uris), tool.launch_url)


def _version(tool: AppData) -> Any:
    version = App.objects.select_related("current").get(pk=tool.id).current
    assert version is not None
    return version


def _subject(tool: AppData, person_id: int | None) -> str:
    if person_id is None:
        return ""
    return identity.subjects_of_people(person_ids=[person_id], client_id=tool.client_id).get(person_id, "")


def hint_in(asked: Mapping[str, str]) -> dict[str, Any]:
    """What the message hint says, if we wrote it in the last five minutes; empty for anything else."""
    try:
        hint: dict[str, Any] = signing.loads(asked.get("lti_message_hint", ""), salt=_HINT, max_age=_HINT_FOR)
    except signing.BadSignature:
        return {}
    return hint


def answer_request(*, actor: Actor, asked: Mapping[str, str], addresses: Addresses, now: datetime) -> Answer:
    """The id token for the tool, or the error it is told (OpenID Connect Core 3.1.2.6).

    `actor` is whoever is signed in, or nobody. Raises `Refused` where the tool or its return address is not registered:
    then the person is told and nothing is sent anywhere.
    """
    tool = app_of_client(asked.get("client_id", ""))
    if tool is None or tool.kind is not LaunchKind.LTI or tool.is_sandbox or not tool.is_running:
        raise Refused(_("这个应用没有在本平台登记，或者已经停用。"))
    url = asked.get("redirect_uri", "")
    if url not in _version(tool).redirect_uris:
        raise Refused(_("这个应用要求返回的网址没有登记，为了您的安全，没有继续。"))
    state = {"state": asked["state"]} if asked.get("state") else {}
    fault = request_fault(asked, subject=_subject(tool, actor.person_id))
    hint = hint_in(asked)
    if fault is None and (hint.get("person") != actor.person_id or hint.get("client") != tool.client_id):
        fault = ("login_required", "lti_message_hint is not of this launch")
    if fault is not None:
        return Answer(url, {"error": fault[0], "error_description": fault[1], **state}, tool.name)
    try:
        token = _token(actor, tool, hint, asked["nonce"], addresses, now)
    except NotFound:
        return Answer(url, {"error": "access_denied", "error_description": "not a member of this class", **state}, tool.name)
    return Answer(url, {"id_token": token, **state}, tool.name)


def _token(actor: Actor, tool: AppData, hint: Mapping[str, Any], nonce: str, addresses: Addresses, now: datetime) -> str:
    link: ToolLink | None = None
    if hint["link"]:
        link, place = access_link(actor=actor, id=hint["link"], now=now)
    else:
        place = access_class(actor=actor, id=hint["class"], now=now, is_teaching=True)
    if tool_of_class(tool.id, place.org.path).client_id != tool.client_id or (link and link.app_id != tool.id):
        raise NotFound(_("没有找到这个链接。"))
    assert actor.person_id is not None
    launch = _launch(_Visit(actor.person_id, tool, place, link, nonce), addresses, now=now)
    org_id = ids.decode("org", launch.deployment_id)
    count_launch(app_id=tool.id, person_id=actor.person_id, org_id=org_id, now=now)
    details = {"class_id": place.org.id, "link_id": link.id if link else None, "told": sorted(launch.told)}
    audit.record(actor=actor, action="interop.tool_launched", target=f"app:{tool.id}", details=details, now=now)
    return identity.issue_id_token(claims=launch_claims(launch, now=now), now=now)


def _launch(visit: _Visit, addresses: Addresses, *, now: datetime) -> Launch:
    tool, place, link = visit.tool, visit.place, visit.link
    wished = wished_at(tool, [place.org.path])[place.org.path]
    member = Member(visit.person_id, _subject(tool, visit.person_id), place.seat, {})
    told = with_told([member], client_id=tool.client_id, wished=wished, now=now)[0].told
    column = sole_line_item_of_link(link.id) if link else None
    data = {"app": tool.id, "class": place.org.id, "person": visit.person_id, "nonce": visit.nonce}
    return Launch(
        issuer=addresses.issuer,
        client_id=tool.client_id,
        deployment_id=deployment_of(tool.id, place.org.path),
        subject=member.subject,
        nonce=visit.nonce,
        seat=place.seat,
        target=(link.url if link else "") or _target(tool),
        context_id=place.org.public_id,
        context_title=place.org.name,
        return_url=addresses.return_url,
        locale="en" if (get_language() or "").startswith("en") else "zh-CN",
        platform=str(settings.SHUREN_REGION_NAME),
        line_items_url=addresses.line_items,
        members_url=addresses.members,
        line_item_url=f"{addresses.line_items}/{column.public_id}" if column else "",
        link_id=link.public_id if link else "",
        link_title=link.title if link else "",
        link_text=link.text if link else "",
        custom=link.custom if link else {},
        told=told,
        deep_link_return=addresses.deep_link_return,
        data="" if link else signing.dumps(data, salt=DATA),
    )
