"""Asking the people of an org whether an app may have their data."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import override

from shuren.directory import api as directory
from shuren.directory.data import NewConsentText
from shuren.interop.data import DataPurpose, DataWish, Entry
from shuren.interop.models import App
from shuren.interop.rules.entries import is_asked
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards.api import elements


def ask_people(app: App, entry: Entry, *, org_id: int, actor: Actor, now: datetime) -> list[int]:
    """Publish one notice per purpose for which the entry wants what people are asked for; returns their ids.

    The recipient of every notice is the app's OAuth client. A notice that asks for no more than the one before it keeps
    the answers to that.
    """
    wanted: defaultdict[DataPurpose, list[DataWish]] = defaultdict(list)
    for wish in entry.wishes:
        if is_asked(wish):
            wanted[wish.purpose].append(wish)
    return [
        directory.publish_consent_text(actor=actor, text=_text(app, entry, purpose, wishes, org_id), now=now)
        for purpose, wishes in sorted(wanted.items())
        if app.client_id
    ]


def _text(app: App, entry: Entry, purpose: DataPurpose, wishes: list[DataWish], org_id: int) -> NewConsentText:
    assert app.client_id is not None
    with override("zh-hans"):
        title_zh, body_zh = _words(entry.name, entry, wishes, language="zh")
    with override("en"):
        title_en, body_en = _words(entry.name_en, entry, wishes, language="en")
    return NewConsentText(
        org_id=org_id,
        purpose=purpose.value,
        elements=tuple(sorted({wish.element for wish in wishes})),
        title_zh=title_zh,
        body_zh=body_zh,
        title_en=title_en,
        body_en=body_en,
        recipient=app.client_id,
        recipient_name=entry.name,
    )


def _words(name: str, entry: Entry, wishes: list[DataWish], *, language: str) -> tuple[str, str]:
    names = {element.code: element.name(language) for element in elements()}
    lines = [f"{names.get(wish.element, wish.element)}: {wish.reason}" for wish in wishes]
    title = _("应用“%(name)s”想使用这些信息") % {"name": name}
    return title[:120], "\n".join([*lines, entry.privacy_text])[:4000]


def stop_asking(text_ids: Iterable[int], *, actor: Actor, now: datetime) -> None:
    """End the notices that still stand; those that a newer one replaced have ended already."""
    for text_id in text_ids:
        try:
            directory.end_consent_text(actor=actor, text_id=text_id, now=now)
        except NotFound:
            continue
