"""Letting somebody off a unit, with a reason that the unit may read (9.3.7)."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.records.models import CourseRegistration, PartProgress
from shuren.records.rules.cmi5.statements import waived
from shuren.records.rules.cmi5.words import WaiveReason
from shuren.records.selectors.cmi5.reach import access_registration, access_unit, may_waive, reach_of
from shuren.records.services.cmi5.satisfy import satisfy
from shuren.records.services.cmi5.tell import tell, telling_of, thing_of


@transaction.atomic
def waive_unit(*, actor: Actor, registration_id: int, part_id: int, reason: WaiveReason, issuer: str, now: datetime) -> None:
    """Count a unit as done for one pupil; once per unit and registration, in a session of its own."""
    registration = access_registration(actor=actor, id=registration_id, now=now)
    if not may_waive(registration, reach_of(actor, now=now)):
        raise NotFound(_("没有找到这次学习。"))
    unit = access_unit(course=registration.course, id=part_id)
    registration = CourseRegistration.objects.select_for_update(of=("self",)).select_related("course").get(pk=registration.pk)
    progress, _is_new = PartProgress.objects.get_or_create(registration=registration, part=unit)
    if progress.waived_at is not None:
        raise Conflict(_("这个单元已经准予免修。"))
    is_fresh = progress.satisfied_at is None
    progress.waived_at, progress.waived_reason = now, reason.value
    progress.satisfied_at = progress.satisfied_at or now
    progress.save(update_fields=["waived_at", "waived_reason", "satisfied_at"])
    session_id = uuid4()
    told = [waived(telling_of(registration, session_id, issuer=issuer), thing_of(unit), reason.value, at=now)]
    if is_fresh:
        told += satisfy(registration, session_id=session_id, unit_id=unit.publisher_id, issuer=issuer, now=now)
    tell(told, issuer=issuer, now=now)
    details = {"part": unit.pk, "reason": reason.value}
    target = f"registration:{registration.pk}"
    audit.record(actor=actor, action="records.unit_waived", target=target, details=details, now=now)
