"""The evidence of pupils' scores: what was put on record, and its proof."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shuren.directory.api import people_by_ids
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.rules.evidence import score_statement, subject_of
from shuren.evaluation.selectors.pupils import pupil_report
from shuren.evaluation.selectors.runs import KIND
from shuren.evaluation.selectors.scores import scores_of
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.trust import api as trust
from shuren.trust.data import Business, EvidenceProof

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class ScoreEvidence:
    """`original` are the bytes whose SHA-256 is on record; `proof` is None until a head of the log covers them."""

    title: str
    pupil_name: str
    original: bytes
    proof: EvidenceProof | None


def score_evidence(*, actor: Actor, run_id: int, person_id: int, now: datetime) -> ScoreEvidence:
    """For whoever may open the pupil's report; otherwise `NotFound`."""
    report = pupil_report(actor=actor, run_id=run_id, person_id=person_id, now=now)
    run = EvaluationRun.objects.get(pk=run_id)
    (row,) = scores_of(run_id, person_ids=[person_id]).to_pylist()
    original = score_statement(row, run=report.run.public_id, declaration_hash=run.declaration_hash, person=report.unit_public_id)
    proof = trust.proof_of_subject(subject_of(run_id, person_id), business=Business.SCORE)
    return ScoreEvidence(title=report.run.title, pupil_name=report.unit_name, original=original, proof=proof)


def score_statements(run_id: int) -> Iterator[list[tuple[str, bytes]]]:
    """Subject and statement of every pupil of a run, in a fixed order, two thousand at a time."""
    run = EvaluationRun.objects.get(pk=run_id)
    public_id = ids.encode(KIND, run_id)
    for batch in scores_of(run_id).to_batches(max_chunksize=_AT_ONCE):
        rows = batch.to_pylist()
        people = people_by_ids([row["person_id"] for row in rows])
        yield [
            (
                subject_of(run_id, row["person_id"]),
                score_statement(
                    row,
                    run=public_id,
                    declaration_hash=run.declaration_hash,
                    person=people[row["person_id"]].public_id,
                ),
            )
            for row in rows
            if row["person_id"] in people
        ]
