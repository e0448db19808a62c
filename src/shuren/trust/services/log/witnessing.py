"""Being a witness: cosigning heads of other installations' logs, never two histories of one log."""

from datetime import datetime

from django.db import transaction

from shuren.trust.models import WitnessedHead
from shuren.trust.rules.log.witness import WitnessRefused, read_request, refusal_of
from shuren.trust.selectors.note_keys import witnessed_keys
from shuren.trust.services.log.signing import cosignature_line


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
        if checkpoint.size > known.size:
            known.size, known.root, known.note, known.at = checkpoint.size, checkpoint.root, checkpoint.note, now
            known.save()
        return cosignature_line(checkpoint.text, now=now) + "\n"
