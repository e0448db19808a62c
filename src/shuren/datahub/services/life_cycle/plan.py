"""The daily look: what is to be archived is archived, what is to be destroyed is drawn up for two people to decide."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import DatasetSpec, DestructionState
from shuren.datahub.models import Dataset, Destruction
from shuren.datahub.rules.life_cycle import life_cycle_in
from shuren.datahub.selectors.catalogue import known_datasets
from shuren.datahub.selectors.life_cycle import (
    OPEN_STATES,
    PartitionLife,
    access_life_cycle,
    held_reason_of,
    partition_lives,
    to_archive,
    to_destroy,
)
from shuren.datahub.selectors.policies import policy_in_force
from shuren.datahub.selectors.shared_datasets import shared_dataset
from shuren.datahub.services.life_cycle.archive import archive_partition
from shuren.datahub.services.sharing.tell import tell_unit
from shuren.kernel import audit, clock, events, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict
from shuren.work.api import enqueue

JOB = "shuren.datahub.jobs.follow_life_cycle"
# Whoever refused a plan is not asked again the next morning.
_PAUSE = timedelta(days=30)


def follow_life_cycles(*, now: datetime, actor: Actor = SYSTEM) -> Mapping[str, int]:
    """Do for every dataset what its policy says. One that fails keeps none of the others waiting; it is told at the end."""
    done, faults = {"archived": 0, "planned": 0, "held": 0}, []
    for spec in known_datasets():
        try:
            for name, count in follow_life_cycle(spec, now=now, actor=actor).items():
                done[name] += count
        except (OSError, RuntimeError) as fault:
            faults.append(f"{spec.name}: {fault}")
    if faults:
        raise RuntimeError("; ".join(faults)[:2_000])
    return done


def ask_to_follow(*, actor: Actor, dataset: str, now: datetime) -> None:
    """The same for one dataset by a job, when one of those who keep its data asks. `Conflict` where nothing may be done."""
    found = access_life_cycle(actor=actor, dataset=dataset, now=now)
    if not life_cycle_in(policy_in_force(found.spec)).is_declared:
        raise Conflict(_("还没有设定规则，默认规则不会自动执行。"), remedy=_("请先设定或确认规则。"))
    reason = held_reason_of(dataset)
    if reason:
        raise Conflict(_("数据集已冻结：%(reason)s") % {"reason": reason}, remedy=_("解除冻结后再办。"))
    enqueue(JOB, {"dataset": dataset}, key=f"{JOB}:{dataset}", title=gettext_lazy("检查到期数据"), actor=actor)


def follow_life_cycle(spec: DatasetSpec, *, now: datetime, actor: Actor = SYSTEM, is_asked: bool = False) -> Mapping[str, int]:
    """Archive what the dataset's policy says is due, and draw up what is to be destroyed."""
    policy = policy_in_force(spec)
    rule, today = life_cycle_in(policy), day_of(now)
    lives = partition_lives(spec.name, rule) if rule.is_declared else []
    ending = to_destroy(lives, today=today)
    leaving = to_archive([life for life in lives if life not in ending], today=today)
    if held_reason_of(spec.name):
        return {"held": len(leaving) + len(ending)}
    archived = 0
    for life in leaving:
        archived += archive_partition(spec.name, life.partition, now=now, actor=actor) is not None
    if ending:
        planned = _plan(spec, policy, ending, actor, now, is_asked=is_asked) is not None
    else:
        planned = False
        _drop_plan(spec.name, actor, now)
    return {"archived": archived, "planned": int(planned)}


def _plan(
    spec: DatasetSpec,
    policy: Mapping[str, object],
    ending: list[PartitionLife],
    actor: Actor,
    now: datetime,
    *,
    is_asked: bool,
) -> Destruction | None:
    """Draw the plan up, or anew while nobody has proposed it; None where it stands already or was refused lately."""
    with transaction.atomic():
        Dataset.objects.select_for_update().get(name=spec.name)
        told = [_line(life) for life in ending]
        row = Destruction.objects.filter(dataset=spec.name, state__in=OPEN_STATES).first()
        if row is not None and (row.state != DestructionState.PLANNED or row.partitions == told):
            return None
        refused = Destruction.objects.filter(dataset=spec.name, state=DestructionState.REFUSED, decided_by__isnull=False)
        if row is None and not is_asked and refused.filter(decided_at__gt=now - _PAUSE).exists():
            return None
        owner = shared_dataset(spec.name).owner
        row = row or Destruction(dataset=spec.name, state=DestructionState.PLANNED.value)
        row.owner_org_id, row.planned_at, row.partitions = owner.id, now, told
        row.policy = {"form": policy["form"], "life_cycle": policy["life_cycle"]}
        row.rows, row.bytes = sum(life.rows for life in ending), sum(life.bytes for life in ending)
        row.save()
        details = {"dataset": spec.name, "partitions": len(told), "rows": row.rows, "bytes": row.bytes}
        target = f"destruction:{row.pk}"
        audit.record(actor=actor, action="datahub.destruction_planned", target=target, details=details, now=now)
        events.publish("datahub.destruction_planned", {"destruction_id": row.pk, "dataset": spec.name}, now=now)
        tell_unit(
            owner.id,
            title=_("有数据到了销毁期限，等待处理"),
            body=_("数据集 %(dataset)s：%(count)s 个分区，%(rows)s 行。需要一人提请、另一人批准。")
            % {"dataset": spec.name, "count": len(told), "rows": row.rows},
            url=destruction_address(row.pk),
            key=f"destruction-planned:{row.pk}:{clock.day_of(now).isoformat()}",
            now=now,
        )
    return row


def _drop_plan(dataset: str, actor: Actor, now: datetime) -> None:
    """What was drawn up and is due no more, since the rule was changed, waits for nobody."""
    with transaction.atomic():
        row = Destruction.objects.select_for_update().filter(dataset=dataset, state=DestructionState.PLANNED).first()
        if row is not None:
            row.state, row.reason, row.decided_at = DestructionState.REFUSED.value, _("规则改变后不再到期。"), now
            row.save(update_fields=["state", "reason", "decided_at"])
            details = {"dataset": dataset, "reason": row.reason}
            target = f"destruction:{row.pk}"
            audit.record(actor=actor, action="datahub.destruction_refused", target=target, details=details, now=now)


def _line(life: PartitionLife) -> list[object]:
    day = life.destroy_on.isoformat() if life.destroy_on else ""
    return [life.partition, life.rows, life.bytes, life.files, life.kept, day, life.digest]


def destruction_address(destruction_id: int) -> str:
    return reverse("datahub:destruction", args=[ids.encode("destruction", destruction_id)])
