"""What the owner of an element says of a chosen value: it stands, or another one holds."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import Verdict
from shuren.datahub.models import Candidate, Golden
from shuren.datahub.selectors.convergence import access_golden, access_owned_element
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound


@transaction.atomic
def accept_golden(*, actor: Actor, golden_id: int, reason: str = "", now: datetime) -> None:
    """The chosen value stands though sources differ; until one of them tells something new."""
    row = access_golden(actor=actor, id=golden_id, now=now)
    if row.candidate_id is None:
        raise Invalid(_("没有选出值，不能认可。"), remedy=_("请从候选值里选一个。"))
    Golden.objects.filter(pk=row.pk).update(verdict=Verdict.ACCEPTED.value, reason=reason.strip()[:300], changed_at=now)
    audit.record(
        actor=actor,
        action="datahub.golden_accepted",
        target=f"golden:{row.pk}",
        details=_told(row, {"candidate": row.candidate_id, "reason": reason.strip()[:300]}),
        now=now,
    )
    _publish(row, now)


@transaction.atomic
def overrule_golden(*, actor: Actor, golden_id: int, candidate_id: int, reason: str, now: datetime) -> None:
    """Another candidate holds, whatever the precedence says, for as long as its source tells it."""
    row = access_golden(actor=actor, id=golden_id, now=now)
    if not reason.strip():
        raise Invalid(_("请写明改选的依据。"))
    picked = Candidate.objects.filter(
        pk=candidate_id, element_code=row.element_code, subject_kind=row.subject_kind, subject_id=row.subject_id
    ).first()
    if picked is None:
        raise NotFound(_("没有这个候选值。"))
    evidence = [[key, source, seen, _found(key, picked.pk, found)] for key, source, seen, found in row.evidence]
    Golden.objects.filter(pk=row.pk).update(
        candidate=picked,
        source=picked.source,
        digest=picked.digest,
        rule="overruled",
        evidence=evidence,
        verdict=Verdict.OVERRULED.value,
        reason=reason.strip()[:300],
        changed_at=now,
    )
    details = {"before": row.candidate_id, "after": picked.pk, "reason": reason.strip()[:300]}
    audit.record(actor=actor, action="datahub.golden_overruled", target=f"golden:{row.pk}", details=_told(row, details), now=now)
    _publish(row, now)


@transaction.atomic
def accept_by_rule(*, actor: Actor, element_code: str, source: str, rules: Collection[str] = (), now: datetime) -> int:
    """Every waiting value that comes from `source` (and was chosen by one of `rules`) stands; returns how many that were."""
    access_owned_element(actor=actor, code=element_code, now=now)
    rows = Golden.objects.filter(element_code=element_code, verdict=Verdict.OPEN.value, source=source, candidate__isnull=False)
    if rules:
        rows = rows.filter(rule__in=list(rules))
    count = rows.update(verdict=Verdict.ACCEPTED.value, changed_at=now)
    details = {"source": source, "rules": sorted(rules), "rows": count}
    audit.record(actor=actor, action="datahub.goldens_accepted", target=f"element:{element_code}", details=details, now=now)
    return count


def _found(key: int, picked: int, found: str) -> str:
    if key == picked:
        return "chosen"
    return "overruled" if found == "chosen" else found


def _told(row: Golden, details: Mapping[str, object]) -> dict[str, object]:
    return {"element": row.element_code, "subject_kind": row.subject_kind, "subject_id": row.subject_id, **details}


def _publish(row: Golden, now: datetime) -> None:
    news = {"element": row.element_code, "subject_kind": row.subject_kind, "subject_id": row.subject_id, "golden_id": row.pk}
    events.publish("datahub.golden_decided", news, now=now)
