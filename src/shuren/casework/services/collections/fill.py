"""Filling in: whoever may at the org begins, and goes on where a colleague stopped."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import CaseState, CollectionState, TargetState
from shuren.casework.models import Case, Collection, CollectionTarget
from shuren.casework.rules.collections import takes_new_case
from shuren.casework.selectors.collections.reach import access_own_target
from shuren.casework.services.cases.file import file_case, save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.targets import ORIGIN, follow_case
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict


@transaction.atomic
def begin_target(*, actor: Actor, target_id: int, now: datetime) -> Case:
    """The case of an org, made at the first call and filled with what is held; `actor` holds a role that fills in there.

    A case that was called back, or refused at its end, is followed by a new one that begins with its answers.
    """
    access_own_target(actor=actor, id=target_id, now=now)
    return begun_case(actor=actor, target_id=target_id, now=now)


@transaction.atomic
def begun_case(*, actor: Actor, target_id: int, now: datetime) -> Case:
    """`begin_target` for callers who have checked themselves that the actor may fill in for the org."""
    target = CollectionTarget.objects.select_for_update().get(pk=target_id)
    # Read after the lock: a freeze waits for this row, and from then on the state says so.
    row = Collection.objects.select_related("form_version__definition", "flow_version__definition").get(pk=target.collection_id)
    case = Case.objects.filter(pk=target.case_id).first() if target.case_id else None
    if case is not None and not takes_new_case(CaseState(case.state), case.result):
        return case
    _check_open(row, target)
    earlier = case or (Case.objects.filter(pk=target.earlier_case_id).first() if target.earlier_case_id else None)
    begun = file_case(
        actor=actor,
        flow=row.flow_version.definition.key if row.flow_version else "",
        form="" if row.flow_version else row.form_version.definition.key,
        org_id=target.org_id,
        carried=earlier.data if earlier else None,
        title=row.title,
        origin=f"{ORIGIN}{target.pk}",
        now=now,
    )
    if (begun.form_version_id, begun.flow_version_id) != (row.form_version_id, row.flow_version_id):
        # Everybody answers the form as it was issued, so that the answers can be laid side by side.
        begun.form_version_id, begun.flow_version_id = row.form_version_id, row.flow_version_id
        begun.save(update_fields=["form_version", "flow_version"])
    target.case, target.earlier_case = begun, earlier
    target.state, target.submitted_at, target.accepted_at = TargetState.DRAFT.value, None, None
    target.save(update_fields=["case", "earlier_case", "state", "submitted_at", "accepted_at"])
    follow_case(case_id=begun.pk, now=now)
    told = {"org_id": target.org_id, "case_id": begun.pk}
    audit.record(actor=actor, action="casework.target_begun", target=f"target:{target.pk}", details=told, now=now)
    return begun


@transaction.atomic
def answer_target(*, actor: Actor, target_id: int, data: Mapping[str, Any], now: datetime) -> Case:
    """Fill in and hand in for an org at once, for callers who have checked that the actor may; refuses with all faults."""
    case = begun_case(actor=actor, target_id=target_id, now=now)
    told = {**case.data, **data}
    save_draft(actor=actor, case_id=case.pk, data=told, base_revision=case.revision, now=now)
    return submit_case(actor=actor, case_id=case.pk, now=now)


def _check_open(row: Collection, target: CollectionTarget) -> None:
    if row.state != CollectionState.OPEN:
        raise Conflict(_("这项采集没有开放。"), remedy=_("冻结或取消以后不能再填报。"))
    if target.state == TargetState.EXEMPT:
        raise Conflict(_("本单位不用填报。"), remedy=_("需要填报时请联系下发单位。"))
