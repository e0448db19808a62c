"""A filler objects to a value that was filled in: its owner hears of it as a case, and the form goes on."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import FINAL_STATES, Act
from shuren.casework.models import Case
from shuren.casework.selectors.cases import access_case
from shuren.casework.selectors.definitions import form_of
from shuren.casework.selectors.prefill import Prefill, prefilled, source_words
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.cases.trail import note
from shuren.directory import api as directory
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.standards import api as standards

FLOW = "core.objection"


@transaction.atomic
def object_to_value(*, actor: Actor, case_id: int, field: str, proposed: str, reason: str, now: datetime) -> Case:
    """File `core.objection` about the value of `field`, for the owner of its element or else the keepers of its source.

    Whoever may see the case may object. Returns the new case, which is handed in; one objection at a time to one value.
    """
    case = access_case(actor=actor, id=case_id, now=now)
    held = held_value(case, field, now)
    element = standards.meaning_of(held.element)
    origin = f"objection:{case.pk}:{field}"[:80]
    if Case.objects.filter(origin=origin).exclude(state__in=[state.value for state in FINAL_STATES]).exists():
        raise Conflict(_("这一项已经提出过异议，正在核实。"), remedy=_("请等负责单位答复。"))
    data = {
        "element": element.code,
        "element_name": element.name_zh,
        "source": held.source,
        "department": element.department,
        "whom": _whom(case),
        "asked_in": case.definition.title_zh,
        "held": _text(held),
        "proposed": proposed,
        "reason": reason,
    }
    title = _("对“%(name)s”的异议 · %(whom)s") % {"name": element.name_zh, "whom": data["whom"]}
    filed = file_case(actor=actor, flow=FLOW, org_id=case.org_id, data=data, title=title, origin=origin, now=now)
    details = {"field": field, "objection": filed.pk}
    note(case, actor, Act.OBJECTED, now=now, comment=reason, details=details)
    return submit_case(actor=actor, case_id=filed.pk, now=now)


@transaction.atomic
def object_to_element(
    *, actor: Actor, element_code: str, org_id: int, whom: str, held: str, proposed: str, reason: str, now: datetime
) -> Case:
    """File `core.objection` about an element whose source refused a value, for its owner or else the keepers of its source.

    `whom` is who or what the value is about, in the words of the objector. Returns the new case, which is handed in.
    """
    element = standards.element(element_code)
    origin = f"objection:{element.code}:{actor.person_id}:{whom}"[:80]
    if Case.objects.filter(origin=origin).exclude(state__in=[state.value for state in FINAL_STATES]).exists():
        raise Conflict(_("这一项已经提出过异议，正在核实。"), remedy=_("请等负责单位答复。"))
    data = {
        "element": element.code,
        "element_name": element.name_zh,
        "source": source_words(element) if element.source else element.department,
        "department": element.department,
        "whom": whom,
        "held": held,
        "proposed": proposed,
        "reason": reason,
    }
    title = _("对“%(name)s”的异议 · %(whom)s") % {"name": element.name_zh, "whom": whom}
    filed = file_case(actor=actor, flow=FLOW, org_id=org_id, data=data, title=title, origin=origin, now=now)
    return submit_case(actor=actor, case_id=filed.pk, now=now)


def held_value(case: Case, field: str, now: datetime) -> Prefill:
    """What was filled into a field of the case; `NotFound` where the field is one that people fill in."""
    org = directory.orgs_by_ids([case.org_id])[case.org_id]
    person_id = case.subject_id or case.filer_id
    person = directory.people_by_ids([person_id]).get(person_id) if person_id else None
    held = prefilled(form_of(case.form_version_id), org=org, person=person, now=now).get(field)
    if held is None:
        raise NotFound(_("这一项不是自动填入的，可以直接修改。"))
    return held


def _whom(case: Case) -> str:
    person = case.subject or case.filer
    return case.org.name if person is None or case.subject is None else person.name


def _text(held: Prefill) -> str:
    value = held.value
    return str(value.get("name", "")) if isinstance(value, dict) else str(value)
