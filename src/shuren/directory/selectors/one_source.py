"""Who competes with the source of an element, and what they are told about it."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.directory.data import CompetingData
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.holders import offices_of
from shuren.directory.selectors.orgs import orgs_by_ids
from shuren.kernel.data import Actor
from shuren.standards import api as standards
from shuren.standards.data import Door, ElementData, ProducerData


def competing(*, actor: Actor, elements: Iterable[str], door: Door, now: datetime) -> dict[str, CompetingData]:
    """Of these elements those that `actor` may not write through `door`, since a declared producer alone does; by code.

    One query where nothing is declared. The installation itself may write everything.
    """
    if actor.is_system:
        return {}
    declared = standards.producers_of(elements)
    if not declared:
        return {}
    standing = standing_org_ids(actor=actor, now=now)
    refused = [one for one in declared.values() if not standards.is_producer(one, door=door, org_ids=standing)]
    return {one.element: told_of(standards.element(one.element), one) for one in refused}


def standing_org_ids(*, actor: Actor, now: datetime) -> frozenset[int]:
    """The orgs that an actor holds an office at, or an app acts for, and everything above them."""
    return frozenset(org_id for path in _paths(actor, now) for org_id in ids_of(path))


def acting_org_id(*, actor: Actor, now: datetime) -> int:
    """The one org that an actor's doings are counted under: the lowest of their offices; 0 for somebody without one."""
    deepest = max(_paths(actor, now), key=lambda path: (path.count("/"), path), default="")
    return ids_of(deepest)[-1] if deepest else 0


def told_of(element: ElementData, producer: ProducerData | None = None) -> CompetingData:
    """What somebody who competes with an element's source is told: its owner is an org, or else the department."""
    ids = {element.owner_org_id} if element.owner_org_id else set(producer.org_ids if producer else ())
    owners = [org.name for org in orgs_by_ids(ids).values()]
    doors = sorted(producer.doors) if producer else []
    return CompetingData(
        element=element.code,
        name=element.name(get_language() or ""),
        owner="、".join(owners) or element.department or _("数据管理部门"),
        comes_from="、".join(standards.door_words(door) for door in doors) or _place(element.source),
        link=reverse("casework:object_to_element", args=[element.code]),
    )


def _place(source: str) -> str:
    kind, _colon, where = source.partition(":")
    if kind == "register":
        return _("台账 %(register)s") % {"register": where.rpartition(".")[0]}
    if kind == "lake":
        return _("数据集 %(dataset)s") % {"dataset": where.rpartition(".")[0]}
    return _("人员与机构名录") if kind else _("它的负责单位")


def _paths(actor: Actor, now: datetime) -> list[str]:
    if actor.app is not None:
        return list(actor.app.paths)
    return [path for _role, path in offices_of(actor=actor, now=now)]
