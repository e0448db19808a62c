"""Running a published draw again from its file alone, and comparing what is kept with what was put on record."""

from collections.abc import Iterator, Mapping
from typing import Any

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draw_bundles import Step, contribution_digest, digest_of, moment_text, verify
from shuren.casework.rules.draw_conflicts import judge_published
from shuren.trust import api as trust
from shuren.trust.data import DigestAlgorithm


def verify_draw(bundle: Mapping[str, Any]) -> list[Step]:
    """Every step of a published draw done again, from its file alone; each says whether it holds."""
    return verify(bundle, sm3=lambda data: trust.digest(data, DigestAlgorithm.SM3), judge=judge_published)


def statements_on_record() -> Iterator[tuple[int, list[bytes]]]:
    """Every draw that was committed, with the digest of its statement as it stands now."""
    rows = Draw.objects.exclude(state=DrawState.PREPARING.value).order_by("pk")
    for pk, statement in rows.values_list("pk", "statement").iterator():
        yield pk, [bytes.fromhex(digest_of(statement))]


def contributions_on_record() -> Iterator[tuple[int, list[bytes]]]:
    for draw in Draw.objects.filter(contributed_at__isnull=False).order_by("pk").iterator():
        assert draw.contributed_at is not None
        at = moment_text(draw.contributed_at)
        yield draw.pk, [bytes.fromhex(contribution_digest(digest_of(draw.statement), draw.contribution, at))]
