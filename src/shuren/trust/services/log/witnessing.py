"""Being a witness: cosigning heads of other installations' logs, never two histories of one log."""

from datetime import UTC, datetime

from django.db import transaction

from shuren.trust.data import Business, DigestAlgorithm
from shuren.trust.models import Cosignature, Log, LogEntry, WitnessedHead
from shuren.trust.rules.log.checkpoint import with_signatures
from shuren.trust.rules.log.witness import WitnessRefused, read_request, refusal_of
from shuren.trust.selectors.note_keys import witnessed_keys
from shuren.trust.selectors.witnessing import cosigned_digest, witnessed_digest, witnessed_subject
from shuren.trust.services.log.anchoring import anchor
from shuren.trust.services.log.signing import cosignature_line

_AT_ONCE = 1_000


def add_checkpoint(text: str, *, now: datetime) -> str:
    """Cosign the checkpoint in a C2SP `add-checkpoint` request and return the signature line.

    The proof of whoever asks is the log's signature, of a key in `SHUREN_EVIDENCE_WITNESSED`. What was cosigned is
    remembered before the answer leaves, in `WitnessedHead` and not in the audit trail: two installations that witness each
    other would otherwise write entries about each other's entries for ever. Raises `WitnessRefused` 400, 403, 404, 409 or 422.
    """
    request = read_request(text)
    checkpoint = request.checkpoint
    keys = [key for key in witnessed_keys() if key.name == checkpoint.origin]
    if not keys:
        raise WitnessRefused(404, "this log is not known here")
    with transaction.atomic():
        WitnessedHead.objects.bulk_create([WitnessedHead(origin=checkpoint.origin, at=now)], ignore_conflicts=True)
        known = WitnessedHead.objects.select_for_update().get(origin=checkpoint.origin)
        refusal = refusal_of(request, keys=keys, known_size=known.size, known_root=bytes(known.root))
        if refusal is not None:
            raise refusal
        line = cosignature_line(checkpoint.text, now=now)
        if checkpoint.size > known.size:
            known.size, known.root, known.note = checkpoint.size, checkpoint.root, with_signatures(checkpoint, [line]).note
            # As the line says it, in seconds: the row tells nothing that is not signed.
            known.at = datetime.fromtimestamp(int(now.timestamp()), UTC)
            known.save()
        return line + "\n"


@transaction.atomic
def anchor_witnessing(*, now: datetime) -> int:
    """Put what witnesses cosigned and what this installation cosigned on record, beside what waits; returns how many entries.

    Where nothing waits it does nothing: two installations that witness each other would else make heads for ever.
    """
    log = Log.objects.select_for_update().filter(pk=1).first()
    if log is None or not LogEntry.objects.filter(leaf_index__isnull=True).exists():
        return 0
    algorithm, count = DigestAlgorithm(log.hash_algorithm), 0
    fresh = list(Cosignature.objects.filter(entry__isnull=True).select_related("head").order_by("pk")[:_AT_ONCE])
    if fresh:
        subject = f"cosigned:{fresh[0].pk}-{fresh[-1].pk}"
        entry = anchor(business=Business.AUDIT, subject=subject, digest=cosigned_digest(fresh, algorithm), now=now)
        Cosignature.objects.filter(pk__in=[row.pk for row in fresh]).update(entry_id=entry)
        count += 1
    for known in WitnessedHead.objects.filter(size__gt=0):
        subject = witnessed_subject(known)
        if not LogEntry.objects.filter(subject=subject).exists():
            anchor(business=Business.AUDIT, subject=subject, digest=witnessed_digest(known, algorithm), now=now)
            count += 1
    return count
