"""A repository: chunks and manifests in one or more places, read and written as one.

    repository.json               how the master key is wrapped
    chunks/<two letters>/<name>   sealed bytes, never changed
    manifests/<id>                what a backup consists of, sealed; written last
    holds/<id>                    why a backup must stay, sealed
    wal/<name>                    sealed segments of PostgreSQL's log

All places of an installation hold the same repository under the same key, so that a chunk is sealed once.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore, Lock

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.backups.data import Manifest, Piece
from shuren.backups.rules.manifests import decoded, encoded, is_id
from shuren.backups.rules.sealing import (
    LEAST_PASSPHRASE,
    RepositoryKey,
    Secret,
    Unopened,
    new_repository,
    opened_repository,
)
from shuren.backups.services.stores import Store, store_of
from shuren.kernel.errors import Conflict, Invalid, NotFound

HEAD = "repository.json"
_THREADS = 4
_AHEAD = 12
_KEPT_OPEN = 8


def chunk_path(chunk: str) -> str:
    return f"chunks/{chunk[:2]}/{chunk}"


def secret_of_settings() -> Secret:
    """The passphrase or key file that the settings name; raises `Invalid` where there is none, or a weak one."""
    if settings.SHUREN_BACKUP_KEY_FILE:
        data = Path(settings.SHUREN_BACKUP_KEY_FILE).read_bytes()
        if len(data) < 32:
            raise Invalid(_("备份密钥文件太短。"), remedy=_("请用至少 32 字节的随机内容，例如 head -c 64 /dev/urandom。"))
        return Secret("file", data)
    phrase: str = settings.SHUREN_BACKUP_PASSPHRASE
    if len(phrase) < LEAST_PASSPHRASE:
        raise Invalid(
            _("没有备份口令，或口令太短。"),
            remedy=_("请设置 SHUREN_BACKUP_PASSPHRASE（至少 12 个字符）或 SHUREN_BACKUP_KEY_FILE。"),
        )
    return Secret("passphrase", phrase.encode())


class Repository:
    """One repository in all its places. A place that fails is named in `failed` and left alone; the last one raises."""

    def __init__(self, stores: Sequence[Store], key: RepositoryKey) -> None:
        self.stores = list(stores)
        self.key = key
        self.failed: dict[str, str] = {}
        self.stored_bytes = 0
        self.new_chunks = 0
        self._known: dict[str, set[str]] = {}
        self._under_way: dict[str, Future[str]] = {}
        self._lock = Lock()
        self._room = BoundedSemaphore(_AHEAD)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="backup")
        self._open: OrderedDict[str, bytes] = OrderedDict()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    # Writing

    def learn(self) -> None:
        """Look through every place for the chunks that are there already."""
        for store in list(self.stores):
            with self._counted_out(store):
                self._known[store.label] = {name.rpartition("/")[2] for name in store.names("chunks")}

    def has(self, chunk: str) -> bool:
        """Whether every place has it."""
        return all(chunk in self._known[store.label] for store in self.stores)

    def keep(self, data: bytes) -> Future[str]:
        """Have a chunk stored wherever it is lacking; the future gives its name."""
        self._room.acquire()
        done = self._pool.submit(self._kept, data)
        done.add_done_callback(lambda _done: self._room.release())
        return done

    def put(self, name: str, data: bytes) -> None:
        """Seal an object and put it everywhere."""
        sealed = self.key.seal(data, name=name)
        self._everywhere(self.stores, lambda store: store.put(name, sealed))

    def write_manifest(self, manifest: Manifest) -> None:
        """Name a backup: only now it exists. All its chunks are durable before."""
        self._everywhere(self.stores, lambda store: store.settle())
        self.put(f"manifests/{manifest.id}", encoded(manifest))
        self._everywhere(self.stores, lambda store: store.settle())

    def _kept(self, data: bytes) -> str:
        chunk = self.key.name_of(data)
        with self._lock:
            lacking = [store for store in self.stores if chunk not in self._known[store.label]]
            for store in lacking:
                self._known[store.label].add(chunk)
        if lacking:
            sealed = self.key.seal_chunk(data, chunk=chunk)
            self._everywhere(lacking, lambda store: store.put(chunk_path(chunk), sealed))
            with self._lock:
                self.stored_bytes += len(sealed)
                self.new_chunks += 1
        return chunk

    def _everywhere(self, stores: Iterable[Store], do: Callable[[Store], None]) -> None:
        for store in list(stores):
            if store.label in self.failed:
                continue
            with self._counted_out(store):
                do(store)

    def _counted_out(self, store: Store) -> "_CountedOut":
        return _CountedOut(self, store)

    def count_out(self, store: Store, fault: OSError) -> None:
        with self._lock:
            self.failed[store.label] = f"{type(fault).__name__}: {fault}"
            self.stores = [other for other in self.stores if other.label != store.label]
            is_last = not self.stores
        if is_last:
            raise fault

    # Reading

    def get(self, name: str) -> bytes:
        """An object's plain bytes from the first place that has it whole; raises `Unopened` with its name otherwise."""
        return self._read(name, lambda stored: self.key.unseal(stored, name=name))

    def chunk(self, chunk: str) -> bytes:
        return self._read(chunk_path(chunk), lambda stored: self.key.unseal_chunk(stored, chunk=chunk))

    def pieces(self, pieces: Sequence[Piece]) -> Iterator[bytes]:
        """The bytes of pieces in their order, chunks fetched ahead by several threads."""
        waiting: list[tuple[Piece, Future[bytes]]] = []
        upcoming = iter(pieces)
        while True:
            while len(waiting) < _AHEAD and (piece := next(upcoming, None)) is not None:
                waiting.append((piece, self._pool.submit(self._opened, piece)))
            if not waiting:
                return
            piece, done = waiting.pop(0)
            data = done.result()
            yield data if len(data) == piece.length else data[piece.offset : piece.offset + piece.length]

    def _opened(self, piece: Piece) -> bytes:
        with self._lock:
            kept = self._open.get(piece.chunk)
        if kept is not None:
            return kept
        data = self.chunk(piece.chunk)
        if piece.length < len(data):  # several small files share it
            with self._lock:
                self._open[piece.chunk] = data
                while len(self._open) > _KEPT_OPEN:
                    self._open.popitem(last=False)
        return data

    def _read(self, name: str, unseal: Callable[[bytes], bytes]) -> bytes:
        fault: Exception | None = None
        for store in self.stores:
            try:
                return unseal(store.get(name))
            except FileNotFoundError as missing:
                fault = fault or missing
            except (OSError, Unopened) as broken:
                fault = broken
        raise Unopened(name if not isinstance(fault, FileNotFoundError) else f"{name} (missing)") from fault

    def manifest_ids(self) -> dict[str, list[str]]:
        """Ids of all backups, oldest first, each with the places that have it."""
        found: dict[str, list[str]] = {}
        for store in self.stores:
            for name in store.names("manifests"):
                one = name.rpartition("/")[2]
                if is_id(one):
                    found.setdefault(one, []).append(store.label)
        return dict(sorted(found.items()))

    def manifest(self, manifest_id: str) -> Manifest:
        return decoded(self.get(f"manifests/{manifest_id}"))

    def holds(self) -> dict[str, str]:
        """Backups that must stay, each with the reason."""
        ids = {name.rpartition("/")[2] for store in self.stores for name in store.names("holds")}
        return {one: self.get(f"holds/{one}").decode() for one in sorted(ids)}


class _CountedOut:
    """A failure of a place inside this block takes the place out."""

    def __init__(self, repository: Repository, store: Store) -> None:
        self._repository, self._store = repository, store

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, _trace: object) -> bool:
        if isinstance(fault, OSError):
            self._repository.count_out(self._store, fault)
            return True
        return False


def open_repository(addresses: Sequence[str], *, secret: Secret, may_make: bool = False) -> Repository:
    """The repository at these addresses; places without one get it if `may_make`.

    Raises `Invalid` without addresses or with another secret, `NotFound` where nothing was ever kept, and `Conflict`
    where two places hold two repositories.
    """
    if not addresses:
        raise Invalid(_("没有设置备份位置。"), remedy=_("请设置 SHUREN_BACKUP_TARGETS。"))
    stores, texts, failed = [store_of(address) for address in addresses], {}, {}
    for store in stores:
        try:
            texts[store.label] = store.get(HEAD).decode()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as fault:
            failed[store.label] = f"{type(fault).__name__}: {fault}"
    answering = [store for store in stores if store.label not in failed]
    if not answering:
        raise Conflict(_("备份位置都无法访问。"), remedy="; ".join(failed.values()))
    key, text = _key_of(texts, secret, may_make)
    lacking = [store for store in answering if store.label not in texts]
    repository = Repository(answering if may_make else [store for store in answering if store.label in texts], key)
    repository.failed |= failed
    for store in lacking if may_make else []:
        if next(iter(store.names("chunks")), None) is not None:
            raise Conflict(_("“%(place)s”里有备份，但没有 repository.json。") % {"place": store.label})
        try:
            store.put(HEAD, text.encode())
        except OSError as fault:
            repository.count_out(store, fault)
    return repository


def _key_of(texts: dict[str, str], secret: Secret, may_make: bool) -> tuple[RepositoryKey, str]:
    if not texts:
        if not may_make:
            raise NotFound(_("这里还没有备份。"))
        return new_repository(secret)
    keys = {}
    for label, text in texts.items():
        try:
            keys[label] = opened_repository(text, secret)
        except Unopened as fault:
            raise Invalid(
                _("“%(place)s”的备份打不开。") % {"place": label}, remedy=_("口令或密钥文件不对，或 repository.json 被改动过。")
            ) from fault
    if len({key.master for key in keys.values()}) > 1:
        raise Conflict(_("备份位置里是不同的备份库。"), remedy=_("请换一个空的位置，或分开设置。"))
    label = next(iter(keys))
    return keys[label], texts[label]
