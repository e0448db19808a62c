"""The owner says how long a dataset is kept, and what must stay as it is."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import LifeCycle
from shuren.datahub.models import LifeCycleRule
from shuren.datahub.rules.life_cycle import check_life_cycle
from shuren.datahub.selectors.life_cycle import access_life_cycle
from shuren.datahub.selectors.life_cycle_rules import grade_for_life_cycle, life_cycle_of
from shuren.datahub.services.sweep import hold_dataset, release_dataset
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid


@transaction.atomic
def set_life_cycle(*, actor: Actor, dataset: str, told: LifeCycle, now: datetime) -> None:
    """Set a dataset's rule; it holds from the next look of the daily job on. By those who keep the owner's data.

    Publishes nothing: programs read the rule in the policy file. `Invalid` for what is shorter than the named law asks, and
    for personal data without an end.
    """
    found = access_life_cycle(actor=actor, dataset=dataset, now=now)
    check_life_cycle(told, grade=grade_for_life_cycle(found.spec))
    before = life_cycle_of(found.spec)
    values = {
        "basis": told.basis,
        "ground": told.ground.strip()[:300],
        "counted_from": told.counted_from.value,
        "in_use_days": told.in_use_days,
        "then": told.then.value,
        "archived_days": told.archived_days,
    }
    LifeCycleRule.objects.update_or_create(dataset=dataset, defaults={**values, "changed_by": actor.person_id, "changed_at": now})
    was = {"before_in_use_days": before.in_use_days, "before_then": before.then.value}
    target = f"dataset:{dataset}"
    audit.record(actor=actor, action="datahub.life_cycle_set", target=target, details={**values, **was}, now=now)


def hold_life_cycle(*, actor: Actor, dataset: str, reason: str, now: datetime) -> None:
    """Freeze a dataset: nothing of it is archived, swept or destroyed until it is released."""
    access_life_cycle(actor=actor, dataset=dataset, now=now)
    if not reason.strip():
        raise Invalid(_("请写明冻结的理由。"))
    hold_dataset(dataset, reason=reason, actor=actor, now=now)


def release_life_cycle(*, actor: Actor, dataset: str, now: datetime) -> None:
    access_life_cycle(actor=actor, dataset=dataset, now=now)
    release_dataset(dataset, actor=actor, now=now)
