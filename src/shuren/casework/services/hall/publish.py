"""Answers to questions, complaints and requests, published with the asker's consent and after review, without names."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import CaseState, DefinitionKind
from shuren.casework.models import Case, Definition, Entry
from shuren.casework.rules.hall import masked_name
from shuren.casework.services.registers.write import add_entry
from shuren.directory import api as directory
from shuren.directory.data import OrgType
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM

ANSWERS = "gov.answers"
_STAGE = "answer"
_OFFICES = (OrgType.COUNTY, OrgType.CITY, OrgType.PROVINCE)


@transaction.atomic
def publish_answer(*, case_id: int, now: datetime) -> Entry | None:
    """Publish what an answered case says where the asker agreed and the office decided so; None where it stays private.

    Run twice it publishes once.
    """
    case = Case.objects.select_related("org", "definition").get(pk=case_id)
    told = case.written.get(_STAGE, {})
    is_wanted = bool(case.data.get("may_publish")) and bool(told.get("is_public")) and bool(told.get("answer"))
    register = Definition.objects.filter(kind=DefinitionKind.REGISTER.value, key=ANSWERS, current__isnull=False).first()
    if case.state != CaseState.CLOSED.value or not is_wanted or register is None:
        return None
    standing = Entry.objects.filter(register=register, label__isnull=False, data__case_number=case.number).first()
    if standing is not None:
        return standing
    chain = [*directory.ancestors_of(case.org_id), directory.orgs_by_ids([case.org_id])[case.org_id]]
    office = next((org for org in reversed(chain) if org.type in _OFFICES), chain[0])
    data = {
        "case_number": case.number,
        "topic": case.data.get("topic") or "other",
        "title": str(told.get("public_title") or case.data.get("subject", ""))[:80],
        "asker": masked_name(str(case.data.get("contact_name", ""))),
        "question": _unnamed(str(case.data.get("question", "")), case),
        "answer": _unnamed(str(told["answer"]), case),
        "answered": day_of(case.closed_at or now).isoformat(),
    }
    return add_entry(
        actor=SYSTEM,
        register=ANSWERS,
        org_id=office.id,
        data=data,
        state="published",
        reason=_("办件 %(number)s") % {"number": case.number},
        case_id=case.pk,
        now=now,
    )


def _unnamed(text: str, case: Case) -> str:
    """The text without the asker's name and telephone number; what else may tell of somebody the review has read."""
    for secret in (str(case.data.get("contact_name", "")).strip(), str(case.data.get("phone", "")).strip()):
        if len(secret) > 1:
            text = text.replace(secret, "**")
    return text
