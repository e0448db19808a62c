"""Drawing: the secret is told, the seed made, and what comes out is public in the same moment."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draws import canonical, commitment_of, outcome, seed_of, sha256
from shuren.casework.selectors.draws import access_run, state_of
from shuren.casework.services.draws.commit import PURPOSE
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.trust import api as trust


@transaction.atomic
def run_draw(*, actor: Actor, draw_id: int, now: datetime) -> Draw:
    """Tell the secret and draw. Only once; only from pools and a secret that are what was published before."""
    draw = Draw.objects.select_for_update().get(pk=access_run(actor=actor, id=draw_id, now=now).pk)
    state = state_of(draw, now=now)
    if state == DrawState.ABANDONED:
        raise Conflict(_("截止时间已过，这次抽取作废。"))
    if state != DrawState.CONTRIBUTED:
        raise Conflict(_("第三方还没有提交，或已经抽取过。"))
    assert draw.secret_sealed is not None
    secret = trust.unseal(bytes(draw.secret_sealed), purpose=PURPOSE)
    pools = {"objects": draw.objects_pool, "inspectors": draw.inspectors_pool}
    if commitment_of(secret) != draw.statement["commitment"] or sha256(canonical(pools)).hex() != draw.statement["pools_sha256"]:
        raise Conflict(_("名单或密值与公布的承诺不符，不能抽取。"), remedy=_("请联系系统管理员，并查看存证记录。"))
    seed = seed_of(secret, draw.contribution, draw.statement["pools_sha256"])
    draw.secret, draw.seed = secret.hex(), seed.hex()
    draw.result = outcome(draw.statement["rules"], pools, seed)
    draw.state, draw.drawn_at = DrawState.DRAWN.value, now
    draw.save()
    audit.record(actor=actor, action="casework.draw_made", target=f"draw:{draw.pk}", details={"seed": draw.seed}, now=now)
    events.publish("casework.draw_made", {"draw_id": draw.pk, "org_path": draw.org_path}, now=now)
    return draw
