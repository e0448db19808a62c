"""Whether what this installation holds still is what it signed: tiles, rows of the log, heads and the audit trail."""

from collections.abc import Callable, Iterator
from pathlib import Path

from shuren.kernel.models import AuditEntry
from shuren.trust.data import Business, DigestAlgorithm
from shuren.trust.models import AuditBatch, Cosignature, LogEntry, TreeHead, WitnessedHead
from shuren.trust.rules.log.checkpoint import checkpoint_text, read_checkpoint, read_key, signed_by, with_signatures
from shuren.trust.rules.log.merkle import folded, tree_hash
from shuren.trust.rules.log.proofs import is_signed
from shuren.trust.rules.log.signatures import verification_with
from shuren.trust.rules.log.tiles import TiledTree
from shuren.trust.rules.log.whole import fault_in_log
from shuren.trust.selectors.log import entry_of, the_log
from shuren.trust.selectors.note_keys import log_keys, witness_keys, witnessed_keys
from shuren.trust.selectors.tiles import folder_source, log_folder
from shuren.trust.selectors.trail import bytes_of_audit_entry, ids_of_batch, unbatched_count

Told = Callable[[int], None]


def faults_of_folder(folder: Path, note: str, keys: list[str], *, on_progress: Told = lambda _count: None) -> list[str]:
    """What is wrong with a log of tiles in `folder` under the checkpoint `note`; no database is asked."""
    try:
        checkpoint, known = read_checkpoint(note), [read_key(key) for key in keys]
    except ValueError as error:
        return [str(error)]
    fault = fault_in_log(checkpoint, folder_source(folder), known, on_progress=on_progress)
    return [fault] if fault else []


def faults_of_log(*, on_progress: Told = lambda _count: None) -> list[str]:
    """What is wrong with this installation's log: tiles against the newest head, rows against tiles, every head."""
    log, head = the_log(), TreeHead.objects.order_by("-size").first()
    if log is None or head is None:
        return [] if log is None or not log.size else ["the heads of the log are gone"]
    hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
    rows = LogEntry.objects.filter(leaf_index__lt=head.size).order_by("leaf_index").iterator(chunk_size=2_000)

    def fault_of_rows(first: int, entries: list[bytes]) -> str:
        for place, entry in enumerate(entries, start=first):
            row = next(rows, None)
            if row is None or row.leaf_index != place:
                return f"the row of entry {place} is gone"
            try:
                is_same = entry_of(row, hasher) == entry
            except (ValueError, OverflowError):
                is_same = False
            if not is_same:
                return f"the row of entry {place} is not what the log took up"
        return ""

    try:
        checkpoint = read_checkpoint(head.note)
        keys = [read_key(key) for key in log_keys()]
        fault = fault_in_log(checkpoint, folder_source(log_folder()), keys, on_progress=on_progress, on_entries=fault_of_rows)
    except ValueError as error:
        fault = f"head {head.size}: {error}"
    faults = [fault] if fault else []
    if log.size != head.size or log.sequenced < log.size:
        faults.append("the log's size is not that of its newest head")
    return faults or [*_faults_of_heads(), *_faults_of_witnesses()]


def _faults_of_heads() -> Iterator[str]:
    log = the_log()
    if log is None:
        return
    algorithm = DigestAlgorithm(log.hash_algorithm)
    keys = [read_key(key) for key in log_keys()]
    heads = TreeHead.objects.order_by("number").iterator(chunk_size=500)
    for number, head in enumerate(heads, start=1):
        root = bytes(head.root)
        text = checkpoint_text(origin=log.origin, size=head.size, root=root, hash_algorithm=algorithm)
        try:
            checkpoint = read_checkpoint(head.note)
            is_whole = TiledTree(head.size, folder_source(log_folder()), tree_hash(algorithm)).root() == root
        except (OSError, ValueError) as error:
            yield f"head {head.size}: {error}"
            continue
        if head.number != number:
            yield f"head number {number} is gone"
            return
        if not is_whole or checkpoint.text != text or not is_signed(checkpoint, keys):
            yield f"head {head.size} is not what was signed"


def _faults_of_witnesses() -> Iterator[str]:
    """Lines by our witnesses that no longer hold, and heads of others that we hold otherwise than we cosigned them."""
    keys = {key.name: key for key in witness_keys()}
    for row in Cosignature.objects.select_related("head").order_by("pk").iterator(chunk_size=500):
        key = keys.get(row.witness)
        try:
            checkpoint = with_signatures(read_checkpoint(row.head.note), [row.line])
            signed_at = signed_by(checkpoint, key, verify=verification_with(key)) if key else row.at
        except ValueError:
            signed_at = None
        if signed_at != row.at:
            yield f"the line of {row.witness} on head {row.head.size} does not hold"
    for known in WitnessedHead.objects.filter(size__gt=0):
        try:
            checkpoint = read_checkpoint(known.note)
            is_same = (checkpoint.origin, checkpoint.size, checkpoint.root) == (known.origin, known.size, bytes(known.root))
        except ValueError:
            is_same = False
        if not is_same or not is_signed(checkpoint, [key for key in witnessed_keys() if key.name == known.origin]):
            yield f"the head cosigned for {known.origin} is not what its log signed"


def faults_of_trail(*, on_progress: Told = lambda _count: None) -> Iterator[str]:
    """Batches of the audit trail that no longer hold what was anchored, and entries that slipped in afterwards."""
    log = the_log()
    if log is None:
        return
    hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
    seen = 0
    if LogEntry.objects.filter(business=Business.AUDIT.value, audit_batch__isnull=True).exists():
        yield "a batch of the audit trail is gone"
    if unbatched_count() > 0:
        yield f"{unbatched_count()} audit entries slipped in after their neighbours were anchored"
    batches = AuditBatch.objects.filter(archived_at__isnull=True)
    for batch in batches.select_related("entry").prefetch_related("ranges").order_by("pk").iterator(chunk_size=100):
        entries = AuditEntry.objects.in_bulk(ids_of_batch(batch.ranges.all()))
        leaves = [hasher.leaf(bytes_of_audit_entry(entries[number])) for number in sorted(entries)]
        if len(entries) != batch.count or folded(leaves, hasher) != bytes(batch.entry.digest):
            yield f"audit entries {batch.entry.subject.removeprefix('audit:')} are not what was anchored"
        seen += batch.count
        on_progress(seen)
