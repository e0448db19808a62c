"""Admission: places of a school given by group, and by a public draw among those of the first group that does not fit."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import CaseState, DrawState, WorkState
from shuren.casework.models import Case, Draw, WorkItem
from shuren.casework.rules.hall import Places, Wish, ranked
from shuren.casework.selectors.admission import FLOW, STAGE
from shuren.casework.selectors.draws import access_draw
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.draws.prepare import prepare_lottery
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel import audit, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound

_ADMIT, _ELSEWHERE = "admit", "place_elsewhere"


def wishes_of(org: OrgData) -> list[Wish]:
    """The registrations of a school that wait for admission; whoever gives no group comes last."""
    rows = Case.objects.filter(
        definition__key=FLOW, stage=STAGE, state=CaseState.RUNNING.value, org_path__startswith=org.path
    ).values_list("pk", "data")
    return [Wish(pk, int(data.get("group") or 99)) for pk, data in rows]


@transaction.atomic
def admit_by_rank(*, actor: Actor, org_id: int, places: int, now: datetime) -> Places:
    """Admit whole groups while they fit and place those elsewhere for whom nothing is left.

    The group in between waits for the draw (`prepare_admission_draw`). Only whoever decides the admissions may.
    """
    org = _org(actor, org_id, now)
    wishes = wishes_of(org)
    if not wishes:
        raise Conflict(_("没有等待录取的报名。"))
    if places < 0:
        raise Invalid(_("学位数不能是负数。"))
    found = ranked(wishes, places)
    for case_id in found.admitted:
        _decide(actor, case_id, _ADMIT, "", now)
    for case_id in found.elsewhere:
        _decide(actor, case_id, _ELSEWHERE, _("本校学位已满，由教育局统筹安排。"), now)
    details = {"places": places, "admitted": len(found.admitted), "to_draw": len(found.to_draw), "left": found.left}
    audit.record(actor=actor, action="casework.admitted_by_rank", target=f"org:{org.id}", details=details, now=now)
    return found


def prepare_admission_draw(*, actor: Actor, org_id: int, left: int, now: datetime) -> Draw:
    """A lottery for the `left` places among the registrations that still wait, to be committed and run like any draw."""
    org = _org(actor, org_id, now)
    title = _("%(school)s 入学摇号") % {"school": org.name}
    return prepare_lottery(actor=actor, flow=FLOW, stage=STAGE, org_id=org.id, places=left, title=title, now=now)


@transaction.atomic
def admit_by_draw(*, actor: Actor, draw_id: int, now: datetime) -> tuple[int, int]:
    """Decide every registration as the draw came out: the first places in, the others elsewhere; returns both counts."""
    draw = access_draw(actor=actor, id=draw_id, now=now)
    if draw.state not in (DrawState.DRAWN.value, DrawState.PUBLISHED.value):
        raise Conflict(_("摇号还没有完成。"))
    places = int(draw.rules["count"])
    order = [ids.decode("case", row["object"]) for row in draw.result]
    waiting = {wish.case_id for wish in wishes_of(directory.orgs_by_ids([draw.org_id])[draw.org_id])}
    counts = [0, 0]
    for number, case_id in enumerate(order):
        if case_id not in waiting:
            continue
        is_in = number < places
        comment = "" if is_in else _("摇号第 %(number)d 号，学位已满，由教育局统筹安排。") % {"number": number + 1}
        _decide(actor, case_id, _ADMIT if is_in else _ELSEWHERE, comment, now)
        counts[0 if is_in else 1] += 1
    details = {"draw": draw.pk, "admitted": counts[0], "elsewhere": counts[1]}
    audit.record(actor=actor, action="casework.admitted_by_draw", target=f"draw:{draw.pk}", details=details, now=now)
    return counts[0], counts[1]


def _org(actor: Actor, org_id: int, now: datetime) -> OrgData:
    return directory.access_org(actor=actor, id=org_id, permission=Permission.VIEW_CASES, now=now)


def _decide(actor: Actor, case_id: int, outcome: str, comment: str, now: datetime) -> None:
    work_id = WorkItem.objects.filter(case_id=case_id, state=WorkState.OPEN.value).values_list("pk", flat=True).first()
    if work_id is None:
        raise NotFound(_("没有找到这件待办。"))
    decide_work(actor=actor, work_id=work_id, outcome=outcome, comment=comment, now=now)
