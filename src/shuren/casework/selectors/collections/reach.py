"""Which collections, and which orgs of them, somebody may look at; `access_…` are the only ways to one of them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.casework.data import CollectionState
from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.rules.collections import OPEN_STATES
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope, outermost, path_q

_OWN_LIMIT = 1_000
ISSUE = Permission.ISSUE_COLLECTIONS


@dataclass(frozen=True, slots=True)
class Reach:
    """A collection as somebody sees it: the branches of it in reach; `may_manage` where the whole of it is."""

    collection: Collection
    paths: tuple[str, ...]
    may_manage: bool

    def narrowed(self, path: str) -> "Reach":
        """The same, of one branch only; `NotFound` where that is out of reach."""
        if not path:
            return self
        if not any(path.startswith(reached) for reached in self.paths):
            raise NotFound(_("没有找到这个机构。"))
        return Reach(self.collection, (path,), self.may_manage)

    @property
    def targets(self) -> QuerySet[CollectionTarget]:
        return CollectionTarget.objects.filter(path_q("org_path", self.paths), collection=self.collection)


def scope_of_issuers(*, actor: Actor, now: datetime) -> Scope:
    return directory.scope_of(actor=actor, permission=ISSUE, now=now)


def access_collection(*, actor: Actor, id: int, now: datetime) -> Reach:
    """The collection, if it was issued to a branch that `actor` issues in, or to one around it."""
    row = Collection.objects.select_related("org", "before", "definition").filter(pk=id).first()
    scope = scope_of_issuers(actor=actor, now=now)
    paths = reached_paths(row.path, scope) if row else ()
    if row is None or not paths:
        raise NotFound(_("没有找到这项采集。"))
    return Reach(row, paths, scope.covers(row.path))


def reached_paths(path: str, scope: Scope) -> tuple[str, ...]:
    """The part of the branch `path` that a scope covers: the whole, branches inside it, or nothing."""
    return (path,) if scope.covers(path) else outermost(inner for inner in scope.paths if inner.startswith(path))


def access_managed(*, actor: Actor, id: int, now: datetime) -> Collection:
    """The collection, if `actor` issues collections in the whole branch it was issued to."""
    reach = access_collection(actor=actor, id=id, now=now)
    if not reach.may_manage:
        raise NotFound(_("没有找到这项采集。"))
    return reach.collection


def access_target(*, actor: Actor, id: int, now: datetime, is_manager: bool = False) -> CollectionTarget:
    """One org of a collection for an issuer: within reach, or with `is_manager` only for whoever manages the collection."""
    row = CollectionTarget.objects.select_related("collection", "org", "case").filter(pk=id).first()
    scope = scope_of_issuers(actor=actor, now=now)
    if row is None or not scope.covers(row.org_path) or (is_manager and not scope.covers(row.collection.path)):
        raise NotFound(_("没有找到这个填报对象。"))
    return row


def access_own_target(*, actor: Actor, id: int, now: datetime) -> CollectionTarget:
    """One org of a collection for whoever fills it in: a holder of one of the roles `filled_by` there."""
    row = CollectionTarget.objects.select_related("collection__form_version", "org", "case").filter(pk=id).first()
    if row is None or not _may_fill(row, actor, now):
        raise NotFound(_("没有找到这项填报。"))
    return row


def _may_fill(row: CollectionTarget, actor: Actor, now: datetime) -> bool:
    offices = directory.offices_of(actor=actor, now=now)
    return any(role.value in row.collection.filled_by and path == row.org_path for role, path in offices)


def collections_in_reach(*, actor: Actor, now: datetime, state: str = "", search: str = "") -> QuerySet[Collection]:
    """Collections issued in the actor's branches, or to a branch around them; the newest first."""
    paths = scope_of_issuers(actor=actor, now=now).paths
    around = {path[: end + 1] for path in paths for end, sign in enumerate(path) if sign == "/"}
    rows = Collection.objects.filter(path_q("path", paths) | Q(path__in=around)).select_related("org")
    if state == "late":
        rows = rows.filter(state=CollectionState.OPEN.value, due_at__lt=now)
    elif state:
        rows = rows.filter(state=state)
    if search:
        rows = rows.filter(title__icontains=search)
    return rows.order_by("-issued_at", "-pk")


def own_targets(*, actor: Actor, now: datetime, is_open: bool = True) -> list[CollectionTarget]:
    """What the actor is to fill in, the earliest due first; or, not `is_open`, the latest that they need not any more."""
    held: dict[int, set[str]] = {}
    for role, path in directory.offices_of(actor=actor, now=now):
        held.setdefault(int(path.rstrip("/").rpartition("/")[2]), set()).add(role.value)
    rows = CollectionTarget.objects.filter(org_id__in=held).select_related("collection", "org", "case")
    waiting = Q(state__in=[state.value for state in OPEN_STATES], collection__state=CollectionState.OPEN.value)
    found = rows.filter(waiting).order_by("due_at", "pk") if is_open else rows.exclude(waiting).order_by("-pk")
    # Who fills in stands in the collection as a list of roles: an org has few rows, so they are told apart here.
    mine = (row for row in found[:_OWN_LIMIT] if held[row.org_id] & set(row.collection.filled_by))
    return list(mine)


def open_targets_of(*, actor: Actor, now: datetime) -> int:
    """How many forms wait for the actor, for the line that leads to them."""
    return len(own_targets(actor=actor, now=now))


def issuing_orgs(*, actor: Actor, now: datetime) -> list[OrgData]:
    """Where the actor may issue collections: the tops of their branches."""
    paths = scope_of_issuers(actor=actor, now=now).paths
    found = directory.orgs_above(paths)
    return [org for org in found.values() if org.path in paths]
