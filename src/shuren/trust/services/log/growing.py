"""Taking waiting entries up: places first, then tiles, then a signed head; killed anywhere, it goes on where it was.

1. Places are given in one transaction. From its commit on, which entry stands where never changes again.
2. Tiles are made from places alone, so that a second try writes the same bytes; they are synced before anything names them.
3. One transaction writes the signed head and moves `Log.size`. Nobody sees a head whose tiles are not safe.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from shuren.trust.data import DigestAlgorithm
from shuren.trust.models import HeadDelivery, Log, LogEntry, TreeHead
from shuren.trust.rules.log.merkle import TreeHash, tree_hash
from shuren.trust.rules.log.tiles import Edge, TileFile, edge_of, grown, partial_tiles, root_of
from shuren.trust.selectors.log import ENTRY_COLUMNS, entry_from
from shuren.trust.selectors.tiles import folder_source, log_folder
from shuren.trust.services.log.files import write_tiles
from shuren.trust.services.log.signing import ensure_witness_key, signed_head

PLACES_AT_ONCE = 10_000
_TILES_AT_ONCE = 512

_GIVE_PLACES = """
    UPDATE trust_logentry SET leaf_index = %s + due.place
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
        FROM (SELECT id FROM trust_logentry WHERE leaf_index IS NULL ORDER BY id LIMIT %s) AS waiting
    ) AS due
    WHERE trust_logentry.id = due.id
"""


class LogBroken(Exception):
    """The tiles on disk and the rows of the log no longer fit together: somebody changed one of them."""


def grow_log(*, now: datetime, on_progress: Callable[[int], None] = lambda _count: None) -> int:
    """Take up every entry that waits and sign a head over them; returns the number of leaves.

    Idempotent, and safe beside another worker that does the same. Raises `LogBroken` rather than sign a head over a
    past that does not add up to the last head.
    """
    log = opened_log(now=now)
    while give_places():
        log.refresh_from_db()
        on_progress(log.sequenced)
    log.refresh_from_db()
    if log.sequenced > log.size:
        root = _make_tiles(log, on_progress)
        publish_head(size=log.sequenced, root=root, now=now)
    return log.sequenced


def opened_log(*, now: datetime) -> Log:
    """The log of this installation; its origin and hash are settled when it is first opened."""
    settled = {
        "origin": settings.SHUREN_EVIDENCE_ORIGIN,
        "hash_algorithm": DigestAlgorithm(settings.SHUREN_EVIDENCE_HASH).value,
    }
    log, is_new = Log.objects.get_or_create(pk=1, defaults=settled)
    if is_new:
        ensure_witness_key(now=now)
    return log


@transaction.atomic
def give_places(limit: int = PLACES_AT_ONCE) -> int:
    """Give the entries that have waited longest the next places; returns how many."""
    log = Log.objects.select_for_update().get(pk=1)
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_PLACES, [log.sequenced, limit])
        count: int = cursor.rowcount
    if count:
        log.sequenced += count
        log.save(update_fields=["sequenced"])
    return count


def _make_tiles(log: Log, on_progress: Callable[[int], None]) -> bytes:
    hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
    folder = log_folder()
    try:
        edge = edge_of(log.size, folder_source(folder))
    except (OSError, ValueError) as error:
        raise LogBroken(f"a tile at the edge of {log.size} leaves cannot be read: {error}") from error
    _check_edge(edge, log, hasher)
    files: list[TileFile] = []
    for entries in _placed(log, hasher):
        files += grown(edge, entries, hasher)
        if len(files) >= _TILES_AT_ONCE:
            write_tiles(folder, files)
            files = []
            on_progress(edge.size)
    if edge.size != log.sequenced:
        raise LogBroken(f"{log.sequenced} places are given but {edge.size} entries found")
    write_tiles(folder, [*files, *partial_tiles(edge)])
    return root_of(edge, hasher)


def _check_edge(edge: Edge, log: Log, hasher: TreeHash) -> None:
    last = TreeHead.objects.order_by("-size").first()
    if (last.size if last else 0) != log.size or (last and root_of(edge, hasher) != bytes(last.root)):
        raise LogBroken(f"the tiles do not lead to the root of the last head, {log.size} leaves")


def _placed(log: Log, hasher: TreeHash) -> Iterator[list[bytes]]:
    rows = LogEntry.objects.filter(leaf_index__gte=log.size, leaf_index__lt=log.sequenced).order_by("leaf_index")
    expected, batch = log.size, []
    # Plain columns: building a model of every row would cost as much as hashing it.
    for place, *columns in rows.values_list("leaf_index", *ENTRY_COLUMNS).iterator(chunk_size=2_000):
        if place != expected:
            raise LogBroken(f"place {expected} has no entry")
        batch.append(entry_from(*columns, hasher=hasher))
        expected += 1
        if len(batch) == 2_000:
            yield batch
            batch = []
    yield batch


@transaction.atomic
def publish_head(*, size: int, root: bytes, now: datetime) -> None:
    """Sign and write the head of `size` leaves, whose tiles are safe; a smaller one than stands is passed over."""
    log = Log.objects.select_for_update().get(pk=1)
    if log.size >= size:
        return
    note = signed_head(origin=log.origin, size=size, root=root, hash_algorithm=DigestAlgorithm(log.hash_algorithm), now=now)
    head = TreeHead.objects.create(number=TreeHead.objects.count() + 1, size=size, root=root, note=note, at=now)
    targets = [*settings.SHUREN_EVIDENCE_WITNESSES, *settings.SHUREN_EVIDENCE_ANCHORS]
    HeadDelivery.objects.bulk_create(HeadDelivery(head=head, target=target[:300]) for target in targets)
    log.size = size
    log.save(update_fields=["size"])
