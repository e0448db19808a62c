"""Applications in the hall: begun by applicants themselves, or filed at the window for citizens without an account."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import CaseState
from shuren.casework.models import Case, WindowApplicant
from shuren.casework.rules.hall import masked_name, place_in
from shuren.casework.selectors.disclosure import CONSULTATIONS, access_published, is_open_on
from shuren.casework.selectors.hall import Matter, chain_of_org, item_named, matters_of, place_of
from shuren.casework.selectors.window import WINDOW, access_window_applicant, may_clerk
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.hall.outward import ask_identity
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging import api as messaging
from shuren.trust import api as trust

_PURPOSE = "casework.window_applicant"


@transaction.atomic
def begin_application(
    *, actor: Actor, item: str, matter: str, org_id: int | None = None, origin: str = "", data: Mapping[str, Any], now: datetime
) -> Case:
    """A draft of the item's flow for oneself, a ward or an org (`matter` as `Matter.value` says), where it is handled.

    `org_id` is where the applicant lives or wants to go, where that is not known.
    """
    offered = item_named(item)
    found = next((one for one in matters_of(actor=actor, spec=offered.spec, now=now) if one.value == matter), None)
    if found is None:
        raise Refused(_("您不能为他办理这个事项。"), remedy=_("请重新选择为谁办理。"))
    org = place_of(offered.spec, found, _org(org_id))
    if org is None:
        raise Invalid(_("还不知道由哪里办理。"), remedy=_("请选择居住地的教育局，或要办理的学校。"))
    _check_consultation(actor, origin, now)
    return file_case(
        actor=actor,
        flow=offered.spec.flow,
        org_id=org.id,
        subject_person_id=found.person.id if found.person else None,
        item_id=offered.definition.pk,
        data=data,
        title=_title(offered.definition.title_zh, found),
        origin=origin,
        now=now,
    )


def _check_consultation(actor: Actor, origin: str, now: datetime) -> None:
    """A comment comes while the consultation is open, and once from everybody: its counts are of people."""
    if not origin.startswith("entry:"):
        return
    entry = access_published(CONSULTATIONS, int(origin.removeprefix("entry:")))
    if not is_open_on(entry, day_of(now)):
        raise Conflict(_("意见征集已经截止。"))
    mine = Case.objects.filter(origin=origin, filer_id=actor.person_id)
    if mine.exclude(state__in=[CaseState.WITHDRAWN.value, CaseState.CANCELLED.value]).exists():
        raise Conflict(_("您已经发表过意见。"), remedy=_("要修改请先撤回，再重新发表。"))


def _title(item: str, matter: Matter) -> str:
    return f"{item} · {matter.name}"


def _org(org_id: int | None) -> OrgData | None:
    return directory.orgs_by_ids([org_id]).get(org_id) if org_id is not None else None


@transaction.atomic
def file_at_window(
    *, actor: Actor, item: str, org_id: int, name: str, phone: str, data: Mapping[str, Any], document: str = "", now: datetime
) -> Case:
    """File and hand in for a citizen who stands at the window, as an officer of the branch.

    Name and phone are sealed. With a `document` number the government platform is asked whether it goes with the name.
    """
    chain = chain_of_org(org_id)
    offered = item_named(item)
    org = place_in(offered.spec, chain)
    if org is None or not may_clerk(actor, org.path, now=now):
        raise NotFound(_("没有找到这个机构。"))
    if not name.strip() or len(phone.strip()) < 7:
        raise Invalid(_("请填写申请人的姓名和电话。"))
    told = {"contact_name": name.strip(), "name": name.strip(), "phone": phone.strip(), **data}
    case = file_case(
        actor=SYSTEM,
        flow=offered.spec.flow,
        org_id=org.id,
        item_id=offered.definition.pk,
        data=told,
        title=f"{offered.definition.title_zh} · {masked_name(name)}",
        origin=WINDOW,
        now=now,
    )
    case = submit_case(actor=SYSTEM, case_id=case.pk, now=now)
    sealed = trust.seal(json.dumps({"name": name.strip(), "phone": phone.strip()}).encode(), purpose=_PURPOSE)
    WindowApplicant.objects.create(
        case=case,
        name_masked=masked_name(name),
        phone_masked=messaging.masked_address(phone.strip())[:20],
        told_sealed=sealed,
        clerk_id=actor.person_id,
        filed_at=now,
    )
    if document.strip():
        ask_identity(name=name, document=document, now=now)
    details = {"number": case.number, "item": offered.definition.key}
    audit.record(actor=actor, action="casework.window_filed", target=f"case:{case.pk}", details=details, now=now)
    return case


@transaction.atomic
def reveal_window_contact(*, actor: Actor, case_id: int, now: datetime) -> tuple[str, str]:
    """Name and phone of a visitor without an account, for a clerk of the branch who calls them.

    The reading is audited before it is shown.
    """
    row = access_window_applicant(actor=actor, case_id=case_id, now=now)
    told = json.loads(trust.unseal(bytes(row.told_sealed), purpose=_PURPOSE))
    audit.record(actor=actor, action="casework.window_contact_read", target=f"case:{case_id}", now=now)
    return told["name"], told["phone"]
