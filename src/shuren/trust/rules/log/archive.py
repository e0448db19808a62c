"""The audit trail as lines of a file that proves itself.

Each batch is one line `{"count": n, "proof": …}`, the proof of its log entry as everywhere, then n lines, the canonical JSON of
its entries by rising id. The digest in the proof is the Merkle root over those n lines, without their newlines.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from shuren.trust.data import EvidenceProof
from shuren.trust.rules.log.merkle import root_over
from shuren.trust.rules.log.proofs import proof_as_json, read_proof, verify_proof

COUNT_LIMIT = 100_000


def batch_lines(proof: EvidenceProof, entries: Sequence[bytes]) -> Iterator[bytes]:
    head = {"count": len(entries), "proof": json.loads(proof_as_json(proof))}
    yield json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    for entry in entries:
        yield entry + b"\n"


def faults_of_archive(lines: Iterable[bytes], *, log_keys: Sequence[str]) -> Iterator[str]:
    """What does not hold in such a file, batch by batch; one that ends inside a batch is said to."""
    rest = iter(lines)
    for number, line in enumerate(rest, start=1):
        try:
            head = json.loads(line)
            count, proof = head["count"], read_proof(json.dumps(head["proof"]))
            if not isinstance(count, int) or not 0 < count <= COUNT_LIMIT:
                raise ValueError("the count is out of range")
        except (ValueError, TypeError, KeyError) as error:
            yield f"batch {number}: its first line cannot be read: {error}"
            return
        entries = [entry.rstrip(b"\n") for _place, entry in zip(range(count), rest, strict=False)]
        if len(entries) < count:
            yield f"batch {number}: {count - len(entries)} entries are missing"
            return
        verdict = verify_proof(proof, log_keys=log_keys)
        if not verdict.is_valid:
            yield f"batch {number} ({proof.subject}): {verdict.fault}"
        elif root_over(entries, proof.hash_algorithm) != proof.digest:
            yield f"batch {number} ({proof.subject}): the entries are not those that were anchored"
