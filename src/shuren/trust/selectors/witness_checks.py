"""Whether what is kept of witnessing still is what was signed and put on record."""

from collections.abc import Iterator

from shuren.trust.data import Business, DigestAlgorithm
from shuren.trust.models import Cosignature, HeadDelivery, LogEntry, WitnessedHead
from shuren.trust.rules.log.checkpoint import Checkpoint, NoteKey, read_checkpoint, signed_by, with_signatures
from shuren.trust.rules.log.proofs import is_signed
from shuren.trust.rules.log.signatures import verification_with
from shuren.trust.selectors.note_keys import every_witness_key, own_witness_keys, witnessed_keys
from shuren.trust.selectors.witnessing import COSIGNED, WITNESSED, cosigned_digest, witnessed_digest


def faults_of_witnessing(algorithm: DigestAlgorithm) -> Iterator[str]:
    """Lines by our witnesses that no longer hold or are gone, and heads of others that we hold otherwise than we cosigned."""
    keys = every_witness_key()
    yield from _faults_of_lines(keys)
    yield from _missing_lines({key.name for key in keys})
    yield from _faults_of_records(algorithm)
    yield from _faults_of_witnessed()
    yield from _faults_of_witnessed_records(algorithm)


def _faults_of_lines(keys: list[NoteKey]) -> Iterator[str]:
    for row in Cosignature.objects.select_related("head").order_by("pk").iterator(chunk_size=500):
        asked = [key for key in keys if key.name == row.witness]
        try:
            line = with_signatures(read_checkpoint(row.head.note), [row.line])
        except ValueError:
            asked = []
        if not any(signed_by(line, key, verify=verification_with(key)) == row.at for key in asked):
            yield f"the line of {row.witness} on head {row.head.size} does not hold"


def _missing_lines(names: set[str]) -> Iterator[str]:
    """A witness answers by its line alone: a head that was delivered to it and bears none has lost it."""
    for name in sorted(names):
        rows = HeadDelivery.objects.filter(target__contains=f" {name}+", delivered_at__isnull=False)
        for row in rows.exclude(head__cosignatures__witness=name).select_related("head").order_by("pk"):
            yield f"the line of {name} on head {row.head.size} is gone"


def _faults_of_records(algorithm: DigestAlgorithm) -> Iterator[str]:
    entries = LogEntry.objects.filter(business=Business.AUDIT.value, subject__startswith=COSIGNED)
    for entry in entries.order_by("pk").iterator(chunk_size=500):
        rows = Cosignature.objects.filter(entry=entry).select_related("head").order_by("pk")
        if cosigned_digest(rows, algorithm) != bytes(entry.digest):
            yield f"the lines of witnesses {entry.subject.removeprefix(COSIGNED)} are not what was put on record"
    stray = Cosignature.objects.filter(entry__isnull=False).exclude(entry__subject__startswith=COSIGNED)
    if stray.exists():
        yield "a line of a witness is on record under an entry of another kind"


def _faults_of_witnessed() -> Iterator[str]:
    own = own_witness_keys()
    for known in WitnessedHead.objects.order_by("pk"):
        keys = [key for key in witnessed_keys() if key.name == known.origin]
        try:
            checkpoint = read_checkpoint(known.note)
            is_same = (checkpoint.origin, checkpoint.size, checkpoint.root) == (known.origin, known.size, bytes(known.root))
        except ValueError:
            is_same = False
        if not is_same or not is_signed(checkpoint, keys, needed=checkpoint.key_ids):
            yield f"the head cosigned for {known.origin} is not what its log signed"
        elif not _bears_own_line(checkpoint, known, own):
            yield f"the head cosigned for {known.origin} does not bear the line of this installation"


def _bears_own_line(checkpoint: Checkpoint, known: WitnessedHead, own: list[NoteKey]) -> bool:
    # Heads cosigned by earlier releases were kept without the line: there the log's own stands last.
    is_early = checkpoint.signatures[-1].startswith(f"— {known.origin} ")
    return is_early or any(signed_by(checkpoint, key, verify=verification_with(key)) == known.at for key in own)


def _faults_of_witnessed_records(algorithm: DigestAlgorithm) -> Iterator[str]:
    """Of each log the newest record: its row must be that one or a newer one."""
    newest: dict[int, tuple[int, bytes]] = {}
    entries = LogEntry.objects.filter(business=Business.AUDIT.value, subject__startswith=WITNESSED).order_by("pk")
    for subject, digest in entries.values_list("subject", "digest").iterator(chunk_size=2_000):
        log, _colon, leaves = subject.removeprefix(WITNESSED).partition(":")
        newest[int(log)] = max(newest.get(int(log), (0, b"")), (int(leaves), bytes(digest)))
    rows = WitnessedHead.objects.in_bulk(list(newest))
    for pk, (size, digest) in newest.items():
        known = rows.get(pk)
        if known is None or known.size < size or (known.size == size and witnessed_digest(known, algorithm) != digest):
            yield f"the head of {size} leaves that was cosigned for log {pk} is gone"
