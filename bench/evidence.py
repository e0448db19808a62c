"""The evidence log and the audit trail: appending, proving, checking, searching.

`--entries` are appended through the product; `--tree` leaves make the tree that proofs are taken from, with random leaf
hashes and every hash tile on disk (33 bytes a leaf), no entry bundles; `--audit` entries are searched.
"""

import argparse
import hashlib
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from bench.frame import bare
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust
from shuren.trust.data import AuditSearch, Business, DigestAlgorithm
from shuren.trust.rules.log.merkle import folded, root_from_inclusion, tree_hash
from shuren.trust.rules.log.tiles import WIDTH, TiledTree, hashes_of, tile_path
from shuren.trust.selectors.tiles import folder_source

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
FEWEST_APPENDED = 20_000
MOST_MILLISECONDS = 5.0
MOST_CHECK_SECONDS = 5.0
MOST_SEARCH_SECONDS = 0.15


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench evidence", description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--tree", type=int, default=10_000_000)
    parser.add_argument("--check", type=int, default=1_000_000)
    parser.add_argument("--audit", type=int, default=1_000_000)
    parser.add_argument("--hash", default="SM3", choices=["SM3", "SHA-256"])
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    settings.SHUREN_EVIDENCE_HASH = chosen.hash
    algorithm = DigestAlgorithm(chosen.hash)
    print(f"{connection.vendor}, {chosen.hash}, {cores_busy()}\n")
    bare = bare_hashing(algorithm)
    print(f"bare hashing of 65 bytes: {bare:,.0f}/s\n")
    if chosen.entries:
        append(chosen.entries, bare)
    if chosen.check:
        check(chosen.check, algorithm, bare)
    if chosen.tree:
        prove(chosen.tree, algorithm)
    if chosen.audit:
        search(chosen.audit)


def bare_hashing(algorithm: DigestAlgorithm) -> float:
    name, data = ("sm3" if algorithm is DigestAlgorithm.SM3 else "sha256"), b"x" * 65
    start = hashlib.new(name)
    begun = time.perf_counter()
    for _number in range(300_000):
        state = start.copy()
        state.update(data)
        state.digest()
    return 300_000 / (time.perf_counter() - begun)


def cores_busy() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def said(name: str, figure: str, wanted: str, is_met: bool) -> None:
    print(f"{name:<52} {figure:>18}   {wanted:<22} {'met' if is_met else 'MISSED'}", flush=True)


def append(count: int, bare: float) -> None:
    items = ((f"person:{number}", number.to_bytes(32, "big")) for number in range(count))
    begun, busy = time.perf_counter(), time.process_time()
    trust.anchor_many(business=Business.SCORE, items=items, now=NOW)
    anchored, busy_between = time.perf_counter(), time.process_time()
    trust.grow_log(now=NOW)
    done, busy_at_end = time.perf_counter(), time.process_time()
    taken_up = count / (done - anchored)
    said("entries written by callers, in thousands", f"{count / (anchored - begun):,.0f}/s", "", True)
    said(
        "entries taken up: places, tiles, fsync, signed head",
        f"{taken_up:,.0f}/s",
        f"≥ {FEWEST_APPENDED:,}/s",
        taken_up >= FEWEST_APPENDED,
    )
    print(f"{'':<52} {taken_up * 3 / bare:>17.0%}   of bare hashing (3 hashes an entry)")
    said("written, by processor time", f"{count / (busy_between - busy):,.0f}/s", "", True)
    by_processor = count / (busy_at_end - busy_between)
    said("taken up, by processor time", f"{by_processor:,.0f}/s", f"≥ {FEWEST_APPENDED:,}/s", by_processor >= FEWEST_APPENDED)
    said("both together", f"{count / (done - begun):,.0f}/s", "", True)
    begun = time.perf_counter()
    faults = trust.faults_of_log()
    said("rows, tiles and heads compared", f"{count / (time.perf_counter() - begun):,.0f}/s", "no fault", not faults)


def check(count: int, algorithm: DigestAlgorithm, bare: float) -> None:
    """A whole log of `count` entries, from its tiles alone."""
    head = trust.tree_head()
    have = head.size if head else 0
    items = ((f"person:{number}", number.to_bytes(32, "big")) for number in range(max(0, count - have)))
    trust.anchor_many(business=Business.SCORE, items=items, now=NOW)
    trust.grow_log(now=NOW)
    head = trust.tree_head()
    assert head is not None
    folder = Path(settings.SHUREN_EVIDENCE_DIR)
    begun = time.perf_counter()
    faults = trust.faults_of_folder(folder, head.note, trust.log_keys())
    seconds = (time.perf_counter() - begun) * 1_000_000 / head.size
    said(
        f"check of {head.size:,} entries from tiles, a million",
        f"{seconds:.2f} s",
        f"≤ {MOST_CHECK_SECONDS} s",
        seconds <= MOST_CHECK_SECONDS and not faults,
    )
    print(f"{'':<52} {2_000_000 / seconds / bare:>17.0%}   of bare hashing (2 hashes an entry)")


def prove(count: int, algorithm: DigestAlgorithm) -> None:
    hasher = tree_hash(algorithm)
    folder = Path(tempfile.mkdtemp(prefix="shuren-bench-tree-", dir=os.environ.get("SHUREN_BENCH_DIR")))
    try:
        begun = time.perf_counter()
        make_tree(folder, count, algorithm)
        print(f"tree of {count:,} leaves made in {time.perf_counter() - begun:,.0f} s")
        tree = TiledTree(count, folder_source(folder), hasher)
        root = tree.root()
        rng = random.Random(1)  # which leaves are asked for needs no secrecy
        times, computed, bytes_of_path = [], [], 0
        for _number in range(2_000):
            index = rng.randrange(count)
            begun, busy = time.perf_counter(), time.thread_time()
            path = TiledTree(count, folder_source(folder), hasher).inclusion(index)
            times.append(time.perf_counter() - begun)
            computed.append(time.thread_time() - busy)
            leaf = hashes_of((folder / tile_path(0, index // WIDTH, min(WIDTH, count - index // WIDTH * WIDTH))).read_bytes())[
                index % WIDTH
            ]
            assert root_from_inclusion(leaf, index, count, path, hasher) == root
            bytes_of_path = len(path) * 32
        times.sort()
        computed.sort()
        p50, p95, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95, 0.99))
        said(
            f"proof at {count:,} entries, p50 / p95 / p99",
            f"{p50:.1f} / {p95:.1f} / {p99:.1f} ms",
            f"p99 ≤ {MOST_MILLISECONDS:.0f} ms",
            p99 <= MOST_MILLISECONDS,
        )
        busy = computed[int(len(computed) * 0.99)] * 1000
        said("the same by processor time, p99", f"{busy:.1f} ms", f"≤ {MOST_MILLISECONDS:.0f} ms", busy <= MOST_MILLISECONDS)
        print(f"{'':<52} {bytes_of_path:>15} B   of path; cold tiles mostly, one process")
        begun = time.perf_counter()
        TiledTree(count, folder_source(folder), hasher).consistency(count * 2 // 3)
        print(f"{'consistency proof from two thirds of it':<52} {(time.perf_counter() - begun) * 1000:>15.1f} ms")
    finally:
        shutil.rmtree(folder)


def make_tree(folder: Path, count: int, algorithm: DigestAlgorithm) -> None:
    """Every hash tile of a tree over random leaf hashes, without fsync."""
    hasher = tree_hash(algorithm)
    level, held, below = 0, count, b""
    while held:
        above = bytearray()
        for number in range(-(-held // WIDTH)):
            width = min(WIDTH, held - number * WIDTH)
            tile = os.urandom(width * 32) if level == 0 else below[number * WIDTH * 32 : (number * WIDTH + width) * 32]
            path = folder / tile_path(level, number, width)
            if number % 1000 == 0 or width < WIDTH:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tile)
            if width == WIDTH:
                above += folded(hashes_of(tile), hasher)
        below, held, level = bytes(above), held // WIDTH, level + 1


ACTIONS = [
    f"{app}.{verb}"
    for app in ("identity", "directory", "assessment", "evaluation", "front", "trust")
    for verb in ("signed_in", "opened", "exported", "changed", "added", "ended", "revealed", "imported", "granted", "revoked")
]
NAMES = [
    f"{family}{given}"
    for family in "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
    for given in (a + b for a in "伟芳娜敏静丽强磊洋勇" for b in "艳杰涛明超霞平刚桂英")
]


def search(count: int) -> None:
    """Searches over `count` entries of half a year, 60 actions and 2,000 names."""
    begun = time.perf_counter()
    fill(count)
    print(f"{count:,} audit entries written in {time.perf_counter() - begun:,.0f} s")
    rng = random.Random(2)  # as above
    kinds = {
        "newest": AuditSearch,
        "an action": lambda: AuditSearch(action=rng.choice(ACTIONS)),
        "an app's actions": lambda: AuditSearch(action=rng.choice(ACTIONS).partition(".")[0] + "."),
        "a person": lambda: AuditSearch(actor_name=rng.choice(NAMES)),
        "a person's action": lambda: AuditSearch(actor_name=rng.choice(NAMES), action=rng.choice(ACTIONS)),
        "names that begin so": lambda: AuditSearch(actor_name=rng.choice(NAMES)[:2]),
        "a target": lambda: AuditSearch(target=f"person:{rng.randrange(count // 20)}"),
        "a day of an action": lambda: day_of(rng, AuditSearch(action=rng.choice(ACTIONS))),
    }
    for name, made in kinds.items():
        times = []
        for _number in range(100):
            asked, before = made(), ""
            for _page in range(2):
                begun = time.perf_counter()
                before = trust.audit_page(asked, before=before, size=50).next_cursor
                times.append(time.perf_counter() - begun)
                if not before:
                    break
        times.sort()
        p95 = times[int(len(times) * 0.95)]
        said(
            f"search of {count:,}: {name}, p95",
            f"{p95 * 1000:.1f} ms",
            f"≤ {MOST_SEARCH_SECONDS * 1000:.0f} ms",
            p95 <= MOST_SEARCH_SECONDS,
        )


def day_of(rng: random.Random, asked: AuditSearch) -> AuditSearch:
    begin = NOW - timedelta(days=rng.randrange(1, 180))
    return AuditSearch(action=asked.action, since=begin, until=begin + timedelta(days=1))


def fill(count: int) -> None:
    if connection.vendor == "postgresql":
        copied(count)
        return
    batch = 20_000
    for start in range(0, count, batch):
        AuditEntry.objects.bulk_create(
            [
                AuditEntry(at=at, actor_name=name, action=action, target=target, details={"n": 1})
                for at, name, action, target in rows(start, min(batch, count - start), count)
            ]
        )


def rows(start: int, size: int, count: int) -> Iterator[tuple[datetime, str, str, str]]:
    rng = random.Random(start)  # as above
    step = timedelta(days=180) / count
    for number in range(start, start + size):
        yield (
            NOW - timedelta(days=180) + step * number,
            rng.choice(NAMES),
            rng.choice(ACTIONS),
            f"person:{rng.randrange(max(1, count // 20))}",
        )


def copied(count: int) -> None:
    """The same spread, drawn by the server: ten million rows would take Python minutes."""
    with bare(AuditEntry), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE kernel_auditentry SET UNLOGGED")  # what a crash would lose is thrown away in any case
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            """
            INSERT INTO kernel_auditentry (at, actor_name, actor_role, action, target, details)
            SELECT %s::timestamptz - interval '180 days' + n * (interval '180 days' / %s),
                (%s::text[])[1 + floor(random() * %s)], '', (%s::text[])[1 + floor(random() * %s)],
                'person:' || floor(random() * %s)::bigint, '{}'
            FROM generate_series(0, %s - 1) AS n
            """,
            [NOW, count, NAMES, len(NAMES), ACTIONS, len(ACTIONS), max(1, count // 20), count],
        )
    with connection.cursor() as cursor:
        # What autovacuum does behind inserts, where it is on.
        cursor.execute("VACUUM ANALYZE kernel_auditentry")
