"""Tell those whom an emergency concerns: the guardians, and the person who is old enough to be told themself."""

from datetime import datetime

from django.utils.translation import gettext as _

from shuren.directory.data import DecidedAs
from shuren.directory.models import BreakGlass
from shuren.directory.rules.consent import deciders
from shuren.directory.selectors.consents import subjects_of
from shuren.directory.selectors.roles import guardian_ids_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.messaging.api import notify


def url_of(id: int) -> str:
    return f"/break-glass/{ids.encode('break_glass', id)}/"


def tell_concerned(actor: Actor, glass: BreakGlass, person_id: int, now: datetime) -> None:
    """Once for each emergency and person, by the same age as consents are asked by."""
    day = day_of(now)
    subject = subjects_of([person_id], day=day).get(person_id)
    if subject is None:
        return
    sides = deciders(purpose="", birth_date=subject.person.birth_date, is_pupil=subject.is_pupil, day=day)
    own = [person_id] if DecidedAs.SELF in sides else []
    key = f"break-glass:{glass.pk}:{person_id}"
    url = f"/people/{ids.encode('person', person_id)}/seen-by/"
    body = _("查看人：%(holder)s。原因：%(reason)s。这次查看会被复核，您可以看到查看了什么。") % {
        "holder": actor.name,
        "reason": glass.reason,
    }
    guardians = [id for id in guardian_ids_of(person_id, day=day) if id != actor.person_id]
    told = _("有工作人员因紧急情况查看了 %(name)s 的信息") % {"name": subject.person.name}
    notify(person_ids=guardians, title=told, body=body, url=url, key=key, now=now)
    mine = _("有工作人员因紧急情况查看了您的信息")
    notify(person_ids=[id for id in own if id != actor.person_id], title=mine, body=body, url=url, key=key, now=now)
