"""Sending out the checks of a draw: a job opens a case for every object that was drawn."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.selectors.draws import access_run
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.work import api as work

JOB = "shuren.casework.jobs.draws.open_drawn_cases"


@transaction.atomic
def publish_draw(*, actor: Actor, draw_id: int, now: datetime) -> Draw:
    """Say that the result stands and have its checks opened, where the kind of draw names a flow; publishes `draw_published`."""
    draw = Draw.objects.select_for_update().get(pk=access_run(actor=actor, id=draw_id, now=now).pk)
    if draw.state != DrawState.DRAWN.value or draw.definition_version_id is None:
        raise Conflict(_("只有抽取完成、还没有下发的抽查可以下发。"))
    draw.state, draw.published_at = DrawState.PUBLISHED.value, now
    draw.save(update_fields=["state", "published_at"])
    work.enqueue(JOB, {"draw_id": draw.pk}, key=f"draw_cases:{draw.pk}", title=gettext_lazy("下发抽中的检查"), actor=actor)
    audit.record(actor=actor, action="casework.draw_published", target=f"draw:{draw.pk}", now=now)
    events.publish("casework.draw_published", {"draw_id": draw.pk, "org_path": draw.org_path}, now=now)
    return draw
