"""Making a draw ready: what is drawn, where, and from whom; nothing is published yet."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draws import INSPECTION, LOTTERY, count_of, read_tickets, short_of
from shuren.casework.rules.specs.work import DrawSpec
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.selectors.draw_pools import lottery_pool, pools_for
from shuren.casework.selectors.draws import LOTTERY_ROLES, access_run
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, Role
from shuren.kernel import audit, clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound

_NAMED = 10


@transaction.atomic
def prepare_draw(*, actor: Actor, key: str, org_id: int, title: str = "", now: datetime) -> Draw:
    """A double-random draw of the kind `key` in the branch of an org, over the registers as they are now.

    Refused by name where an object could be drawn for which too few inspectors are free of conflict.
    """
    definition = definition_named(DefinitionKind.DRAW, key)
    spec: DrawSpec = spec_of(definition)
    org = _org(actor, org_id, spec.run_by, now)
    pools = pools_for(spec, org.path, today=clock.day_of(now))
    if not pools["objects"]:
        raise Invalid(_("没有符合条件的检查对象。"), remedy=_("请先登记检查对象，或放宽抽取条件。"))
    _check_inspectors(pools, spec.inspectors_each)
    rules = {
        "kind": INSPECTION,
        "count": count_of(len(pools["objects"]), count=spec.count, percent=spec.percent),
        "inspectors_each": spec.inspectors_each,
        "strata": spec.strata,
        "conflicts": [rule.model_dump(mode="json") for rule in spec.conflicts],
    }
    draw = _draw(actor, org, title or str(spec.title), rules, pools, now)
    draw.definition_version_id = definition.current_id
    draw.save()
    audit.record(actor=actor, action="casework.draw_prepared", target=f"draw:{draw.pk}", details={"key": key}, now=now)
    return draw


@transaction.atomic
def prepare_lottery(*, actor: Actor, flow: str, stage: str, org_id: int, places: int, title: str, now: datetime) -> Draw:
    """A lottery for `places` among the running cases of a flow in the branch of an org (at `stage`, where one is said)."""
    org = _org(actor, org_id, LOTTERY_ROLES, now)
    pools = lottery_pool(flow, org.path, stage)
    if len(pools["objects"]) <= places or places < 1:
        raise Invalid(
            _("共 %(count)d 份申请、%(places)d 个名额，不需要摇号。") % {"count": len(pools["objects"]), "places": places},
            remedy=_("申请多于名额时才摇号；请检查办理环节和名额数。"),
        )
    draw = _draw(actor, org, title, {"kind": LOTTERY, "count": places, "conflicts": []}, pools, now)
    draw.purpose = LOTTERY
    draw.save()
    audit.record(actor=actor, action="casework.draw_prepared", target=f"draw:{draw.pk}", details={"key": flow}, now=now)
    return draw


@transaction.atomic
def discard_draw(*, actor: Actor, draw_id: int, now: datetime) -> None:
    """Drop a draw of which nothing was published."""
    draw = Draw.objects.select_for_update().get(pk=access_run(actor=actor, id=draw_id, now=now).pk)
    if draw.state != DrawState.PREPARING.value:
        raise Conflict(_("承诺已经公布，这次抽取不能删除。"))
    audit.record(actor=actor, action="casework.draw_discarded", target=f"draw:{draw.pk}", details={"title": draw.title}, now=now)
    draw.delete()


def _org(actor: Actor, org_id: int, roles: tuple[Role, ...], now: datetime) -> OrgData:
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.VIEW_CASES, now=now)
    if actor.person_id is None or not any(
        org.path.startswith(path) for path in directory.role_paths_of(actor=actor, roles=roles, now=now)
    ):
        raise NotFound(_("没有找到这个机构。"))
    return org


def _check_inspectors(pools: dict[str, Any], each: int) -> None:
    short = short_of(read_tickets(pools["objects"]), read_tickets(pools["inspectors"]), each)
    if short:
        names = "、".join(ticket.label for ticket in short[:_NAMED])
        raise Invalid(
            _("这些对象找不到 %(each)d 名没有利害关系的检查人员：%(names)s（共 %(count)d 个）。")
            % {"each": each, "names": names, "count": len(short)},
            remedy=_("请增加检查人员，或按条件排除这些对象。"),
        )


def _draw(actor: Actor, org: OrgData, title: str, rules: dict[str, Any], pools: dict[str, Any], now: datetime) -> Draw:
    return Draw(
        title=title[:200],
        org_id=org.id,
        org_path=org.path,
        state=DrawState.PREPARING.value,
        rules=rules,
        objects_pool=pools["objects"],
        inspectors_pool=pools["inspectors"],
        made_at=now,
        made_by_id=actor.person_id,
    )
