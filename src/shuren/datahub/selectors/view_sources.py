"""Views of front databases and their turns, for the keepers of the whole installation and for nobody else."""

from datetime import datetime

from django.db.models import Max, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.selectors.exchange.nodes import access_exchange
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

_OWNERS = (OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY, OrgType.AGENCY)
_OFFERED = 500


def view_sources(*, words: str = "") -> QuerySet[ViewSource]:
    """By title; `words` stand in a title or the key."""
    rows = ViewSource.objects.order_by("title_zh", "pk")
    text = words.strip()
    if text:
        rows = (
            rows.filter(title_zh__icontains=text)
            | rows.filter(title_en__icontains=text)
            | rows.filter(key__icontains=text.lower())
        )
    return rows


def access_view_source(*, actor: Actor, id: int, now: datetime, locked: bool = False) -> ViewSource:
    access_exchange(actor=actor, now=now)
    rows = ViewSource.objects.select_for_update() if locked else ViewSource.objects.all()
    row = rows.filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个视图来源。"))
    return row


def access_view_run(*, actor: Actor, id: int, now: datetime) -> ViewRun:
    access_exchange(actor=actor, now=now)
    row = ViewRun.objects.select_related("source").filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这次读取。"))
    return row


def view_runs_of(source: ViewSource) -> QuerySet[ViewRun]:
    """The turns of a view, newest first."""
    return ViewRun.objects.filter(source=source).defer("columns").order_by("-pk")


def latest_view_runs(sources: QuerySet[ViewSource]) -> dict[int, ViewRun]:
    """The newest turn of each source."""
    newest = sources.order_by().annotate(newest=Max("runs__pk")).values("newest")
    return {run.source_id: run for run in ViewRun.objects.filter(pk__in=newest).defer("columns")}


def owners_offered() -> list[OrgData]:
    """Bureaus that a view may belong to here, from the top down."""
    root = directory.root_org()
    if root is None:
        return []
    found = directory.subtree(root.path, _OWNERS)[:_OFFERED]
    return found if any(one.id == root.id for one in found) else [root, *found]


def title_of_source(source: ViewSource) -> str:
    """In the reader's language."""
    return source.title_en if source.title_en and (get_language() or "").startswith("en") else source.title_zh
