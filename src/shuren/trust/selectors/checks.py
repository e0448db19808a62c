"""Whether the log of this installation still is what it signed: tiles, rows, heads, and the lines of witnesses."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.db.models import Subquery

from shuren.trust.data import DigestAlgorithm
from shuren.trust.models import Log, LogEntry, TreeHead
from shuren.trust.rules.log.checkpoint import (
    Checkpoint,
    NoteKey,
    checkpoint_text,
    read_checkpoint,
    read_key,
    signature_bytes,
    signed_by,
)
from shuren.trust.rules.log.merkle import TreeHash, tree_hash
from shuren.trust.rules.log.proofs import is_signed
from shuren.trust.rules.log.signatures import verification_with
from shuren.trust.rules.log.tiles import TiledTree
from shuren.trust.rules.log.whole import fault_in_log
from shuren.trust.selectors.log import entry_of, the_log
from shuren.trust.selectors.note_keys import every_log_key, log_keys
from shuren.trust.selectors.tiles import faults_of_files, folder_source, log_folder
from shuren.trust.selectors.witness_checks import faults_of_witnessing

Told = Callable[[int], None]


def faults_of_folder(folder: Path, note: str, keys: list[str], *, on_progress: Told = lambda _count: None) -> list[str]:
    """What is wrong with a log of tiles in `folder` under the checkpoint `note`; no database is asked."""
    try:
        checkpoint, known = read_checkpoint(note), [read_key(key) for key in keys]
    except ValueError as error:
        return [str(error)]
    fault = fault_in_log(checkpoint, folder_source(folder), known, on_progress=on_progress)
    return [fault] if fault else list(faults_of_files(folder, checkpoint.size))


def faults_of_log(*, on_progress: Told = lambda _count: None) -> list[str]:
    """What is wrong with this installation's log: tiles against the newest head, rows against tiles, every head."""
    log, head = _log_and_head()
    if log is None or head is None:
        is_begun = head is not None or LogEntry.objects.filter(leaf_index__isnull=False).exists()
        return ["the log or its heads are gone"] if is_begun or (log is not None and log.size) else []
    try:
        hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
        checkpoint = read_checkpoint(head.note)
        keys = [read_key(key) for key in log_keys()]
        rows = _compared_rows(head.size, hasher)
        fault = fault_in_log(checkpoint, folder_source(log_folder()), keys, on_progress=on_progress, on_entries=rows)
    except ValueError as error:
        return [f"head {head.size}: {error}"]
    faults = [fault] if fault else []
    if log.size != head.size or log.sequenced < log.size or not _places_are_whole(log.sequenced):
        faults.append("the log's size is not that of its newest head and entries")
    return faults or [
        *faults_of_files(log_folder(), head.size),
        *_faults_of_heads(log, hasher),
        *faults_of_witnessing(hasher.algorithm),
    ]


def _log_and_head() -> tuple[Log | None, TreeHead | None]:
    """The log with its newest head; read again where the worker signed the next one in between."""
    for _time in range(3):
        log, head = the_log(), TreeHead.objects.order_by("-size").first()
        if log is None or head is None or log.size == head.size:
            break
    return log, head


def _compared_rows(size: int, hasher: TreeHash) -> Callable[[int, list[bytes]], str]:
    """Takes the entries of one tile after another and says which row is not the entry of its place."""
    rows = LogEntry.objects.filter(leaf_index__lt=size).order_by("leaf_index").iterator(chunk_size=2_000)

    def fault_of_rows(first: int, entries: list[bytes]) -> str:
        for place, entry in enumerate(entries, start=first):
            row = next(rows, None)
            if row is None or row.leaf_index != place:
                return f"the row of entry {place} is gone"
            try:
                is_same = entry_of(row, hasher) == entry and row.at.microsecond % 1000 == 0
            except (ValueError, OverflowError):
                is_same = False
            if not is_same:
                return f"the row of entry {place} is not what the log took up"
        return ""

    return fault_of_rows


def _places_are_whole(sequenced: int) -> bool:
    """Whether every place that was given has its row and no row has a place beyond, whatever the worker does meanwhile."""
    given = Subquery(Log.objects.filter(pk=1).values("sequenced")[:1])
    held = LogEntry.objects.filter(leaf_index__gte=0, leaf_index__lt=sequenced).count()
    return held == sequenced and not LogEntry.objects.filter(leaf_index__gte=given).exists()


def _faults_of_heads(log: Log, hasher: TreeHash) -> Iterator[str]:
    believed, every = [read_key(key) for key in log_keys()], every_log_key(log.origin)
    heads = TreeHead.objects.order_by("number").iterator(chunk_size=500)
    for number, head in enumerate(heads, start=1):
        if head.number != number:
            yield f"head number {number} is gone"
            return
        try:
            checkpoint = read_checkpoint(head.note)
            is_whole = TiledTree(head.size, folder_source(log_folder()), hasher).root() == bytes(head.root)
        except (OSError, ValueError) as error:
            yield f"head {head.size}: {error}"
            continue
        is_same = is_whole and checkpoint.text == _text_of(log, head, checkpoint, hasher)
        if not is_same or not _is_signed_through(checkpoint, believed, every):
            yield f"head {head.size} is not what was signed"


def _text_of(log: Log, head: TreeHead, checkpoint: Checkpoint, hasher: TreeHash) -> str:
    """What the head's columns say; heads that were signed before the time was part of the text are held to the rest."""
    return checkpoint_text(
        origin=log.origin,
        size=head.size,
        root=bytes(head.root),
        hash_algorithm=hasher.algorithm,
        at=head.at if checkpoint.at is not None else None,
        key_ids=checkpoint.key_ids,
    )


def _is_signed_through(checkpoint: Checkpoint, believed: list[NoteKey], every: list[NoteKey]) -> bool:
    """Whether every line is a signature of ours that holds, each key's once, and those that are believed signed."""
    signers = [key for line in checkpoint.signatures for key in every if signature_bytes(line, key) is not None]
    is_each_ours = len(signers) == len(set(signers)) == len(checkpoint.signatures)
    holds = all(signed_by(checkpoint, key, verify=verification_with(key)) is not None for key in signers)
    return is_each_ours and holds and is_signed(checkpoint, believed, needed=checkpoint.key_ids)
