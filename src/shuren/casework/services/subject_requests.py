"""Asking for one's own data to be corrected or deleted: a case of the flow `core.subject_request`."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import CaseData, CaseState, NewCase
from shuren.casework.models import Case
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.for_apps import open_case
from shuren.casework.services.packs.install import ensure_pack
from shuren.directory import api as directory
from shuren.directory.data import RequestLeft, SubjectKind
from shuren.kernel.data import Actor

FLOW = "core.subject_request"


@transaction.atomic
def ask_about_data(*, actor: Actor, person_id: int, now: datetime) -> Case:
    """Begin a request about one's own data or a ward's: a draft to be filled in, the one already begun where there is one."""
    place = directory.subject_place(actor=actor, person_id=person_id, now=now)
    ensure_pack(FLOW.partition(".")[0], now=now)
    begun = Case.objects.filter(
        filer_id=actor.person_id, subject_id=person_id, definition__key=FLOW, state=CaseState.DRAFT.value
    ).first()
    if begun is not None:
        return begun
    asker = "self" if actor.person_id == person_id else "guardian"
    return file_case(
        actor=actor, flow=FLOW, org_id=place.id, subject_person_id=person_id, data={"asker": asker}, is_vouched=True, now=now
    )


def carry_out(*, case: CaseData, actor: Actor, now: datetime) -> None:
    """What two people agreed to delete is deleted; a correction was made on the person's page before."""
    if case.data.get("kind") == SubjectKind.DELETE and case.subject_person_id is not None:
        directory.erase_person(actor=actor, person_id=case.subject_person_id, now=now)


def take_over_requests(*, now: datetime) -> int:
    """Make cases of the requests that were made before requests were cases; returns how many."""
    left = directory.requests_left()
    for request in left:
        with transaction.atomic():
            case = open_case(actor=_asker(request), new=_case_for(request, now), now=now)
            answer = str(_("转为办件 %(number)s 继续办理") % {"number": case.number})
            directory.hand_over_request(request_id=request.id, answer=answer, now=now)
    return len(left)


def _asker(request: RequestLeft) -> Actor:
    name = directory.people_by_ids([request.asked_by_id])[request.asked_by_id].name
    return Actor(person_id=request.asked_by_id, account_id=None, name=name)


def _case_for(request: RequestLeft, now: datetime) -> NewCase:
    place = directory.subject_place(actor=_asker(request), person_id=request.subject_id, now=now)
    data = {
        "asker": "self" if request.asked_by_id == request.subject_id else "guardian",
        "kind": request.kind.value,
        "which": str(_("见理由")),
        "reason": request.body,
        **({"understood": True} if request.kind is SubjectKind.DELETE else {"proposed": str(_("见理由"))}),
    }
    return NewCase(flow=FLOW, org_id=place.id, data=data, subject_person_id=request.subject_id)
