"""Certificates for many: a batch is opened, filled and started; its job gives what is in it and goes on after a kill."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.certificates.data import Recipient
from shuren.certificates.models import Batch, BatchItem, Certificate
from shuren.certificates.rules.wording import checked_values
from shuren.certificates.selectors.templates import current_of, template_for_giving
from shuren.certificates.services.give import Item, people_to_give, write_certificates
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.work import api as work
from shuren.work.data import JobContext

_TITLE = gettext_lazy("发放证书：%(name)s（%(count)s 份）")
_AT_ONCE = 500
_KEPT_AT_ONCE = 2_000
_TICKED_AT_MOST = 200


@transaction.atomic
def give_batch(
    *, actor: Actor, org_id: int, template_id: int, recipients: Iterable[Recipient], now: datetime, is_checked: bool = False
) -> int:
    """Have certificates given to many by a job that goes on after a kill; returns the batch's id.

    `is_checked` tells that every person was asked for before; else at most 200 are taken and asked for here.
    """
    batch = open_batch(actor=actor, org_id=org_id, template_id=template_id, now=now)
    if not is_checked:
        recipients = list(recipients)
        if not 0 < len(recipients) <= _TICKED_AT_MOST:
            raise Invalid(_("一次可以勾选 1 至 200 人。"), remedy=_("人更多时，请用名单导入。"))
        people_to_give(actor, [recipient.person_id for recipient in recipients], now)
    stream: Iterator[Recipient] = iter(recipients)
    while some := list(islice(stream, _KEPT_AT_ONCE)):
        keep_items(batch, some)
    start_batch(batch, actor=actor, now=now)
    return batch.pk


def open_batch(*, actor: Actor, org_id: int, template_id: int, import_id: int | None = None, now: datetime) -> Batch:
    """An empty batch in the name of an org where the actor gives certificates; nobody sees it before it is started."""
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.ISSUE_CERTIFICATES, now=now)
    return Batch.objects.create(
        org_id=org.id,
        org_path=org.path,
        version=current_of(template_for_giving(org=org, id=template_id)),
        total=0,
        import_id=import_id,
        actor_account_id=actor.account_id,
        actor_person_id=actor.person_id,
        actor_name=actor.name[:100],
        given_at=now,
    )


def keep_items(batch: Batch, recipients: Iterable[Recipient]) -> None:
    """Put these people into a batch that is not started yet."""
    fields = batch.version.fields
    rows = [BatchItem(batch=batch, person_id=one.person_id, values=checked_values(one.values, fields)) for one in recipients]
    BatchItem.objects.bulk_create(rows)


@transaction.atomic
def start_batch(batch: Batch, *, actor: Actor, now: datetime) -> None:
    """Have a job give what is in the batch, and audit that it was started."""
    batch.total = BatchItem.objects.filter(batch=batch).count()
    batch.job_id = work.enqueue(
        "shuren.certificates.jobs.give",
        {"batch_id": batch.pk},
        key=f"certificates:{batch.pk}",
        title=_TITLE,
        title_words={"name": batch.version.name, "count": batch.total},
        actor=actor,
    )
    batch.save(update_fields=["total", "job_id"])
    details = {"template": batch.version.template_id, "org": batch.org_id, "count": batch.total}
    audit.record(actor=actor, action="certificates.batch_started", target=f"batch:{batch.pk}", details=details, now=now)


def drop_unstarted(import_id: int) -> None:
    """Take back what an import opened and did not start: nobody has seen it."""
    drop_batches(unstarted_of(import_id))


def unstarted_of(import_id: int) -> list[int]:
    """Batches that an import opened and did not start."""
    return list(Batch.objects.filter(import_id=import_id, job_id__isnull=True).values_list("pk", flat=True))


@transaction.atomic
def drop_batches(ids: Collection[int]) -> None:
    BatchItem.objects.filter(batch_id__in=ids).delete()
    Batch.objects.filter(pk__in=ids).delete()


def write_batch(job: JobContext, *, batch_id: int, now: datetime) -> int:
    """Give what is left of a batch, 500 in a transaction; publishes `certificates.batch_given` at the end.

    Returns how many were given since the batch began.
    """
    batch = Batch.objects.select_related("version__template").get(pk=batch_id)
    actor = Actor(person_id=batch.actor_person_id, account_id=batch.actor_account_id, name=batch.actor_name)
    org = directory.orgs_by_ids([batch.org_id])[batch.org_id]
    done = batch.total - BatchItem.objects.filter(batch=batch).count()
    while items := list(BatchItem.objects.filter(batch=batch).order_by("id")[:_AT_ONCE]):
        if job.is_cancelled():
            return Certificate.objects.filter(batch=batch).count()
        with transaction.atomic():
            people = directory.people_by_ids([item.person_id for item in items])
            wanted = [
                Item(f"batch:{batch.pk}:{item.person_id}", people[item.person_id], item.values)
                for item in items
                if item.person_id in people
            ]
            write_certificates(
                actor=actor, org=org, version=batch.version, items=wanted, batch=batch, given_at=batch.given_at, now=now
            )
            BatchItem.objects.filter(pk__in=[item.pk for item in items]).delete()
        done += len(items)
        job.progress(done, batch.total)
    return _finish(batch, actor=actor, now=now)


@transaction.atomic
def _finish(batch: Batch, *, actor: Actor, now: datetime) -> int:
    given = Certificate.objects.filter(batch=batch).count()
    missed = batch.total - given
    if Batch.objects.filter(pk=batch.pk, done_at__isnull=True).update(done_at=now, missed=missed):
        payload = {"batch_id": batch.pk, "org_id": batch.org_id, "count": given, "missed": missed}
        audit.record(actor=actor, action="certificates.batch_given", target=f"batch:{batch.pk}", details=payload, now=now)
        events.publish("certificates.batch_given", payload, now=now)
    return given
