"""Who alone may write an element, and the count of those who tried beside them.

A refused write rolls back what its door had begun, so the refusal itself is only noted where it happens and written down
when the request or the job has come to its end.
"""

from collections import Counter
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards.data import Door
from shuren.standards.models import Element, Producer, RefusedWrite

_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Tried:
    element: str
    door: Door
    org_id: int
    actor: Actor


_noted: ContextVar[tuple[_Tried, ...]] = ContextVar("noted_refusals", default=())


@transaction.atomic
def set_producer(
    *, actor: Actor, element_code: str, doors: Collection[Door], org_ids: Collection[int], note: str = "", now: datetime
) -> None:
    """Name the doors and the orgs an element is written from; both empty lets everybody write as before.

    Publishes `standards.producer_set`. The caller has checked the right to.
    """
    if not Element.objects.select_for_update().filter(pk=element_code).exists():
        raise NotFound(_("没有这个数据项。"))
    before = Producer.objects.filter(pk=element_code).first()
    told = {"doors": sorted(door.value for door in doors), "org_ids": sorted(org_ids), "note": note.strip()[:300]}
    if doors or org_ids:
        Producer.objects.update_or_create(element_id=element_code, defaults={**told, "changed_at": now})
    else:
        Producer.objects.filter(pk=element_code).delete()
    was = {"doors": before.doors, "org_ids": before.org_ids} if before else {}
    details = {"before": was, "after": told}
    audit.record(actor=actor, action="standards.producer_set", target=f"element:{element_code}", details=details, now=now)
    events.publish("standards.producer_set", {"element": element_code, **told}, now=now)


def note_refusal(*, element_code: str, door: Door, org_id: int, actor: Actor) -> None:
    """Remember a refused write until `keep_refusals`; costs no query and outlives the rollback that follows."""
    noted = _noted.get()
    if len(noted) < _KEPT:
        tried = Actor(actor.person_id, actor.account_id, actor.name, actor.role, actor.is_system, actor.app)
        _noted.set((*noted, _Tried(element_code, door, org_id, tried)))


def keep_refusals(*, now: datetime) -> int:
    """Write down what was noted, counted by day; returns how many writes that were."""
    noted = _noted.get()
    if not noted:
        return 0
    _noted.set(())
    count_refusals(Counter(noted), now=now)
    return len(noted)


@transaction.atomic
def count_refusals(tried: Counter[_Tried], *, now: datetime) -> None:
    day = day_of(now)
    for one, count in tried.items():
        app = one.actor.app
        where = {
            "element_code": one.element,
            "door": one.door.value,
            "org_id": one.org_id,
            "role": (one.actor.role or "")[:40],
            "client_id": app.client_id[:120] if app else "",
            "day": day,
        }
        RefusedWrite.objects.get_or_create(**where, defaults={"last_at": now})
        # Who was told in the morning hears of what followed, too.
        RefusedWrite.objects.filter(**where).update(count=F("count") + count, last_at=now, told_at=None)
        details = {"door": one.door.value, "org_id": one.org_id, "count": count}
        audit.record(actor=one.actor, action="standards.write_refused", target=f"element:{one.element}", details=details, now=now)


def mark_told(*, element_codes: Collection[str], before: date, now: datetime) -> int:
    """Remember that the owners of these elements heard of what was refused before a day."""
    rows = RefusedWrite.objects.filter(told_at__isnull=True, day__lt=before, element_code__in=element_codes)
    return rows.update(told_at=now)
