"""Choosing the golden values of an element, for single subjects or for all of them as a stream."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import transaction

from shuren.datahub.data import CandidateData, ChoiceData, PrecedenceData, SubjectKind, Verdict
from shuren.datahub.models import Candidate, Golden
from shuren.datahub.rules.converge import OVERRULED, choose
from shuren.datahub.selectors.convergence import precedence_of
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM

# So many candidates are in memory at once.
AT_ONCE = 4_000
Subject = tuple[str, int]
_KEY = ("element_code", "subject_kind", "subject_id")
_FIELDS = ("candidate", "source", "digest", "rule", "evidence", "values", "told", "verdict", "revision", "changed_at")


def converge_subjects(*, element_code: str, kind: SubjectKind, subject_ids: Collection[int], now: datetime) -> int:
    """Choose anew for these subjects; returns how many values changed. Subjects without a candidate lose theirs."""
    precedence = precedence_of(element_code)
    changed = 0
    ordered = sorted(set(subject_ids))
    for start in range(0, len(ordered), 500):
        some = ordered[start : start + 500]
        rows = Candidate.objects.filter(element_code=element_code, subject_kind=kind.value, subject_id__in=some)
        found = dict(_by_subject(rows.order_by("subject_kind", "subject_id", "pk")))
        with transaction.atomic():
            changed += _keep(element_code, found, precedence, now)
            gone = set(some) - {subject_id for _kind, subject_id in found}
            Golden.objects.filter(element_code=element_code, subject_kind=kind.value, subject_id__in=gone).delete()
    return changed


def converge_element(
    *,
    element_code: str,
    after: Subject = ("", 0),
    now: datetime,
    on_chunk: Callable[[Subject, int], None] = lambda last, done: None,
) -> tuple[int, int]:
    """Choose anew for every subject of an element, in the order of their numbers from `after` on.

    Each chunk is one transaction in which `on_chunk` may keep how far it is; returns subjects seen and values changed.
    """
    precedence = precedence_of(element_code)
    subjects = changed = 0
    for found in _chunks(element_code, after):
        with transaction.atomic():
            changed += _keep(element_code, found, precedence, now)
            subjects += len(found)
            on_chunk(max(found), subjects)
    details = {"subjects": subjects, "changed": changed, "revision": precedence.revision}
    audit.record(actor=SYSTEM, action="datahub.element_converged", target=f"element:{element_code}", details=details, now=now)
    return subjects, changed


def _chunks(element_code: str, after: Subject) -> Iterator[dict[Subject, list[CandidateData]]]:
    """All candidates by subject, each subject whole."""
    for kind in sorted(one.value for one in SubjectKind):
        if kind >= after[0]:
            yield from _chunks_of(element_code, kind, after[1] if kind == after[0] else 0)


def _chunks_of(element_code: str, kind: str, last: int) -> Iterator[dict[Subject, list[CandidateData]]]:
    base = Candidate.objects.filter(element_code=element_code, subject_kind=kind)
    ordered = base.order_by("subject_kind", "subject_id", "source", "digest")
    size = AT_ONCE
    while True:
        found = dict(_by_subject(ordered.filter(subject_id__gt=last)[:size]))
        is_last = sum(len(some) for some in found.values()) < size
        if not is_last:
            # The last subject may have more than was read.
            found.pop(max(found))
            if not found:
                size *= 2
                continue
        if found:
            yield found
            last = max(found)[1]
        if is_last:
            return
        size = AT_ONCE


def _by_subject(rows: Any) -> Iterator[tuple[Subject, list[CandidateData]]]:
    told = rows.values_list("subject_kind", "subject_id", "pk", "source", "digest", "seen_at")
    for subject, some in groupby(told, key=lambda row: (row[0], row[1])):
        yield subject, [CandidateData(pk, source, digest, seen_at) for _kind, _id, pk, source, digest, seen_at in some]


def _keep(element_code: str, found: Mapping[Subject, list[CandidateData]], precedence: PrecedenceData, now: datetime) -> int:
    kinds = {kind for kind, _id in found}
    held: dict[Subject, Golden] = {}
    for kind in kinds:
        ids = [subject_id for one, subject_id in found if one == kind]
        rows = Golden.objects.filter(
            element_code=element_code, subject_kind=kind, subject_id__gte=min(ids), subject_id__lte=max(ids)
        )
        held |= {(kind, row.subject_id): row for row in rows if (kind, row.subject_id) in found}
    new: list[Golden] = []
    moved: list[Golden] = []
    for subject, candidates in found.items():
        row = held.get(subject)
        pinned = row.candidate_id if row is not None and row.verdict == Verdict.OVERRULED.value else None
        choice = choose(candidates, precedence, now=now, pinned=pinned)
        if row is None:
            row = Golden(element_code=element_code, subject_kind=subject[0], subject_id=subject[1], verdict="")
            _set(row, choice, precedence, now)
            new.append(row)
        elif _set(row, choice, precedence, now):
            moved.append(row)
    Golden.objects.bulk_create(new, update_conflicts=True, unique_fields=list(_KEY), update_fields=list(_FIELDS))
    if moved:
        Golden.objects.bulk_update(moved, _FIELDS, batch_size=400)
    return len(new) + len(moved)


def _set(row: Golden, choice: ChoiceData, precedence: PrecedenceData, now: datetime) -> bool:
    """Write the choice into the row; False where it says what the row says already."""
    best = choice.candidate
    verdict = _verdict(row, choice)
    evidence = [list(one) for one in choice.evidence]
    same = (row.candidate_id, row.rule, row.evidence, row.verdict) == (
        best.id if best else None,
        choice.rule,
        evidence,
        verdict,
    )
    if same and row.revision == precedence.revision:
        return False
    row.candidate_id = best.id if best else None
    row.source, row.digest = (best.source, best.digest) if best else ("", "")
    row.rule, row.evidence, row.values, row.told = choice.rule, evidence, choice.values, choice.told
    row.verdict, row.revision = verdict, precedence.revision
    if not same:
        row.changed_at = now
    return True


def _verdict(row: Golden, choice: ChoiceData) -> str:
    """What an owner decided stands until another value is told or another one is chosen."""
    if choice.rule == OVERRULED and row.told == choice.told:
        return Verdict.OVERRULED.value
    if choice.values <= 1:
        return Verdict.AGREED.value
    best = choice.candidate.digest if choice.candidate else ""
    if row.verdict == Verdict.ACCEPTED.value and row.told == choice.told and row.digest == best:
        return Verdict.ACCEPTED.value
    return Verdict.OPEN.value
