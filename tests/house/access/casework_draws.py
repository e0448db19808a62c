"""Draws: run by offices over the branch, contributed to by the one who is named, public from the commitment on."""

from datetime import datetime, timedelta
from typing import Any

from shuren.casework.data import DefinitionStatus
from shuren.casework.models import Definition, DefinitionVersion, Draw, Entry
from shuren.casework.services.draws.commit import Contributor, commit_draw
from shuren.casework.services.draws.contribute import contribute_to_draw
from shuren.casework.services.draws.prepare import prepare_draw
from shuren.casework.services.draws.run import run_draw
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, OFFICERS, ROOT, Address, Area, act, form, page, public, roles

VIEWERS = OFFICERS | roles("expert")

DRAWS: dict[str, Address] = {
    "casework:draws": page(EVERYBODY),
    "casework:new_draw": form(OFFICERS),
    "casework:new_lottery": form(OFFICERS | roles("head school_admin")),
    "casework:public_draws": public("GET"),
    "casework:public_draw": Address(near=EVERYBODY, far=EVERYBODY, objects={"draw_id": "drawn"}, stranger=200),
    "casework:draw_bundle": Address(near=EVERYBODY, far=EVERYBODY, objects={"draw_id": "drawn"}, stranger=200),
    "casework:draw": page(VIEWERS, ROOT, draw_id="drawn"),
    "casework:commit_draw": form(OFFICERS, ROOT, draw_id="prepared"),
    "casework:discard_draw": act(OFFICERS, ROOT, draw_id="prepared"),
    "casework:contribute_draw": form(roles("expert"), draw_id="committed"),
    "casework:run_draw": act(OFFICERS, ROOT, draw_id="contributed"),
    "casework:publish_draw": act(OFFICERS, ROOT, draw_id="drawn"),
}
_STEPS = ("prepared", "committed", "contributed", "drawn")


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A draw at every step near, and the same far away; the expert contributes near."""
    _define("register", {"key": "x.things", "title": "对象", "sections": _sections()})
    _define("register", {"key": "x.people", "title": "人员", "sections": _sections()})
    _define("draw", {"key": "x.draw", "title": "抽查", "objects": "x.things", "inspectors": "x.people", "count": 1})
    near = {step: _made(cast, "county", "county_officer", "expert", step) for step in _STEPS}
    far = {step: _made(cast, "far_county", "province_officer", "far_head", step) for step in _STEPS}
    return {step: (near[step], far[step]) for step in _STEPS}


def _made(cast: Cast, county: str, operator: str, contributor: str, step: str) -> str:
    org, actor, now = cast.orgs[county], cast.actor(operator), cast.now
    for register in ("x.things", "x.people"):
        for number in range(2):
            _entry(Definition.objects.get(key=register), org, f"{county}{step}{number}", now)
    draw = prepare_draw(actor=actor, key="x.draw", org_id=org.id, now=now)
    place = _STEPS.index(step)
    if place >= 1:
        due = now + timedelta(days=1)
        party = Contributor(cast.people[contributor].id, "person", due, due + timedelta(days=1))
        commit_draw(actor=actor, draw_id=draw.pk, contributor=party, now=now)
    if place >= 2:
        contribute_to_draw(actor=cast.actor(contributor), draw_id=draw.pk, value="1", now=now + timedelta(seconds=1))
    if place >= 3:
        run_draw(actor=actor, draw_id=draw.pk, now=now + timedelta(seconds=2))
    return ids.encode("draw", Draw.objects.get(pk=draw.pk).pk)


def _define(kind: str, body: dict[str, Any]) -> None:
    definition = Definition.objects.create(
        kind=kind, key=body["key"], title_zh=body["title"], status=DefinitionStatus.IN_FORCE.value
    )
    made = datetime.fromisoformat("2026-09-01T00:00:00+00:00")
    definition.current = DefinitionVersion.objects.create(definition=definition, number=1, body=body, digest="", made_at=made)
    definition.save()


def _sections() -> list[dict[str, Any]]:
    return [{"key": "main", "title": "基本", "fields": [{"key": "name", "title": "名称", "type": "text"}]}]


def _entry(register: Definition, org: Any, name: str, now: datetime) -> None:
    Entry.objects.create(
        register=register,
        org_id=org.id,
        org_path=org.path,
        label=name,
        identity=name,
        data={"name": name},
        made_at=now,
        changed_at=now,
    )


AREA = Area(DRAWS, places)
