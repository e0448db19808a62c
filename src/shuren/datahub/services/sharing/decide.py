"""The owner decides an application, and takes back what was granted."""

from datetime import datetime, time, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from shuren.datahub.data import ApplicationState, Sharing, SharingAttribute, SharingWay
from shuren.datahub.models import SharingApplication, SharingGrant
from shuren.datahub.rules.sharing import check_given
from shuren.datahub.selectors.shared_datasets import columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import access_decision, access_given_grant, branches_fit
from shuren.datahub.services.sharing.tell import grant_address, tell_unit
from shuren.kernel import audit, events, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused


@transaction.atomic
def approve_application(*, actor: Actor, application_id: int, given: Sharing, reason: str = "", now: datetime) -> SharingGrant:
    """Grant what was asked for or less of it; the applicant is told. Publishes `datahub.sharing_granted`."""
    row = _open(actor, application_id, now)
    found = shared_dataset(row.dataset)
    if found.terms.attribute is SharingAttribute.NONE:
        raise Refused(_("这个数据集不予共享：%(ground)s") % {"ground": found.terms.ground})
    if not found.is_cut_by_org and sorted(given.org_ids) != sorted(row.org_ids):
        raise Invalid(_("这个数据集不能按单位分开，只能整个批准或不批准。"))
    asked = Sharing(dict.fromkeys(row.columns, ""), tuple(row.org_ids), _ways(row), row.ends_on)
    fit = branches_fit(given.org_ids, row.org_ids)
    check_given(given, asked, columns_of_shared(found.spec), branches_fit=fit, today=day_of(now))
    row.reason = reason.strip()[:500]
    return grant_application(row, given, actor=actor, decided_by=actor.person_id, now=now)


@transaction.atomic
def refuse_application(*, actor: Actor, application_id: int, reason: str, now: datetime) -> None:
    """Refuse, with the reason; the applicant is told. Publishes `datahub.sharing_refused`."""
    row = _open(actor, application_id, now)
    if not reason.strip():
        raise Invalid(_("请写明不同意的理由。"))
    row.state, row.reason = ApplicationState.REFUSED.value, reason.strip()[:500]
    row.decided_by, row.decided_at = actor.person_id, now
    row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    details = {"dataset": row.dataset, "reason": row.reason}
    target = f"sharing_application:{row.pk}"
    audit.record(actor=actor, action="datahub.sharing_refused", target=target, details=details, now=now)
    news = {"application_id": row.pk, "dataset": row.dataset, "org_id": row.applicant_org_id}
    events.publish("datahub.sharing_refused", news, now=now)
    tell_unit(
        row.applicant_org_id,
        title=_("数据共享申请未获同意"),
        body=_("数据集 %(dataset)s：%(reason)s") % {"dataset": row.dataset, "reason": row.reason[:300]},
        url=reverse("datahub:sharing_application", args=[ids.encode("sharing_application", row.pk)]),
        key=f"sharing-refused:{row.pk}",
        now=now,
    )


def grant_application(
    row: SharingApplication, given: Sharing, *, actor: Actor, decided_by: int | None, now: datetime
) -> SharingGrant:
    """Write the grant of an application that was decided, or that needs no decision; inside the caller's transaction."""
    row.state, row.decided_by, row.decided_at = ApplicationState.APPROVED.value, decided_by, now
    row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    last = datetime.combine(given.ends_on + timedelta(days=1), time(), tzinfo=timezone.get_default_timezone())
    grant = SharingGrant.objects.create(
        application=row,
        dataset=row.dataset,
        applicant_org_id=row.applicant_org_id,
        owner_org_id=row.owner_org_id,
        masks=dict(given.masks),
        org_ids=sorted(set(given.org_ids)),
        ways=[way.value for way in given.ways],
        begins_at=now,
        ends_at=last,
    )
    details = {
        "dataset": row.dataset,
        "org": row.applicant_org_id,
        "masks": grant.masks,
        "branches": grant.org_ids[:20],
        "ways": grant.ways,
        "ends_on": given.ends_on.isoformat(),
    }
    target = f"sharing_grant:{grant.pk}"
    audit.record(actor=actor, action="datahub.sharing_granted", target=target, details=details, now=now)
    news = {"grant_id": grant.pk, "dataset": row.dataset, "org_id": row.applicant_org_id}
    events.publish("datahub.sharing_granted", news, now=now)
    for org_id in (row.applicant_org_id, row.owner_org_id):
        tell_unit(
            org_id,
            title=_("数据共享申请已获同意"),
            body=_("数据集 %(dataset)s，可用到 %(day)s。") % {"dataset": row.dataset, "day": given.ends_on.isoformat()},
            url=grant_address(grant.pk),
            key=f"sharing-granted:{grant.pk}:{org_id}",
            now=now,
        )
    return grant


@transaction.atomic
def revoke_sharing(*, actor: Actor, grant_id: int, reason: str, now: datetime) -> None:
    """End a grant at once, with the reason; the applicant is told. Publishes `datahub.sharing_revoked`."""
    grant = access_given_grant(actor=actor, id=grant_id, now=now)
    if not reason.strip():
        raise Invalid(_("请写明收回的理由。"))
    if grant.revoked_at is not None or grant.ends_at <= now:
        raise Conflict(_("这项授权已经结束。"))
    grant.revoked_at, grant.revoked_by, grant.reason = now, actor.person_id, reason.strip()[:500]
    grant.save(update_fields=["revoked_at", "revoked_by", "reason"])
    details = {"dataset": grant.dataset, "org": grant.applicant_org_id, "reason": grant.reason}
    target = f"sharing_grant:{grant.pk}"
    audit.record(actor=actor, action="datahub.sharing_revoked", target=target, details=details, now=now)
    news = {"grant_id": grant.pk, "dataset": grant.dataset, "org_id": grant.applicant_org_id}
    events.publish("datahub.sharing_revoked", news, now=now)
    tell_unit(
        grant.applicant_org_id,
        title=_("数据共享授权已收回"),
        body=_("数据集 %(dataset)s：%(reason)s") % {"dataset": grant.dataset, "reason": grant.reason[:300]},
        url=grant_address(grant.pk),
        key=f"sharing-revoked:{grant.pk}",
        now=now,
    )


def _open(actor: Actor, application_id: int, now: datetime) -> SharingApplication:
    row = access_decision(actor=actor, id=application_id, now=now)
    if row.state != ApplicationState.OPEN:
        raise Conflict(_("这份申请已经有了决定。"))
    return row


def _ways(row: SharingApplication) -> tuple[SharingWay, ...]:
    return tuple(SharingWay(way) for way in row.ways)
