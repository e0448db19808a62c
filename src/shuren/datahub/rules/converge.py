"""Which of several candidates is the golden value, and why."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from shuren.datahub.data import CandidateData, ChoiceData, PrecedenceData, SourceRank, TieRule

CHOSEN, LATER, OLDER, EXPIRED, UNDECLARED, TIED, OVERRULED = (
    "chosen",
    "later_source",
    "older",
    "expired",
    "undeclared",
    "tied",
    "overruled",
)


def choose(
    candidates: Sequence[CandidateData], precedence: PrecedenceData, *, now: datetime, pinned: int | None = None
) -> ChoiceData:
    """The golden value: of the first source in order that told something still valid, the newest; ties by the tie rule.

    `pinned` is what the owner put in its place; it holds for as long as it is among the candidates. The order in which
    candidates come makes no difference.
    """
    ordered = sorted(candidates, key=lambda one: one.id)
    ranks = {rank.source: place for place, rank in enumerate(precedence.sources)}
    known = {rank.source: rank for rank in precedence.sources}
    found = {one.id: _standing(one, known.get(one.source), now) for one in ordered}
    standing = [one for one in ordered if not found[one.id]]
    best, rule = _best(standing, ordered, ranks, precedence.tie)
    if best is not None:
        found |= {one.id: _beaten(one, best) for one in standing}
    held = next((one for one in ordered if one.id == pinned), None)
    if held is not None:
        found |= {best.id: OVERRULED} if best is not None and best.id != held.id else {}
        best, rule, found[held.id] = held, OVERRULED, CHOSEN
    evidence = tuple((one.id, one.source, one.seen_at.isoformat(), found[one.id]) for one in ordered)
    digests = sorted({one.digest for one in ordered})
    told = hashlib.sha256("".join(digests).encode()).hexdigest()[:16]
    return ChoiceData(best, rule, evidence, len(digests), told)


def _standing(one: CandidateData, rank: SourceRank | None, now: datetime) -> str:
    """Why a candidate is out before any is compared; empty where it is not."""
    if rank is None:
        return UNDECLARED
    return EXPIRED if rank.valid_days is not None and one.seen_at + timedelta(days=rank.valid_days) < now else ""


def _best(
    standing: Sequence[CandidateData], everyone: Sequence[CandidateData], ranks: dict[str, int], tie: TieRule
) -> tuple[CandidateData | None, str]:
    if not standing:
        return None, "none_valid" if everyone else "none"
    first = min(ranks[one.source] for one in standing)
    of_source = [one for one in standing if ranks[one.source] == first]
    newest = max(one.seen_at for one in of_source)
    equal = [one for one in of_source if one.seen_at == newest]
    if len({one.digest for one in equal}) == 1:
        is_alone = len({one.digest for one in everyone}) == 1
        return equal[0], "agreed" if is_alone else "newest" if len(of_source) > 1 else "precedence"
    if tie is TieRule.AGREED:
        votes = Counter(one.digest for one in everyone)
        most = max(votes[one.digest] for one in equal)
        agreeing = [one for one in equal if votes[one.digest] == most]
        if len({one.digest for one in agreeing}) == 1:
            return agreeing[0], "tie_agreed"
        equal = agreeing
    return equal[0], "tie_first"


def _beaten(one: CandidateData, best: CandidateData) -> str:
    if one.id == best.id:
        return CHOSEN
    if one.source != best.source:
        return LATER
    return TIED if one.seen_at == best.seen_at else OLDER
