"""Proposed duplicates, read."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory.data import Permission
from shuren.directory.models import Affiliation, DuplicatePair, Enrollment
from shuren.directory.selectors.people import covers_everything
from shuren.directory.selectors.scope import scope_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q


def open_pairs(*, actor: Actor, now: datetime) -> QuerySet[DuplicatePair]:
    """Undecided pairs of people both of whom `actor` manages, likeliest first."""
    rows = DuplicatePair.objects.filter(decided_at__isnull=True).select_related("first", "second").order_by("-score", "id")
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    if covers_everything(scope):
        return rows
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day_of(now))
    for side in ("first", "second"):
        within = Q(pk__in=())
        for model in (Affiliation, Enrollment):
            belongs = model.objects.visible().filter(
                path_q("org_path", scope.paths), still_open, person_id=OuterRef(f"{side}_id")
            )
            within |= Q(Exists(belongs))
        rows = rows.filter(within)
    return rows


def pair_row_for(*, actor: Actor, id: int, now: datetime) -> DuplicatePair:
    pair = open_pairs(actor=actor, now=now).filter(pk=id).first()
    if pair is None:
        raise NotFound(_("没有找到这对疑似重复人员。"), remedy=_("也许已经处理过，请刷新页面。"))
    return pair
