"""The independent part: it comes after the commitment, once, in time, from the one who was named."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draw_bundles import contribution_digest, moment_text
from shuren.casework.selectors.draws import access_contribution, state_of
from shuren.casework.services.draws.commit import business_of
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api as trust

LONGEST = 500


@transaction.atomic
def contribute_to_draw(*, actor: Actor, draw_id: int, value: str, now: datetime) -> Draw:
    """Give the independent value, for good and on record at once. Too late is refused: the draw is abandoned then."""
    draw = Draw.objects.select_for_update().get(pk=access_contribution(actor=actor, id=draw_id, now=now).pk)
    told = value.strip()
    if not told or len(told) > LONGEST:
        raise Invalid(_("请填写内容。"), remedy=_("任意文字或数字，最多 %(count)d 个字。") % {"count": LONGEST})
    state = state_of(draw, now=now)
    if state == DrawState.ABANDONED:
        raise Conflict(_("截止时间已过，这次抽取作废。"))
    if state != DrawState.COMMITTED:
        raise Conflict(_("内容已经提交过，不能更改。"))
    draw.contribution, draw.contributed_at, draw.state = told, now, DrawState.CONTRIBUTED.value
    digest = contribution_digest(draw.statement_digest, told, moment_text(now))
    draw.contribution_entry_id = trust.anchor(
        business=business_of(draw), subject=f"draw_contribution:{draw.pk}", digest=bytes.fromhex(digest), now=now
    )
    draw.save()
    audit.record(actor=actor, action="casework.draw_contributed", target=f"draw:{draw.pk}", details={"digest": digest}, now=now)
    events.publish("casework.draw_contributed", {"draw_id": draw.pk, "org_path": draw.org_path}, now=now)
    return draw
