"""Declaring whom to believe."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import PrecedenceData, SourceRank, TieRule
from shuren.datahub.models import Precedence
from shuren.datahub.selectors.convergence import precedence_of
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.work import api as work

JOB = "shuren.datahub.jobs.converge_element"


@transaction.atomic
def set_precedence(
    *, actor: Actor, element_code: str, sources: Sequence[SourceRank], tie: TieRule, now: datetime
) -> PrecedenceData:
    """Declare the order in which an element's sources are believed; a job chooses anew for every subject.

    Publishes `datahub.precedence_set`. The caller has checked the right to.
    """
    names = [rank.source for rank in sources]
    if not names or len(names) != len(set(names)):
        raise Invalid(_("请列出来源，每个一行，不要重复。"))
    before = precedence_of(element_code)
    told = [[rank.source, rank.valid_days] for rank in sources]
    Precedence.objects.update_or_create(
        element_code=element_code,
        defaults={"sources": told, "tie": tie.value, "revision": before.revision + 1, "changed_at": now},
    )
    was = [[rank.source, rank.valid_days] for rank in before.sources]
    details = {"before": was, "after": told, "tie": tie.value}
    audit.record(actor=actor, action="datahub.precedence_set", target=f"element:{element_code}", details=details, now=now)
    events.publish("datahub.precedence_set", {"element": element_code, "revision": before.revision + 1}, now=now)
    work.enqueue(
        JOB,
        {"element": element_code},
        key=f"converge:{element_code}:{before.revision + 1}",
        title=gettext_lazy("按新的优先级重新选值“%(element)s”"),
        title_words={"element": element_code},
        actor=actor,
    )
    return precedence_of(element_code)
