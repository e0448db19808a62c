"""Taking open data back: the files go, the address stays and says so."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import OpenState
from shuren.datahub.models import OpenDataset, OpenVersion
from shuren.datahub.selectors.open_data import access_opening
from shuren.datahub.services.write import drop_partition
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict


def withdraw_open_dataset(*, actor: Actor, id: int, reason: str, now: datetime) -> OpenDataset:
    """Withdraw every version of the dataset of version `id`; publishes `datahub.open_data_withdrawn` {number, reason}.

    One person is enough: what should not be out must not wait for a second. The sweep takes the files within the hour.
    """
    version = access_opening(actor=actor, id=id, now=now)
    with transaction.atomic():
        dataset = OpenDataset.objects.select_for_update().get(pk=version.dataset_id)
        if dataset.number is None or dataset.withdrawn_at is not None:
            raise Conflict(_("这份数据没有开放，或已经撤回。"))
        published = OpenVersion.objects.filter(dataset=dataset, state=OpenState.PUBLISHED)
        for number in published.values_list("number", flat=True):
            drop_partition(dataset.lake_name, {"version": number}, actor=actor, now=now)
        published.update(state=OpenState.WITHDRAWN.value)
        waiting = OpenVersion.objects.filter(dataset=dataset, state=OpenState.WAITING)
        waiting.update(state=OpenState.REFUSED.value, reason=reason[:300])
        dataset.withdrawn_at, dataset.withdrawn_reason, dataset.changed_at = now, reason[:300], now
        dataset.save(update_fields=["withdrawn_at", "withdrawn_reason", "changed_at"])
        details = {"number": dataset.number, "reason": dataset.withdrawn_reason}
        audit.record(
            actor=actor, action="datahub.open_data_withdrawn", target=f"open_version:{version.pk}", details=details, now=now
        )
        news = {"number": dataset.number, "reason": dataset.withdrawn_reason}
        events.publish("datahub.open_data_withdrawn", news, now=now)
    return dataset
