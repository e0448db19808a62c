"""Putting what a teacher chose in a tool into the class, and taking it out again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity import api as identity
from shuren.interop.data import AppData, LaunchKind
from shuren.interop.models import App, LtiLineItem, LtiLink
from shuren.interop.rules.lti import names
from shuren.interop.rules.lti.bodies import content_items_in
from shuren.interop.selectors.apps import app_of_client
from shuren.interop.selectors.lti import Place, access_class, access_link, deployment_of, tool_of_class
from shuren.interop.selectors.people import actor_of_person
from shuren.interop.services.lti.launch import DATA
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

_CHOICE_FOR = 3600


@transaction.atomic
def take_choice(*, text: str, client_id: str, issuer: str, now: datetime) -> tuple[int, int]:
    """Hang the content items of a deep linking response into the class for which a teacher asked; class id and how many.

    The proof is the tool's signature and our own `data`, which names teacher and class and is good once within an hour;
    the teacher must still teach the class. `client_id` is what the unchecked message says of itself.
    """
    tool = app_of_client(client_id)
    if tool is None or tool.kind is not LaunchKind.LTI or not tool.is_running or tool.is_sandbox:
        raise Invalid(_("这个应用没有在本平台登记，或者已经停用。"))
    claims, data = _checked(text, tool, issuer, now)
    actor = actor_of_person(data["person"])
    place = access_class(actor=actor, id=data["class"], now=now, is_teaching=True)
    tool_of_class(tool.id, place.org.path)
    if claims.get(f"{names.CLAIM}deployment_id") != deployment_of(tool.id, place.org.path):
        raise Invalid(_("应用送来的内容不是给这个学校的。"))
    version = App.objects.select_related("current").get(pk=tool.id).current
    assert version is not None
    hosts = frozenset(urlsplit(url).netloc for url in (version.launch_url, *version.redirect_uris))
    items = content_items_in(claims, hosts=hosts, may_be_plain=bool(settings.SHUREN_PRIVATE_TARGETS))
    for item in items:
        _hang(item, tool, place, actor, now)
    return place.org.id, len(items)


def _checked(text: str, tool: AppData, issuer: str, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        claims = identity.read_client_message(client_id=tool.client_id, text=text, audience=issuer, now=now)
        sent = claims.get(f"{names.DEEP_LINK_CLAIM}data")
        data = signing.loads(sent if isinstance(sent, str) else "", salt=DATA, max_age=_CHOICE_FOR)
        identity.spend_once(f"{tool.client_id}\ndeep link\n{sent}", until=now + timedelta(seconds=_CHOICE_FOR))
    except (Invalid, signing.BadSignature):
        raise Invalid(_("应用送来的内容没有通过核对，没有添加。"), remedy=_("请回到班级页，重新添加一次。")) from None
    kind = (claims.get(f"{names.CLAIM}message_type"), claims.get(f"{names.CLAIM}version"))
    if kind != (names.DEEP_LINKING_ANSWER, names.VERSION) or data["app"] != tool.id:
        raise Invalid(_("应用送来的内容没有通过核对，没有添加。"), remedy=_("请回到班级页，重新添加一次。"))
    return claims, data


def _hang(item: dict[str, Any], tool: AppData, place: Place, actor: Actor, now: datetime) -> None:
    link = LtiLink.objects.create(
        app_id=tool.id,
        class_org_id=place.org.id,
        title=item["title"] or tool.name,
        text=item["text"],
        url=item["url"],
        custom=item["custom"],
        created_at=now,
        created_by_id=actor.person_id,
    )
    if item["line_item"] is not None:
        column = replace(item["line_item"], link_id=link.pk)
        LtiLineItem.objects.create(
            app_id=tool.id,
            class_org_id=place.org.id,
            link=link,
            label=column.label,
            score_maximum=column.score_maximum,
            resource_id=column.resource_id,
            tag=column.tag,
            starts_at=column.starts_at,
            ends_at=column.ends_at,
            created_at=now,
        )
    details = {"class_id": place.org.id, "link_id": link.pk, "has_line_item": item["line_item"] is not None}
    audit.record(actor=actor, action="interop.tool_link_added", target=f"app:{tool.id}", details=details, now=now)


@transaction.atomic
def remove_link(*, actor: Actor, link_id: int, now: datetime) -> int:
    """Take a link out of one's class; its scores stay. Returns the class id."""
    link, place = access_link(actor=actor, id=link_id, now=now, is_teaching=True)
    LtiLink.objects.filter(pk=link.id, removed_at__isnull=True).update(removed_at=now)
    details = {"class_id": place.org.id, "link_id": link.id}
    audit.record(actor=actor, action="interop.tool_link_removed", target=f"app:{link.app_id}", details=details, now=now)
    return place.org.id
