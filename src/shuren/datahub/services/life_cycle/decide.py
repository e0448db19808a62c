"""Two people decide about a destruction: one proposes it with the ground, another approves it or sends it back."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import DestructionState
from shuren.datahub.models import Dataset, Destruction
from shuren.datahub.rules.life_cycle import life_cycle_in
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.selectors.life_cycle import access_destruction, held_reason_of, may_approve, partition_lives, to_destroy
from shuren.datahub.selectors.policies import policy_in_force
from shuren.datahub.services.life_cycle.plan import destruction_address
from shuren.datahub.services.sharing.tell import tell_unit
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused
from shuren.work.api import enqueue

JOB = "shuren.datahub.jobs.carry_out_destruction"


@transaction.atomic
def propose_destruction(*, actor: Actor, destruction_id: int, ground: str, now: datetime) -> None:
    """A first person has looked at the plan and asks a second one for it."""
    row = _locked(actor, destruction_id, now)
    if row.state != DestructionState.PLANNED:
        raise Conflict(_("这份清单已经提请、批准或退回。"))
    if actor.person_id is None:
        raise Refused(_("销毁要由人提请。"))
    if not ground.strip():
        raise Invalid(_("请写明销毁的依据。"))
    refuse_undue(row, now)
    row.state, row.ground = DestructionState.PROPOSED.value, ground.strip()[:500]
    row.proposed_by, row.proposed_at = actor.person_id, now
    row.save(update_fields=["state", "ground", "proposed_by", "proposed_at"])
    _record(row, "datahub.destruction_proposed", actor, now, ground=row.ground[:200])
    tell_unit(
        row.owner_org_id,
        title=_("数据销毁等待第二人批准"),
        body=_("数据集 %(dataset)s：%(rows)s 行。") % {"dataset": row.dataset, "rows": row.rows},
        url=destruction_address(row.pk),
        key=f"destruction-proposed:{row.pk}",
        now=now,
    )


@transaction.atomic
def approve_destruction(*, actor: Actor, destruction_id: int, now: datetime) -> None:
    """A second person approves; a job carries it out at once. `Refused` for whoever proposed it."""
    row = _locked(actor, destruction_id, now)
    _refuse_own(row, actor)
    refuse_undue(row, now)
    row.state, row.decided_by, row.decided_at = DestructionState.APPROVED.value, actor.person_id, now
    row.save(update_fields=["state", "decided_by", "decided_at"])
    _record(row, "datahub.destruction_approved", actor, now, proposed_by=row.proposed_by)
    enqueue(JOB, {"destruction_id": row.pk}, key=f"{JOB}:{row.pk}", title=gettext_lazy("销毁到期数据"), actor=actor)


@transaction.atomic
def refuse_destruction(*, actor: Actor, destruction_id: int, reason: str, now: datetime) -> None:
    """Send a plan or a proposal back with the reason; the same is not drawn up again for 30 days."""
    row = _locked(actor, destruction_id, now)
    if row.state not in (DestructionState.PLANNED, DestructionState.PROPOSED):
        raise Conflict(_("已经批准或退回，不能再退回。"))
    if not reason.strip():
        raise Invalid(_("请写明退回的理由。"))
    row.state, row.reason = DestructionState.REFUSED.value, reason.strip()[:500]
    row.decided_by, row.decided_at = actor.person_id, now
    row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    _record(row, "datahub.destruction_refused", actor, now, reason=row.reason[:200])


def refuse_undue(row: Destruction, now: datetime) -> None:
    """`Conflict` where the dataset is held, a partition is due no more, or something of it changed since the plan."""
    reason = held_reason_of(row.dataset)
    if reason:
        raise Conflict(_("数据集已冻结：%(reason)s") % {"reason": reason}, remedy=_("解除冻结后再办。"))
    spec = spec_named(row.dataset)
    due = to_destroy(partition_lives(row.dataset, life_cycle_in(policy_in_force(spec))), today=day_of(now))
    digests = {life.partition: life.digest for life in due}
    changed = sorted(str(line[0]) for line in row.partitions if digests.get(line[0]) != line[-1])
    if changed:
        raise Conflict(
            _("清单起草后有变化：%(partitions)s。") % {"partitions": "、".join(changed[:5])},
            remedy=_("请退回；重新起草后再办。"),
        )


def destruction_details(row: Destruction, **told: object) -> dict[str, object]:
    """What the entry of every step says."""
    return {"dataset": row.dataset, "partitions": len(row.partitions), "rows": row.rows, **told}


def _record(row: Destruction, action: str, actor: Actor, now: datetime, **told: object) -> None:
    details, target = destruction_details(row, **told), f"destruction:{row.pk}"
    audit.record(actor=actor, action=action, target=target, details=details, now=now)


def _locked(actor: Actor, destruction_id: int, now: datetime) -> Destruction:
    row = access_destruction(actor=actor, id=destruction_id, now=now)
    Dataset.objects.select_for_update().get(name=row.dataset)
    row.refresh_from_db()
    return row


def _refuse_own(row: Destruction, actor: Actor) -> None:
    if row.state != DestructionState.PROPOSED:
        raise Conflict(_("这份清单没有在等批准。"))
    if not may_approve(row, actor=actor):
        raise Refused(_("提请的人不能自己批准。"), remedy=_("请本单位另一位数据管理人员批准。"))
