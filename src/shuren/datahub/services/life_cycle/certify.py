"""The certificate of destruction: numbered, signed, put on record in the transaction that ends the destruction."""

import base64
import hashlib
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from shuren.datahub.data import DestructionState
from shuren.datahub.models import Dataset, Destruction, OpenDataset, SharingGrant
from shuren.datahub.rules.certificates import FORM, canonical
from shuren.datahub.rules.life_cycle import backups_end_on
from shuren.datahub.selectors.destruction_certificates import KEY
from shuren.datahub.services.life_cycle.decide import destruction_details
from shuren.datahub.services.life_cycle.plan import destruction_address
from shuren.datahub.services.sharing.tell import tell_unit
from shuren.directory import api as directory
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.trust import api as trust
from shuren.trust.data import Business, KeyAlgorithm

METHOD = "unlink"


@transaction.atomic
def certify_destruction(row: Destruction, *, actor: Actor, now: datetime) -> Destruction:
    """Make the certificate and end the destruction; publishes `datahub.data_destroyed`. The caller has seen that all is gone."""
    Dataset.objects.select_for_update().get(name=row.dataset)
    row.refresh_from_db()
    if row.state != DestructionState.RUNNING or row.files.filter(removed_at__isnull=True).exists():
        return row
    key = trust.ensure_key(name=KEY, algorithm=KeyAlgorithm.ED25519, now=now)
    row.number, row.done_at, row.state = _number(now), now, DestructionState.DONE.value
    row.certificate = _told(row, now)
    told = canonical(row.certificate)
    row.signature = base64.b64encode(trust.sign(told, key=KEY, version=key.version)).decode()
    row.key_version = key.version
    digest = hashlib.sha256(told).digest()
    row.log_entry_id = trust.anchor(business=Business.AUDIT, subject=f"destruction:{row.pk}", digest=digest, now=now)
    row.save()
    details, target = destruction_details(row, number=row.number, sha256=digest.hex()), f"destruction:{row.pk}"
    audit.record(actor=actor, action="datahub.data_destroyed", target=target, details=details, now=now)
    news = {"destruction_id": row.pk, "dataset": row.dataset, "number": row.number}
    events.publish("datahub.data_destroyed", news, now=now)
    tell_unit(
        row.owner_org_id,
        title=_("数据已销毁，证明 %(number)s") % {"number": row.number},
        body=_("数据集 %(dataset)s：%(rows)s 行。") % {"dataset": row.dataset, "rows": row.rows},
        url=destruction_address(row.pk),
        key=f"destruction-done:{row.pk}",
        now=now,
    )
    return row


def _number(now: datetime) -> str:
    head = f"XH-{day_of(now).year}-"
    last = Destruction.objects.filter(number__startswith=head).aggregate(last=Max("number"))["last"]
    return f"{head}{int(last.removeprefix(head)) + 1 if last else 1:05d}"


def _told(row: Destruction, now: datetime) -> dict[str, object]:
    owner = directory.orgs_by_ids([row.owner_org_id]).get(row.owner_org_id)
    people = directory.people_by_ids([one for one in (row.proposed_by, row.decided_by) if one is not None])
    names = {pk: person.name for pk, person in people.items()}
    files = list(row.files.order_by("partition", "pk"))
    return {
        "form": FORM,
        "number": row.number,
        "dataset": row.dataset,
        "owner": owner.name if owner else "",
        "rule": row.policy["life_cycle"],
        "ground": row.ground,
        "proposed": {"by": names.get(row.proposed_by or 0, ""), "at": _moment(row.proposed_at)},
        "approved": {"by": names.get(row.decided_by or 0, ""), "at": _moment(row.decided_at)},
        "carried_out": {"by": "shuren", "began_at": _moment(row.began_at), "verified_at": _moment(now), "method": METHOD},
        "partitions": [{"partition": line[0], "rows": line[1], "due_on": line[5]} for line in row.partitions],
        "rows": row.rows,
        "bytes": sum(one.bytes for one in files),
        "files": [
            {"kind": one.kind, "file": one.file, "rows": one.rows, "bytes": one.bytes, "sha256": one.sha256} for one in files
        ],
        "copies": _copies(row, now),
    }


def _copies(row: Destruction, now: datetime) -> dict[str, object]:
    """What else may hold the same facts: backups up to a day, and what left the lake while it was there."""
    has_backups = bool(settings.SHUREN_BACKUP_TARGETS)
    end = backups_end_on(settings.SHUREN_BACKUP_KEEP, day=day_of(now)).isoformat() if has_backups else ""
    opened = OpenDataset.objects.filter(source=row.dataset, opened_at__isnull=False).order_by("number")
    return {
        "backups_until": end,
        "lake": "bucket" if settings.SHUREN_LAKE_URL else "folder",
        "shared_uses": sum(SharingGrant.objects.filter(dataset=row.dataset).values_list("uses", flat=True)),
        "opened_as": list(opened.values_list("number", flat=True)),
    }


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""
