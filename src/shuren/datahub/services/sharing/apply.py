"""A unit applies for a dataset, or takes its application back."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.datahub.data import ApplicationState, Sharing, SharingAttribute
from shuren.datahub.models import SharingApplication
from shuren.datahub.rules.sharing import check_asked, default_mask
from shuren.datahub.selectors.shared_datasets import SharedDataset, columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import access_own_application, units_of
from shuren.datahub.services.sharing.decide import grant_application
from shuren.datahub.services.sharing.tell import tell_unit
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel import audit, events, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused


def apply_for_sharing(
    *, actor: Actor, dataset: str, org_id: int, purpose: str, asked: Sharing, now: datetime
) -> SharingApplication:
    """Apply in the name of one of the actor's units; of `asked.masks` only the columns count.

    What is shared unconditionally is granted at once, masked as its grade says; everything else waits for the owner, who is
    told. Publishes `datahub.sharing_applied`. `Conflict` where an application of the unit for it is open.
    """
    unit = next((org for org in units_of(actor=actor, now=now) if org.id == org_id), None)
    if unit is None:
        raise NotFound(_("没有找到这个机构。"))
    found = shared_dataset(dataset)
    _check(found, unit, purpose, asked, now)
    try:
        with transaction.atomic():
            return _apply(actor, found, unit, purpose.strip()[:500], asked, now)
    except IntegrityError as error:
        raise Conflict(_("本单位对这个数据集的申请还在等待决定。")) from error


@transaction.atomic
def withdraw_application(*, actor: Actor, application_id: int, now: datetime) -> None:
    """Take an open application back."""
    row = access_own_application(actor=actor, id=application_id, now=now)
    if row.state != ApplicationState.OPEN:
        raise Conflict(_("这份申请已经有了决定。"))
    row.state, row.decided_at = ApplicationState.WITHDRAWN.value, now
    row.save(update_fields=["state", "decided_at"])
    details = {"dataset": row.dataset}
    target = f"sharing_application:{row.pk}"
    audit.record(actor=actor, action="datahub.sharing_withdrawn", target=target, details=details, now=now)


def _check(found: SharedDataset, unit: OrgData, purpose: str, asked: Sharing, now: datetime) -> None:
    if found.terms.attribute is SharingAttribute.NONE:
        raise Refused(_("这个数据集不予共享：%(ground)s") % {"ground": found.terms.ground})
    if found.owner.id == unit.id:
        raise Invalid(_("这是本单位自己的数据，不需要申请。"))
    if not purpose.strip():
        raise Invalid(_("请写明用途。"))
    held = columns_of_shared(found.spec)
    check_asked(columns=asked.masks, held=held, ways=asked.ways, ends_on=asked.ends_on, today=day_of(now))
    known, root = directory.orgs_by_ids(asked.org_ids), directory.root_org()
    if not asked.org_ids or len(known) != len(set(asked.org_ids)):
        raise Invalid(_("请选择要哪些单位的数据。"))
    if not found.is_cut_by_org and (root is None or root.id not in known):
        raise Invalid(_("这个数据集不能按单位分开，只能申请全部数据。"))


def _apply(actor: Actor, found: SharedDataset, unit: OrgData, purpose: str, asked: Sharing, now: datetime) -> SharingApplication:
    row = SharingApplication.objects.create(
        dataset=found.spec.name,
        applicant_org_id=unit.id,
        owner_org_id=found.owner.id,
        purpose=purpose,
        columns=sorted(asked.masks),
        org_ids=sorted(set(asked.org_ids)),
        ways=[way.value for way in asked.ways],
        ends_on=asked.ends_on,
        applied_by=actor.person_id,
        applied_at=now,
    )
    details = {
        "dataset": row.dataset,
        "org": unit.id,
        "columns": row.columns,
        "branches": row.org_ids[:20],
        "ways": row.ways,
        "ends_on": asked.ends_on.isoformat(),
        "purpose": purpose[:200],
    }
    target = f"sharing_application:{row.pk}"
    audit.record(actor=actor, action="datahub.sharing_applied", target=target, details=details, now=now)
    news = {"application_id": row.pk, "dataset": row.dataset, "org_id": unit.id}
    events.publish("datahub.sharing_applied", news, now=now)
    if found.terms.attribute is SharingAttribute.UNCONDITIONAL:
        held = columns_of_shared(found.spec)
        masks = {name: default_mask(held[name]).value for name in row.columns}
        grant_application(
            row, Sharing(masks, tuple(row.org_ids), asked.ways, asked.ends_on), actor=actor, decided_by=None, now=now
        )
        return row
    tell_unit(
        row.owner_org_id,
        title=_("有单位申请共享数据，等待决定"),
        body=_("%(org)s 申请 %(dataset)s：%(purpose)s") % {"org": unit.name, "dataset": found.title, "purpose": purpose[:200]},
        url=reverse("datahub:sharing_application", args=[ids.encode("sharing_application", row.pk)]),
        key=f"sharing-applied:{row.pk}",
        now=now,
    )
    return row
