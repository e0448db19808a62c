"""The audit trail as lines of a file that proves itself.

Each batch is one line `{"count": n, "proof": …}`, the proof of its log entry as everywhere, then n lines, the canonical JSON of
its entries by rising id. The digest in the proof is the Merkle root over those n lines, without their newlines.

The last line closes the file: `{"closing": note}`, a signed note by the log's keys over the lines origin, `archive <name>`,
`after <name of the file before, or ->`, `batches <n>` and `sha256 <hex over all bytes before this line>`. Without it nobody
could tell a file from which a whole batch was cut out.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from shuren.trust.data import EvidenceProof
from shuren.trust.rules.log.checkpoint import Note, NoteKey, read_key, read_note
from shuren.trust.rules.log.merkle import root_over
from shuren.trust.rules.log.proofs import is_signed, proof_as_json, read_proof, verify_proof

COUNT_LIMIT = 100_000
NOTHING = "-"
_NO_CLOSING = "the file is not closed: whole batches may have been cut out of it"


class ArchiveTorn(ValueError):
    """The file ends inside a batch, or has a line that belongs nowhere."""


@dataclass(frozen=True, slots=True)
class ArchivedBatch:
    proof: EvidenceProof
    entries: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """What the last line says, and in `found` what the lines before it come to."""

    note: Note
    name: str
    after: str
    said: str
    found: str

    @property
    def origin(self) -> str:
        return self.note.text.partition("\n")[0]


class ArchiveWriter:
    """Counts what leaves, so that the file can be closed."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()
        self.batches = 0

    def batch(self, proof: EvidenceProof, entries: Sequence[bytes]) -> Iterator[bytes]:
        self.batches += 1
        for line in batch_lines(proof, entries):
            self._state.update(line)
            yield line

    def closing_text(self, *, origin: str, name: str, after: str) -> str:
        """What the log's keys have to sign."""
        return f"{origin}\narchive {name}\nafter {after or NOTHING}\n{_tally(self.batches, self._state.hexdigest())}"


def batch_lines(proof: EvidenceProof, entries: Sequence[bytes]) -> Iterator[bytes]:
    head = {"count": len(entries), "proof": json.loads(proof_as_json(proof))}
    yield json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    for entry in entries:
        yield entry + b"\n"


def closing_line(note: str) -> bytes:
    return json.dumps({"closing": note}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def parts_of(lines: Iterable[bytes]) -> Iterator[ArchivedBatch | Closing]:
    """The batches of a file and, where it has one, its closing; nothing is verified yet. Raises `ArchiveTorn`."""
    state, rest = hashlib.sha256(), iter(lines)
    for number, line in enumerate(rest, start=1):
        try:
            head = json.loads(line)
            if "closing" in head:
                yield _closing_of(head["closing"], _tally(number - 1, state.hexdigest()))
                break
            count, proof = head["count"], read_proof(json.dumps(head["proof"]))
            if not isinstance(count, int) or not 0 < count <= COUNT_LIMIT:
                raise ValueError("the count is out of range")
        except (ValueError, TypeError, KeyError) as error:
            raise ArchiveTorn(f"batch {number}: its first line cannot be read: {error}") from None
        entries = [entry for _place, entry in zip(range(count), rest, strict=False)]
        if len(entries) < count:
            raise ArchiveTorn(f"batch {number}: {count - len(entries)} entries are missing")
        state.update(line + b"".join(entries))
        yield ArchivedBatch(proof, tuple(entry.rstrip(b"\n") for entry in entries))
    if next(rest, None) is not None:
        raise ArchiveTorn("something stands behind the closing line")


def fault_of_batch(batch: ArchivedBatch, *, log_keys: Sequence[str]) -> str:
    """What is wrong with a batch under its own proof; empty where nothing is."""
    verdict = verify_proof(batch.proof, log_keys=log_keys)
    if not verdict.is_valid:
        return verdict.fault
    is_whole = root_over(batch.entries, batch.proof.hash_algorithm) == batch.proof.digest
    return "" if is_whole else "the entries are not those that were anchored"


def fault_of_closing(closing: Closing, *, keys: Sequence[NoteKey], origins: set[str]) -> str:
    if closing.said != closing.found:
        return "the file is not as it was closed: batches are missing, added or changed"
    is_ours = is_signed(closing.note, [key for key in keys if key.name == closing.origin])
    return "" if is_ours and origins <= {closing.origin} else "the trusted keys of the log did not sign the closing line"


def faults_of_archive(
    lines: Iterable[bytes],
    *,
    log_keys: Sequence[str],
    is_closed: bool = True,
    on_closing: Callable[[Closing], None] = lambda _closing: None,
) -> Iterator[str]:
    """What does not hold in such a file, batch by batch; files of earlier releases were not closed (`is_closed`)."""
    number, origins, closing = 0, set[str](), None
    try:
        for part in parts_of(lines):
            if isinstance(part, Closing):
                closing = part
                continue
            number += 1
            origins.add(part.proof.origin)
            if fault := fault_of_batch(part, log_keys=log_keys):
                yield f"batch {number} ({part.proof.subject}): {fault}"
        keys = [read_key(text) for text in log_keys]
    except ValueError as error:
        yield str(error)
        return
    if closing is not None:
        on_closing(closing)
        if fault := fault_of_closing(closing, keys=keys, origins=origins):
            yield fault
    elif is_closed:
        yield _NO_CLOSING


def faults_of_line(closings: Iterable[Closing]) -> Iterator[str]:
    """Files that stand before others of these by what those say, and are not among them; the first may follow any."""
    sorted_closings = sorted(closings, key=lambda closing: closing.name)
    names = {closing.name for closing in sorted_closings}
    for closing in sorted_closings[1:]:
        if closing.after not in names and closing.after != NOTHING:
            yield f"{closing.after}, which stands before {closing.name}, is not among these files"


def _closing_of(text: object, found: str) -> Closing:
    note = read_note(str(text))
    _origin, archive, after, said = note.text.split("\n", 3)
    if not archive.startswith("archive ") or not after.startswith("after "):
        raise ValueError("the closing line is not one")
    return Closing(note, archive.removeprefix("archive "), after.removeprefix("after "), said, found)


def _tally(batches: int, digest: str) -> str:
    return f"batches {batches}\nsha256 {digest}\n"
