"""Asking for first passwords for a branch."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.identity.data import BatchReach, Recipients, SlipForm
from shuren.identity.models import CredentialBatch
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, Refused
from shuren.work.api import enqueue

JOB = "shuren.identity.jobs.issue_batch"


@transaction.atomic
def start_batch(
    *,
    actor: Actor,
    org_id: int,
    recipients: Collection[Recipients],
    reach: BatchReach,
    form: SlipForm,
    site: str,
    now: datetime,
) -> int:
    """Queue first passwords for everybody in the branch of `org_id` whom `actor` may give one; returns the batch's id.

    The rules of `issue_credentials` hold for each person at the moment they are met; whoever they shut out is listed.
    """
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.ISSUE_CREDENTIALS, now=now)
    if actor.account_id is None:
        raise Refused(_("只有登录的人才能成批发放密码。"))
    if not recipients:
        raise Invalid(_("还没有选择发给谁。"), remedy=_("请至少选一种人员。"))
    batch = CredentialBatch.objects.create(
        org_id=org.id,
        asked_by_id=actor.account_id,
        role=actor.role or "",
        recipients=" ".join(one.value for one in Recipients if one in recipients),
        reach=reach.value,
        form=form.value,
        site=site[:200],
        orgs=directory.count_orgs(org.path),
        created_at=now,
    )
    job_id = enqueue(
        JOB,
        {"batch_id": batch.pk},
        key=f"credentials:{batch.pk}",
        is_once=True,
        title=gettext_lazy("发放初始密码：%(org)s"),
        title_words={"org": org.name},
        actor=actor,
    )
    CredentialBatch.objects.filter(pk=batch.pk).update(job_id=job_id)
    details = {"recipients": batch.recipients, "reach": batch.reach, "form": batch.form}
    audit.record(actor=actor, action="identity.batch_started", target=f"org:{org.id}", details=details, now=now)
    return batch.pk
