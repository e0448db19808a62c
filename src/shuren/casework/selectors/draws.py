"""Draws: who may see and run them, what state they are in, and what the public gets."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, DefinitionStatus, DrawState
from shuren.casework.models import Case, Definition, Draw
from shuren.casework.rules.draw_bundles import moment_text
from shuren.casework.rules.draws import PROTOCOL
from shuren.casework.rules.specs.work import DrawSpec
from shuren.casework.selectors.definitions import read_version, spec_of
from shuren.directory import api as directory
from shuren.directory.data import Permission, Role
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q
from shuren.trust import api as trust

# Draws of one kind at one place so close together are shown beside each other: nobody draws again until it suits.
BESIDE = timedelta(days=30)
OFFICERS = (Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
# A school draws lots for its own places.
LOTTERY_ROLES = (*OFFICERS, Role.HEAD, Role.SCHOOL_ADMIN)
_TOLD = (DrawState.DRAWN, DrawState.PUBLISHED)


def access_draw(*, actor: Actor, id: int, now: datetime) -> Draw:
    """A draw in the reader's branch, or one to which the reader contributes; else `NotFound`."""
    found = draws_of(actor=actor, now=now).filter(pk=id).select_related("org", "definition_version__definition").first()
    if found is None:
        raise NotFound(_("没有找到这次抽取。"))
    return found


def access_run(*, actor: Actor, id: int, now: datetime) -> Draw:
    """A draw that the actor may carry on with; else `NotFound`."""
    draw = access_draw(actor=actor, id=id, now=now)
    if not may_run(draw, actor=actor, now=now):
        raise NotFound(_("没有找到这次抽取。"))
    return draw


def access_contribution(*, actor: Actor, id: int, now: datetime) -> Draw:
    """A draw whose independent party the actor is; else `NotFound`."""
    found = Draw.objects.filter(pk=id, contributor_person_id__isnull=False, contributor_person_id=actor.person_id).first()
    if found is None or actor.app is not None:
        raise NotFound(_("没有找到这次抽取。"))
    return found


def draws_of(*, actor: Actor, now: datetime) -> QuerySet[Draw]:
    """Draws that the actor may read, newest first."""
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now)
    theirs = Q(contributor_person_id=actor.person_id) if actor.person_id is not None and actor.app is None else Q(pk__in=())
    return Draw.objects.filter(path_q("org_path", scope.paths) | theirs).select_related("org").order_by("-made_at", "-pk")


def published_draws() -> QuerySet[Draw]:
    """Draws that anybody may read, newest first."""
    return Draw.objects.exclude(state=DrawState.PREPARING.value).select_related("org").order_by("-committed_at", "-pk")


def public_draw(id: int) -> Draw:
    """A draw as anybody may read it, from the moment its commitment is published."""
    found = published_draws().select_related("definition_version__definition").filter(pk=id).first()
    if found is None:
        raise NotFound(_("没有找到这次抽取。"))
    return found


def drawable(*, actor: Actor, now: datetime) -> list[tuple[Definition, DrawSpec]]:
    """The kinds of draw in force that the actor may run somewhere."""
    rows = Definition.objects.filter(
        kind=DefinitionKind.DRAW.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False
    ).order_by("key")
    pairs = [(row, spec_of(row)) for row in rows]
    return [(row, spec) for row, spec in pairs if directory.role_paths_of(actor=actor, roles=spec.run_by, now=now)]


def run_roles(draw: Draw) -> Collection[Role]:
    if draw.definition_version_id is None:
        return LOTTERY_ROLES
    spec: DrawSpec = read_version(draw.definition_version_id)
    return spec.run_by


def may_run(draw: Draw, *, actor: Actor, now: datetime) -> bool:
    """Holders of the roles over the draw's org; never whoever contributes to it."""
    if actor.person_id is not None and actor.person_id == draw.contributor_person_id:
        return False
    paths = directory.role_paths_of(actor=actor, roles=run_roles(draw), now=now)
    return any(draw.org_path.startswith(path) for path in paths)


def state_of(draw: Draw, *, now: datetime) -> DrawState:
    """What a draw is now: one whose time for the next step ran out is abandoned, without anybody saying so."""
    state = DrawState(draw.state)
    limit = {DrawState.COMMITTED: draw.contribution_due_at, DrawState.CONTRIBUTED: draw.reveal_due_at}.get(state)
    return DrawState.ABANDONED if limit is not None and now > limit else state


def draws_beside(draw: Draw) -> QuerySet[Draw]:
    """Published draws over the same pools, or of the same kind at the same place within thirty days, oldest first."""
    around = Q(org_id=draw.org_id, committed_at__range=(draw.made_at - BESIDE, (draw.committed_at or draw.made_at) + BESIDE))
    if draw.definition_version is not None:
        around &= Q(definition_version__definition_id=draw.definition_version.definition_id)
    else:
        around &= Q(definition_version__isnull=True, title=draw.title)
    same = around | Q(pools_digest=draw.pools_digest) if draw.pools_digest else around
    return published_draws().filter(same).exclude(pk=draw.pk).order_by("committed_at", "pk")


def bundle_of(draw: Draw, *, now: datetime) -> dict[str, Any]:
    """The file with which outsiders run the draw again; secret, seed and result are in it once the draw was made."""
    is_told = DrawState(draw.state) in _TOLD
    bundle: dict[str, Any] = {
        "protocol": PROTOCOL,
        "number": ids.encode("draw", draw.pk),
        "state": state_of(draw, now=now).value,
        "statement": draw.statement,
        "statement_digest": draw.statement_digest,
        "pools": {"objects": draw.objects_pool, "inspectors": draw.inspectors_pool},
        "proofs": _proofs(draw),
    }
    if draw.contributed_at is not None:
        bundle["contribution"] = contribution_as_json(draw)
    if is_told:
        bundle |= {"secret": draw.secret, "seed": draw.seed, "result": draw.result}
    return bundle


def contribution_as_json(draw: Draw) -> dict[str, str]:
    assert draw.contributed_at is not None
    return {"value": draw.contribution, "by": draw.statement["contributor"]["id"], "at": moment_text(draw.contributed_at)}


def check_cases(draw: Draw) -> dict[str, Case]:
    """The check cases that were opened, by the id of the object."""
    start = case_origin(draw, "")
    rows = Case.objects.filter(origin__gte=start, origin__lt=start[:-1] + ";")
    return {row.origin.removeprefix(start): row for row in rows}


def case_origin(draw: Draw, object_id: str) -> str:
    return f"draw:{draw.pk}:{object_id}"


def _proofs(draw: Draw) -> dict[str, Any]:
    """Proofs from the evidence log, of what a signed head covers already."""
    entries = {"statement": draw.statement_entry_id, "contribution": draw.contribution_entry_id}
    proofs = trust.proofs_of([pk for pk in entries.values() if pk is not None])
    return {name: trust.proof_as_json(proofs[pk]) for name, pk in entries.items() if pk is not None and pk in proofs}
