"""The result of a case in the hands of whoever applied: the signed certificate that another app gave for it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState
from shuren.casework.models import Case, CaseEvent
from shuren.casework.services.hall.outward import tell_certificate
from shuren.kernel import audit, events, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound
from shuren.messaging import api as messaging


@transaction.atomic
def deliver_result(case_id: int, *, number: str, name: str, url: str, address: str = "", now: datetime) -> bool:
    """Note that a certificate was given for a closed case; `url` is the path where it is verified, `address` the whole one.

    Called again with the same number it does nothing and answers False. Publishes `casework.result_delivered`.
    """
    case = Case.objects.select_for_update(of=("self",)).select_related("item", "definition").filter(pk=case_id).first()
    if case is None:
        raise NotFound(_("没有找到这个办件。"))
    if case.state != CaseState.CLOSED.value:
        raise Conflict(_("办件还没有办结，不能送达结果。"))
    events_of_case = CaseEvent.objects.filter(case=case, act=Act.DELIVERED.value)
    if any(event.details.get("certificate") == number for event in events_of_case):
        return False
    details = {"certificate": number, "name": name, "url": url}
    CaseEvent.objects.create(case=case, at=now, act=Act.DELIVERED.value, name="", details=details)
    people = [person_id for person_id in (case.filer_id, case.subject_id) if person_id]
    messaging.notify(
        person_ids=people,
        title=_("办理结果已送达：%(name)s") % {"name": name},
        body=_("编号 %(number)s，可以随时查验。") % {"number": number},
        url=f"/hall/cases/{ids.encode('case', case.pk)}/" if case.item_id else url,
        key=f"casework.delivered:{case.pk}:{number}"[:100],
        now=now,
    )
    tell_certificate(case, number=number, name=name, url=address or url, now=now)
    told = {"number": case.number, "certificate": number}
    audit.record(actor=SYSTEM, action="casework.result_delivered", target=f"case:{case.pk}", details=told, now=now)
    events.publish("casework.result_delivered", {"case_id": case.pk, "certificate": number}, now=now)
    return True
