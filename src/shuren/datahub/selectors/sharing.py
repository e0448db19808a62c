"""Applications and grants as the two units see them, and as nobody else does."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import ApplicationState, SharingAttribute, SharingWay
from shuren.datahub.models import SharingApplication, SharingGrant, SharingUse
from shuren.datahub.selectors.shared_datasets import shared_dataset
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Role
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, Refused
from shuren.kernel.scope import outermost

KEEPERS = (Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.SCHOOL_ADMIN, Role.HEAD)
_OFFICERS = KEEPERS[:3]


def units_of(*, actor: Actor, now: datetime) -> list[OrgData]:
    """The units for which the actor applies and decides: those where they hold an office that keeps data."""
    paths = {path for role, path in directory.offices_of(actor=actor, now=now) if role in KEEPERS}
    orgs = directory.orgs_by_ids(int(path.rstrip("/").rpartition("/")[2]) for path in paths)
    return sorted(orgs.values(), key=lambda org: org.path)


def access_sharing(*, actor: Actor, now: datetime) -> list[OrgData]:
    """The actor's units; `NotFound` for whoever keeps no unit's data."""
    units = units_of(actor=actor, now=now)
    if not units:
        raise NotFound(_("没有找到这个页面。"))
    return units


def decides_for(owner_org_id: int, *, actor: Actor, now: datetime) -> bool:
    """Whether the actor decides for an owner: its keepers, and the officers of the whole region."""
    return _is_over_all(actor, now) or owner_org_id in _unit_ids(actor, now)


def decides(row: SharingApplication, *, actor: Actor, now: datetime) -> bool:
    """Whether the actor decides this application: for its owner, and never for a unit of their own."""
    return decides_for(row.owner_org_id, actor=actor, now=now) and row.applicant_org_id not in _unit_ids(actor, now)


def own_applications(*, actor: Actor, now: datetime, state: str = "") -> QuerySet[SharingApplication]:
    """What the actor's units applied for, newest first."""
    rows = SharingApplication.objects.filter(applicant_org_id__in=_unit_ids(actor, now)).order_by("-pk")
    return rows.filter(state=state) if state else rows


def applications_to_decide(*, actor: Actor, now: datetime, state: str = "") -> QuerySet[SharingApplication]:
    """What others applied for that the actor decides about, oldest first."""
    ids = _unit_ids(actor, now)
    rows = SharingApplication.objects.exclude(applicant_org_id__in=ids).order_by("pk")
    if not _is_over_all(actor, now):
        rows = rows.filter(owner_org_id__in=ids)
    return rows.filter(state=state or ApplicationState.OPEN.value)


def grants_seen(*, actor: Actor, now: datetime, side: str = "", state: str = "") -> QuerySet[SharingGrant]:
    """The grants of either side, newest first; `side` is `got` or `given`, `state` `live` or `over`."""
    ids = _unit_ids(actor, now)
    got = SharingGrant.objects.filter(applicant_org_id__in=ids)
    given = SharingGrant.objects.all() if _is_over_all(actor, now) else SharingGrant.objects.filter(owner_org_id__in=ids)
    rows = got if side == "got" else given if side == "given" else got | given
    live = {"revoked_at__isnull": True, "ends_at__gt": now}
    if state:
        rows = rows.filter(**live) if state == "live" else rows.exclude(**live)
    return rows.order_by("-pk")


def access_application(*, actor: Actor, id: int, now: datetime) -> SharingApplication:
    """An application, for those who made it and those who decide it; otherwise `NotFound`."""
    row = SharingApplication.objects.filter(pk=id).first()
    if row is None or not (row.applicant_org_id in _unit_ids(actor, now) or decides_for(row.owner_org_id, actor=actor, now=now)):
        raise NotFound(_("没有找到这份申请。"))
    return row


def access_decision(*, actor: Actor, id: int, now: datetime) -> SharingApplication:
    """An application, for those who decide it."""
    row = SharingApplication.objects.select_for_update().filter(pk=id).first()
    if row is None or not decides(row, actor=actor, now=now):
        raise NotFound(_("没有找到这份申请。"))
    return row


def access_own_application(*, actor: Actor, id: int, now: datetime) -> SharingApplication:
    """An application, for those who made it."""
    row = SharingApplication.objects.select_for_update().filter(pk=id).first()
    if row is None or row.applicant_org_id not in _unit_ids(actor, now):
        raise NotFound(_("没有找到这份申请。"))
    return row


def access_grant(*, actor: Actor, id: int, now: datetime) -> SharingGrant:
    """A grant, for those who have it and those who gave it; otherwise `NotFound`."""
    row = SharingGrant.objects.select_related("application").filter(pk=id).first()
    if row is None or not (row.applicant_org_id in _unit_ids(actor, now) or decides_for(row.owner_org_id, actor=actor, now=now)):
        raise NotFound(_("没有找到这项授权。"))
    return row


def access_given_grant(*, actor: Actor, id: int, now: datetime) -> SharingGrant:
    """A grant, for those who gave it."""
    row = SharingGrant.objects.select_for_update().filter(pk=id).first()
    if row is None or not decides_for(row.owner_org_id, actor=actor, now=now):
        raise NotFound(_("没有找到这项授权。"))
    return row


def access_own_grant(*, actor: Actor, id: int, now: datetime) -> SharingGrant:
    """A grant, for those who have it: whoever gave it does not read through it."""
    row = SharingGrant.objects.select_related("application").filter(pk=id).first()
    if row is None or row.applicant_org_id not in _unit_ids(actor, now):
        raise NotFound(_("没有找到这项授权。"))
    return row


def access_usable_grant(*, actor: Actor, id: int, way: SharingWay, now: datetime) -> SharingGrant:
    """A grant that gives something this way now, for those who have it; `NotFound`, or `Refused` with the reason."""
    grant = access_own_grant(actor=actor, id=id, now=now)
    refuse_unusable(grant, now)
    if way.value not in grant.ways:
        raise Refused(_("这项授权不包括这种使用方式。"))
    return grant


def refuse_unusable(grant: SharingGrant, now: datetime) -> None:
    """Raise `Refused`, with the reason, for a grant that was revoked, has ended, or whose dataset is not shared any more."""
    if grant.revoked_at is not None:
        raise Refused(_("这项授权已被收回：%(reason)s") % {"reason": grant.reason})
    if not grant.begins_at <= now < grant.ends_at:
        raise Refused(_("这项授权已经到期。"), remedy=_("仍有需要的，请重新申请。"))
    if shared_dataset(grant.dataset).terms.attribute is SharingAttribute.NONE:
        raise Refused(_("这个数据集已改为不予共享。"))


def uses_of(grant: SharingGrant) -> QuerySet[SharingUse]:
    return SharingUse.objects.filter(grant=grant).order_by("-pk")


def branches_fit(given: Collection[int], asked: Collection[int]) -> bool:
    """Whether every branch given lies within one that was asked for."""
    orgs = directory.orgs_by_ids({*given, *asked})
    outer = outermost(orgs[org_id].path for org_id in asked if org_id in orgs)
    return all(org_id in orgs and orgs[org_id].path.startswith(tuple(outer)) for org_id in given)


def keepers_of(org_id: int, *, now: datetime) -> list[int]:
    """The people who keep a unit's data, whom notices about it go to."""
    found: dict[int, None] = {}
    for role in KEEPERS:
        found |= dict.fromkeys(directory.holders_of(role, [org_id], now=now)[org_id])
    return list(found)


def ending_between(begin: datetime, end: datetime) -> Iterable[SharingGrant]:
    """Grants that nobody revoked and that end after `begin` and not after `end`."""
    rows = SharingGrant.objects.filter(revoked_at__isnull=True, ends_at__gt=begin, ends_at__lte=end)
    return rows.order_by("pk").iterator()


def _unit_ids(actor: Actor, now: datetime) -> list[int]:
    return [org.id for org in units_of(actor=actor, now=now)]


def _is_over_all(actor: Actor, now: datetime) -> bool:
    root = directory.root_org()
    return root is not None and root.path in directory.role_paths_of(actor=actor, roles=_OFFICERS, now=now)
