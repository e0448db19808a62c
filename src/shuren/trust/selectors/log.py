"""What the evidence log holds: its heads, its entries, and proofs made from its tiles."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from shuren.trust.data import Business, DeliveryState, DigestAlgorithm, EvidenceProof, Leaf, TreeHeadState
from shuren.trust.models import HeadDelivery, Log, LogEntry, TreeHead
from shuren.trust.rules.log.checkpoint import Checkpoint, read_checkpoint, with_signatures
from shuren.trust.rules.log.entries import commitment, entry_bytes
from shuren.trust.rules.log.merkle import TreeHash, tree_hash
from shuren.trust.rules.log.tiles import TiledTree
from shuren.trust.selectors.note_keys import log_keys
from shuren.trust.selectors.tiles import folder_source, log_folder

ENTRY_COLUMNS = ("business", "subject", "digest", "salt", "at")


def the_log() -> Log | None:
    return Log.objects.filter(pk=1).first()


def tree_head(*, size: int | None = None) -> TreeHeadState | None:
    """The newest signed head, or the one of just this size; None before there is one."""
    rows = TreeHead.objects.prefetch_related("cosignatures").order_by("-size")
    row = (rows if size is None else rows.filter(size=size)).first()
    return head_state(row) if row else None


def tree_heads(limit: int) -> list[TreeHeadState]:
    """The newest heads, newest first."""
    return [head_state(row) for row in TreeHead.objects.prefetch_related("cosignatures").order_by("-size")[:limit]]


def head_state(row: TreeHead) -> TreeHeadState:
    whole = with_cosignatures(row)
    return TreeHeadState(
        size=row.size,
        root=bytes(row.root),
        hash_algorithm=whole.hash_algorithm,
        origin=whole.origin,
        note=whole.note,
        at=row.at,
        witnesses=tuple(cosignature.witness for cosignature in row.cosignatures.all()),
    )


def with_cosignatures(row: TreeHead) -> Checkpoint:
    return with_signatures(read_checkpoint(row.note), [cosignature.line for cosignature in row.cosignatures.all()])


def consistency(*, old: int, new: int) -> list[bytes]:
    """The hashes which prove that the log of `new` leaves begins with that of `old`; `new` is the size of a head."""
    return _tree(new).consistency(old)


def proof_of(entry_id: int) -> EvidenceProof | None:
    """The proof of one entry, up to the newest head; None until a head covers it, at most a minute after its commit."""
    return proofs_of([entry_id]).get(entry_id)


def proofs_of(entry_ids: Sequence[int]) -> dict[int, EvidenceProof]:
    """Proofs by entry id, of those that a head covers already."""
    log = the_log()
    head = _head_to_prove_with()
    if log is None or head is None:
        return {}
    covered = LogEntry.objects.filter(pk__in=list(entry_ids), leaf_index__lt=head.size)
    tree, note, keys = _tree(head.size), with_cosignatures(head).note, tuple(log_keys())
    return {row.pk: _proof(row, log, tree, note, keys) for row in covered}


def proof_of_subject(subject: str, *, business: Business) -> EvidenceProof | None:
    """The proof of the newest entry about a subject that a head covers; None while there is none."""
    newest = entries_of_subject(subject).filter(business=business.value, leaf_index__isnull=False).first()
    return proof_of(newest.pk) if newest else None


def _head_to_prove_with() -> TreeHead | None:
    return TreeHead.objects.prefetch_related("cosignatures").order_by("-size").first()


def _tree(size: int) -> TiledTree:
    log = the_log()
    algorithm = DigestAlgorithm(log.hash_algorithm) if log else DigestAlgorithm.SM3
    return TiledTree(size, folder_source(log_folder()), tree_hash(algorithm))


def _proof(row: LogEntry, log: Log, tree: TiledTree, note: str, keys: tuple[str, ...]) -> EvidenceProof:
    assert row.leaf_index is not None
    return EvidenceProof(
        origin=log.origin,
        hash_algorithm=DigestAlgorithm(log.hash_algorithm),
        business=Business(row.business),
        subject=row.subject,
        digest=bytes(row.digest),
        salt=bytes(row.salt),
        at=row.at,
        leaf_index=row.leaf_index,
        tree_size=tree.size,
        path=tuple(tree.inclusion(row.leaf_index)),
        checkpoint=note,
        log_keys=keys,
    )


def entries_of_subject(subject: str) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(subject=subject).order_by("-pk")


def oldest_waiting() -> datetime | None:
    """Since when the entry has been waiting that waits longest for a head."""
    first = LogEntry.objects.filter(leaf_index__isnull=True).order_by("pk").first()
    return first.at if first else None


def latest_leaves(limit: int) -> list[Leaf]:
    """The newest entries under the newest head, newest first, as the public files show them."""
    log = the_log()
    if log is None:
        return []
    hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
    rows = LogEntry.objects.filter(leaf_index__lt=log.size).order_by("-leaf_index")[:limit]
    return [
        Leaf(
            index=row.leaf_index or 0,
            business=Business(row.business),
            at=row.at,
            leaf_hash=hasher.leaf(entry_of(row, hasher)),
        )
        for row in rows
    ]


def entry_of(row: LogEntry, hasher: TreeHash) -> bytes:
    """The bytes that stand in the tiles for a row."""
    return entry_from(row.business, row.subject, bytes(row.digest), bytes(row.salt), row.at, hasher=hasher)


def entry_from(
    business: str, subject: str, digest: bytes | memoryview, salt: bytes | memoryview, at: datetime, *, hasher: TreeHash
) -> bytes:
    """`entry_of` of the columns `ENTRY_COLUMNS`, as the database gives them."""
    committed = commitment(salt=bytes(salt), subject=subject, digest=bytes(digest), hasher=hasher)
    return entry_bytes(business=Business(business), at=at, committed=committed)


def delivery_states() -> list[DeliveryState]:
    """How every witness and place in the settings stands."""
    found = []
    for target in [*settings.SHUREN_EVIDENCE_WITNESSES, *settings.SHUREN_EVIDENCE_ANCHORS]:
        row = HeadDelivery.objects.filter(target=target[:300]).select_related("head").order_by("-head__size").first()
        if row is not None:
            name = "file" if target.startswith("file:") else urlsplit(target.partition(" ")[0]).hostname or ""
            found.append(DeliveryState(name, row.head.size, row.delivered_at, row.answer))
    return found
