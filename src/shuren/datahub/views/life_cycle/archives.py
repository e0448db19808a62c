"""The archive: what lies there, and calling it back for a while."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.datahub.data import ArchiveState
from shuren.datahub.models import ArchivedPartition
from shuren.datahub.selectors.catalogue import titles_of_datasets
from shuren.datahub.selectors.life_cycle import access_archive, archives_seen
from shuren.datahub.services.life_cycle.recall import recall_archive
from shuren.datahub.views.life_cycle.datasets import life_url
from shuren.datahub.views.life_cycle.forms import RecallForm
from shuren.datahub.views.life_cycle.words import ARCHIVES, archive_state, crumbs, tabs
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import page_of, stream_of
from shuren.pages.api import form_page, posted, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec


@never_cache
@require_safe
def archives(request: HttpRequest) -> HttpResponseBase:
    """Archived partitions, newest first."""
    actor, now = actor_of(request), clock.now()

    def asked(query: ListQuery) -> QuerySet[ArchivedPartition]:
        return archives_seen(actor=actor, now=now, state=query.filters.get("state", ""))

    def actions(row: ArchivedPartition) -> tuple[Action, ...]:
        if row.state != ArchiveState.ARCHIVED:
            return ()
        return (Action(label=_("调回"), url=_recall_url(row), icon="arrow-back-up"),)

    titles = titles_of_datasets()
    spec: ListSpec[ArchivedPartition] = ListSpec(
        name="archives",
        title=_("归档"),
        columns=(
            Column(
                key="dataset",
                title=_("数据集"),
                value=lambda row: titles.get(row.dataset, row.dataset),
                url=lambda row: life_url(row.dataset),
            ),
            Column(key="partition", title=_("分区"), value=lambda row: row.partition),
            Column(key="rows", title=_("行数"), value=lambda row: row.rows, kind=CellKind.NUMBER),
            Column(key="bytes", title=_("大小（MB）"), value=lambda row: row.bytes / 1e6, kind=CellKind.NUMBER, decimals=2),
            Column(key="archived", title=_("归档时间"), value=lambda row: row.archived_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=archive_state, kind=CellKind.STATUS),
            Column(key="until", title=_("调回到"), value=lambda row: row.recalled_until, kind=CellKind.DATE),
            Column(key="reason", title=_("用途"), value=lambda row: row.recall_reason or None),
        ),
        rows=lambda query: page_of(asked(query), lambda row: row, number=query.number, size=query.size),
        stream=lambda query: stream_of(asked(query), list),
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=tuple(Choice(value=one.value, label=str(word)) for one, word in ARCHIVES.items()),
            ),
        ),
        row_actions=actions,
        empty=EmptyState(title=_("还没有归档"), text=_("到期的分区每天自动归档，加密压缩后移出查询。"), icon="archive"),
        note=_("归档的数据查不到、算不进，但一字节不差地留着；需要时写明用途调回，到期自动放回。"),
    )
    context = {"tabs": tabs("archives"), "title": _("归档"), "breadcrumbs": crumbs((_("归档"), ""))}
    return render_list(request, spec, template="front/detail.html", context=context)


@never_cache
@require_http_methods(["GET", "POST"])
def recall(request: HttpRequest, archive_id: str) -> HttpResponseBase:
    """Call a partition back with a reason and a term."""
    actor, now = actor_of(request), clock.now()
    row = access_archive(actor=actor, id=ids.decode("archive", archive_id), now=now)
    form = RecallForm(posted(request))

    def save() -> str:
        told = form.cleaned_data
        recall_archive(actor=actor, archive_id=row.pk, reason=told["reason"], until=told["until"], now=now)
        return life_url(row.dataset)

    title = _("从归档调回")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("调回"),
        back=reverse("datahub:archives"),
        lead=_("%(dataset)s · %(partition)s：调回后照常查询和计算。") % {"dataset": row.dataset, "partition": row.partition},
        done=_("已开始调回，完成后数据照常可用。"),
        breadcrumbs=crumbs((_("归档"), reverse("datahub:archives")), (title, "")),
    )


def _recall_url(row: ArchivedPartition) -> str:
    return reverse("datahub:recall_archive", args=[ids.encode("archive", row.pk)])
