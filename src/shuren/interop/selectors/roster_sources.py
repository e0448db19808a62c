"""Sources of rosters and their turns, as officers who may import rosters of the branch see them."""

from datetime import datetime

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Permission
from shuren.interop.models import RosterPull, RosterSource
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q

_UNITS = (
    OrgType.PROVINCE,
    OrgType.CITY,
    OrgType.COUNTY,
    OrgType.AGENCY,
    OrgType.GROUP,
    OrgType.SCHOOL,
    OrgType.CAMPUS,
    OrgType.TEACHING_POINT,
)
_OFFERED = 500


def owner_of(source: RosterSource) -> Actor:
    """By whose rights the roster is taken and imported."""
    return Actor(source.owner_person_id, source.owner_account_id, source.owner_name)


def sources_seen(*, actor: Actor, now: datetime) -> QuerySet[RosterSource]:
    """The sources of the branches in which `actor` may import rosters, by name; `NotFound` for whoever may nowhere."""
    scope = directory.scope_of(actor=actor, permission=Permission.IMPORT_ROSTER, now=now)
    if not scope.paths:
        raise NotFound(_("没有找到这个页面。"))
    return RosterSource.objects.select_related("org").filter(path_q("org__path", scope.paths)).order_by("name", "pk")


def access_source(*, actor: Actor, id: int, now: datetime, locked: bool = False) -> RosterSource:
    """A source of a branch in which `actor` may import rosters; otherwise `NotFound`."""
    rows = RosterSource.objects.select_for_update(of=("self",)) if locked else RosterSource.objects.all()
    row = rows.select_related("org").filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.IMPORT_ROSTER, now=now)
    if row is None or not scope.covers(row.org.path):
        raise NotFound(_("没有找到这个名册来源。"))
    return row


def access_pull(*, actor: Actor, id: int, now: datetime, locked: bool = False) -> RosterPull:
    """A turn of a source that `actor` may see; otherwise `NotFound`."""
    rows = RosterPull.objects.select_for_update(of=("self",)) if locked else RosterPull.objects.all()
    row = rows.select_related("source").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这次拉取。"))
    access_source(actor=actor, id=row.source_id, now=now)
    return row


def pulls_of(source: RosterSource) -> QuerySet[RosterPull]:
    """The turns of a source, newest first."""
    return RosterPull.objects.filter(source=source).order_by("-pk")


def branches_offered(*, actor: Actor, now: datetime) -> list[OrgData]:
    """Orgs for which `actor` may write a source down, from the top down, at most 500."""
    scope = directory.scope_of(actor=actor, permission=Permission.IMPORT_ROSTER, now=now)
    return [org for path in scope.paths for org in directory.subtree(path, _UNITS)][:_OFFERED]


def latest_pulls(sources: QuerySet[RosterSource]) -> dict[int, RosterPull]:
    """The newest turn of each source."""
    newest = sources.order_by().annotate(newest=Max("pulls__pk")).values("newest")
    return {pull.source_id: pull for pull in RosterPull.objects.filter(pk__in=newest)}
