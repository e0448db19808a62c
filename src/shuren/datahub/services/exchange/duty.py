"""The owner of a dataset states the law by which it is reported to the level above, and what of it."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shuren.datahub.data import SharingWay
from shuren.datahub.models import ReportDuty
from shuren.datahub.rules.sharing import check_asked, is_too_plain
from shuren.datahub.selectors.shared_datasets import columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import decides_for
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.standards.data import MaskStyle


@transaction.atomic
def set_report_duty(
    *, actor: Actor, dataset: str, ground: str, masks: Mapping[str, str], ends_on: date, now: datetime
) -> ReportDuty:
    """State a duty in place of the one before; sensitive personal data leaves masked, whatever the law. Two years at most."""
    found = shared_dataset(dataset)
    if not decides_for(found.owner.id, actor=actor, now=now):
        raise NotFound(_("没有找到这个数据集。"))
    if not ground.strip():
        raise Invalid(_("请写明上报所依据的法律、法规或制度的名称和条款。"))
    held = columns_of_shared(found.spec)
    check_asked(columns=masks, held=held, ways=(SharingWay.FILE,), ends_on=ends_on, today=day_of(now))
    plain = sorted(name for name, style in masks.items() if is_too_plain(held[name], MaskStyle(style)))
    if plain:
        raise Invalid(_("敏感个人信息只能脱敏后提供：%(columns)s。") % {"columns": "、".join(plain[:10])})
    ReportDuty.objects.filter(dataset=dataset, revoked_at__isnull=True).update(revoked_at=now)
    end = timezone.make_aware(datetime.combine(ends_on, time()) + timedelta(days=1))
    row = ReportDuty.objects.create(
        dataset=dataset,
        ground=ground.strip()[:500],
        masks=dict(masks),
        begins_at=now,
        ends_at=end,
        set_by=actor.person_id,
    )
    details = {"dataset": dataset, "ground": row.ground[:200], "columns": sorted(masks), "ends_on": ends_on.isoformat()}
    audit.record(actor=actor, action="datahub.report_duty_set", target=f"report_duty:{row.pk}", details=details, now=now)
    return row


@transaction.atomic
def end_report_duty(*, actor: Actor, duty_id: int, now: datetime) -> None:
    """End a duty at once: what rests on it leaves no more."""
    row = ReportDuty.objects.select_for_update().filter(pk=duty_id, revoked_at__isnull=True).first()
    if row is None or not decides_for(shared_dataset(row.dataset).owner.id, actor=actor, now=now):
        raise NotFound(_("没有找到这项上报义务。"))
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    details = {"dataset": row.dataset}
    audit.record(actor=actor, action="datahub.report_duty_ended", target=f"report_duty:{row.pk}", details=details, now=now)
