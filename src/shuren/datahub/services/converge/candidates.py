"""What sources tell of an element, kept as candidates; values graded L3 or L4 are sealed."""

import hashlib
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import NewCandidate, SubjectKind
from shuren.datahub.models import Candidate
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards
from shuren.standards.data import ElementData, Grade
from shuren.trust.api import blind_index, seal, unseal

PURPOSE = "datahub.candidate"
_AT_ONCE = 1_000
_SEALED = frozenset({Grade.PERSONAL, Grade.SENSITIVE})


def put_candidates(
    *, actor: Actor, element_code: str, kind: SubjectKind, source: str, told: Iterable[NewCandidate], now: datetime
) -> int:
    """Keep what `source` tells of an element, a thousand at a time; the same value told again is only seen anew.

    Nothing is chosen by it: `converge_element` or `converge_subjects` does. The caller has checked what may be told.
    """
    element = standards.known_element(element_code)
    if element is None:
        raise NotFound(_("没有这个数据项。"))
    waiting, count = iter(told), 0
    while some := list(islice(waiting, _AT_ONCE)):
        _put(element, kind, source, some)
        count += len(some)
    details = {"source": source, "rows": count}
    audit.record(actor=actor, action="datahub.candidates_told", target=f"element:{element_code}", details=details, now=now)
    return count


def value_of(candidate: Candidate) -> str:
    """The value as it was told; the caller has checked the right to see it and audits the reading."""
    if candidate.value_sealed is None:
        return candidate.value
    return unseal(bytes(candidate.value_sealed), purpose=PURPOSE).decode()


def normal(value: str) -> str:
    """Two tellings are the same where they differ by nothing but width and the space around them."""
    return unicodedata.normalize("NFKC", value).strip()


@transaction.atomic
def _put(element: ElementData, kind: SubjectKind, source: str, some: list[NewCandidate]) -> None:
    rows: dict[tuple[int, str], Candidate] = {}
    for one in some:
        value = normal(one.value)[:500]
        if not value:
            continue
        row = _row(element, kind, source, one, value)
        before = rows.get((row.subject_id, row.digest))
        if before is None or before.seen_at < row.seen_at:
            rows[row.subject_id, row.digest] = row
    held = Candidate.objects.filter(
        element_code=element.code, subject_kind=kind.value, source=source, subject_id__in={key[0] for key in rows}
    ).values_list("subject_id", "digest", "seen_at")
    # What was seen later is not made older by a file that comes late.
    late = {(subject_id, digest) for subject_id, digest, seen_at in held if _later(seen_at, rows.get((subject_id, digest)))}
    Candidate.objects.bulk_create(
        [row for key, row in rows.items() if key not in late],
        update_conflicts=True,
        unique_fields=["element_code", "subject_kind", "subject_id", "source", "digest"],
        update_fields=["seen_at", "evidence"],
    )


def _later(seen_at: datetime, row: Candidate | None) -> bool:
    return row is not None and seen_at >= row.seen_at


def _row(element: ElementData, kind: SubjectKind, source: str, one: NewCandidate, value: str) -> Candidate:
    is_sealed = element.grade in _SEALED
    return Candidate(
        element_code=element.code,
        subject_kind=kind.value,
        subject_id=one.subject_id,
        source=source[:60],
        value="" if is_sealed else value,
        value_sealed=seal(value.encode(), purpose=PURPOSE) if is_sealed else None,
        digest=blind_index(value, purpose=PURPOSE) if is_sealed else hashlib.sha256(value.encode()).hexdigest(),
        seen_at=one.seen_at,
        evidence=one.evidence[:200],
    )
