"""Calling an archived partition back for a while, with a reason."""

import uuid
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import ArchiveState
from shuren.datahub.models import ArchivedFile, ArchivedPartition, Dataset, StoredSnapshot
from shuren.datahub.rules.life_cycle import LONGEST_RECALL
from shuren.datahub.rules.sealed_files import opened_blocks
from shuren.datahub.selectors.life_cycle import access_archive
from shuren.datahub.selectors.storage import store
from shuren.datahub.services.life_cycle.archive import PURPOSE
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api as trust
from shuren.work.api import enqueue

JOB = "shuren.datahub.jobs.recall_partition"


@transaction.atomic
def recall_archive(*, actor: Actor, archive_id: int, reason: str, until: date, now: datetime) -> None:
    """Have a partition put back into the lake until a day (inclusive), at most 90 days on; a job does it.

    By those who keep the owner's data. `Conflict` where it is back already, destroyed, or was written anew.
    """
    row = access_archive(actor=actor, id=archive_id, now=now)
    stored = Dataset.objects.select_for_update().get(name=row.dataset)
    row.refresh_from_db()
    if not reason.strip():
        raise Invalid(_("请写明调回的理由。"))
    today = day_of(now)
    if not today <= until <= today + timedelta(days=LONGEST_RECALL):
        raise Invalid(_("调回的最后一天应在今天之后、%(days)s 天以内。") % {"days": LONGEST_RECALL})
    if row.state != ArchiveState.ARCHIVED:
        raise Conflict(_("这份归档已经调回或已销毁。"))
    _refuse_rewritten(stored, row)
    row.state, row.recall_reason, row.recalled_by, row.recalled_until = (
        ArchiveState.CALLED.value,
        reason.strip()[:300],
        actor.person_id,
        until,
    )
    row.save(update_fields=["state", "recall_reason", "recalled_by", "recalled_until"])
    _record(row, "datahub.archive_recalled", actor, now)
    enqueue(JOB, {"archive_id": row.pk}, key=f"{JOB}:{row.pk}", title=gettext_lazy("从归档调回数据"), actor=actor)


def put_back(*, archive_id: int, now: datetime, actor: Actor = SYSTEM) -> bool:
    """Open the sealed files into the lake and make them what they were; publishes `datahub.partition_written`.

    False where nobody waits for it any more. A kill leaves files that no row names, which the sweep takes.
    """
    row = ArchivedPartition.objects.get(pk=archive_id)
    if row.state != ArchiveState.CALLED:
        return False
    opened = [(one, _open(row, one)) for one in row.files.order_by("pk")]
    with transaction.atomic():
        stored = Dataset.objects.select_for_update().get(name=row.dataset)
        row.refresh_from_db()
        if row.state != ArchiveState.CALLED:
            return False
        _refuse_rewritten(stored, row)
        for one, file in opened:
            _restore(stored, row, one, file)
        row.state = ArchiveState.RECALLED.value
        row.save(update_fields=["state"])
        _record(row, "datahub.partition_recalled", actor, now)
        last = max(one.snapshot_id for one, _file in opened)
        news = {"dataset": row.dataset, "partition": dict(row.partition_values), "snapshot": last}
        events.publish("datahub.partition_written", news, now=now)
    return True


def _open(row: ArchivedPartition, one: ArchivedFile) -> str:
    key = trust.unseal(bytes(one.key_sealed or b""), purpose=PURPOSE)
    file, found = f"{row.dataset}/{row.partition}/{uuid.uuid4().hex}.parquet", sha256()
    with store().writing(file) as sink, store().open(one.file) as source:
        for block in opened_blocks(source, key=key):
            found.update(block)
            sink.write(block)
    if found.hexdigest() != one.sha256:
        store().remove(file)
        raise RuntimeError(f"{one.file} does not hold what was archived")
    return file


def _restore(stored: Dataset, row: ArchivedPartition, one: ArchivedFile, file: str) -> None:
    """The snapshot under the number it had; one that was not swept yet takes the new file, its old one is swept."""
    StoredSnapshot.objects.update_or_create(
        pk=one.snapshot_id,
        defaults={
            "dataset": stored,
            "partition": row.partition,
            "partition_values": row.partition_values,
            "piece": one.piece,
            "file": file,
            "rows": one.rows,
            "bytes": one.bytes,
            "sha256": one.sha256,
            "columns": one.columns,
            "created_at": one.written_at,
            "is_current": one.was_current,
            "is_kept": one.was_kept,
            "superseded_at": None if one.was_current else row.archived_at,
        },
    )


def _refuse_rewritten(stored: Dataset, row: ArchivedPartition) -> None:
    if StoredSnapshot.objects.filter(dataset=stored, partition=row.partition, is_current=True).exists():
        raise Conflict(_("这个分区归档后又写入了新数据，不能再调回旧的。"))


def _record(row: ArchivedPartition, action: str, actor: Actor, now: datetime) -> None:
    until = row.recalled_until.isoformat() if row.recalled_until else ""
    details = {"dataset": row.dataset, "partition": row.partition, "reason": row.recall_reason, "until": until}
    audit.record(actor=actor, action=action, target=f"archived_partition:{row.pk}", details=details, now=now)
