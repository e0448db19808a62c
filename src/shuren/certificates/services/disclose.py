"""A person's certificates told to an app that the person let in: as the directory lets it know of them, and on record."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.certificates.models import Certificate
from shuren.directory import api as directory
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused

NAME = "person.name"


@transaction.atomic
def tell_certificates(*, actor: Actor, rows: Sequence[Certificate], now: datetime) -> None:
    """Put on record that the app behind `actor` is told these certificates; raises `Refused` where it may not be.

    A certificate is signed with the whole name in it and cannot be masked: who may not be told the name whole, which under
    fourteen a guardian decides, is told no certificate. The installation's own services are told without asking.
    """
    assert actor.person_id is not None
    name, is_whole = _name_for(actor, now)
    if not name or not is_whole:
        raise Refused(
            _("这个应用还不能得到本人的证书：本人（不满 14 岁的由监护人）没有同意向它提供姓名。"),
            remedy=_("请在“应用和数据”里同意后再试。"),
        )
    _record(actor, {"certificates": [row.pk for row in rows]}, now=now)


@transaction.atomic
def tell_name(*, actor: Actor, now: datetime) -> str:
    """The person's name as the app behind `actor` may be told it, perhaps masked; raises `Refused` where it may not at all."""
    name, is_whole = _name_for(actor, now)
    if not name:
        raise Refused(_("这个应用不能得到本人的姓名。"), remedy=_("请在“应用和数据”里同意后再试。"))
    if is_whole:
        _record(actor, {"elements": [NAME]}, now=now)
    return name


def _name_for(actor: Actor, now: datetime) -> tuple[str, bool]:
    """The name, and whether it is the whole one."""
    assert actor.person_id is not None
    assert actor.app is not None
    told = directory.disclosed_people(
        person_ids=[actor.person_id],
        elements=[NAME],
        purpose=actor.app.purpose,
        recipient=actor.app.recipient,
        actor=actor,
        now=now,
    ).get(actor.person_id)
    return (told.values.get(NAME, ""), NAME not in told.masked) if told else ("", False)


def _record(actor: Actor, told: dict[str, object], *, now: datetime) -> None:
    if actor.app is not None and actor.app.recipient:
        details = {"recipient": actor.app.recipient, "purpose": actor.app.purpose, **told}
        audit.record(actor=actor, action="certificates.told_to_app", target=f"person:{actor.person_id}", details=details, now=now)
