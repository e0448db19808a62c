"""What every move of a case leaves behind: its history, the audit trail, news for the apps above."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import Act
from shuren.casework.models import Case, CaseEvent, WorkItem
from shuren.casework.selectors.cases import sensitive_fields
from shuren.casework.selectors.definitions import form_of
from shuren.casework.selectors.work import people_asked
from shuren.casework.services.targets import follow_case
from shuren.kernel import audit, events, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.messaging import api as messaging


def locked_case(case_id: int) -> Case:
    """The case, nobody else moving it until the transaction ends."""
    case = Case.objects.select_for_update().filter(pk=case_id).first()
    if case is None:
        raise NotFound(_("没有找到这个办件。"))
    return case


def note(
    case: Case,
    actor: Actor,
    act: Act,
    *,
    now: datetime,
    stage: str = "",
    outcome: str = "",
    comment: str = "",
    details: Mapping[str, Any] | None = None,
) -> CaseEvent:
    """Write one line into the history of the case."""
    return CaseEvent.objects.create(
        case=case,
        at=now,
        act=act.value,
        stage=stage,
        person_id=actor.person_id,
        name="" if actor.is_system else actor.name[:100],
        outcome=outcome,
        comment=comment,
        details=dict(details or {}),
    )


def record(case: Case, actor: Actor, action: str, *, now: datetime, **details: object) -> None:
    """Write into the audit trail what was done to the case, without its values."""
    told = {"number": case.number, "flow": case.definition.key, **details}
    audit.record(actor=actor, action=f"casework.{action}", target=f"case:{case.pk}", details=told, now=now)


def tell(case: Case, event: str, *, now: datetime, **more: object) -> None:
    """Tell the apps above, and the collection the case belongs to."""
    payload = {
        "case_id": case.pk,
        "public_id": ids.encode("case", case.pk),
        "flow": case.definition.key if case.flow_version_id else "",
        "form": form_of(case.form_version_id).key,
        "origin": case.origin,
        "org_id": case.org_id,
        "org_path": case.org_path,
        "state": case.state,
        "stage": case.stage,
        "result": case.result,
        "end": case.end,
        "certificate": "",
        "item": case.item.key if case.item_id and case.item else "",
    }
    events.publish(f"casework.{event}", {**payload, **more}, now=now)
    follow_case(case_id=case.pk, now=now)


def address_of(case: Case) -> str:
    return f"/cases/{ids.encode('case', case.pk)}/"


def notify_asked(case: Case, items: list[WorkItem], title: str, *, key: str, now: datetime, body: str = "") -> int:
    """Tell everybody who may answer these items; returns how many were told."""
    people = people_asked(items, now)
    messaging.notify(person_ids=people, title=title, body=body or case.title, url=address_of(case), key=key, now=now)
    return len(people)


def notify_parties(case: Case, title: str, *, key: str, now: datetime, body: str = "") -> None:
    """Tell the filer, and the subject where it is somebody else."""
    people = [person_id for person_id in dict.fromkeys((case.filer_id, case.subject_id)) if person_id]
    url = f"/hall{address_of(case)}" if case.item_id else address_of(case)
    messaging.notify(person_ids=people, title=title, body=body or case.title, url=url, key=key, now=now)


def note_sensitive_read(*, actor: Actor, case: Case, now: datetime) -> None:
    """Write down that what is graded L4 in a case was shown to the actor; nothing where there is no such value."""
    fields = sensitive_fields(case)
    if fields:
        record(case, actor, "sensitive_read", now=now, fields=fields)
