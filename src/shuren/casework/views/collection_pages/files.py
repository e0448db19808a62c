"""Answers on their way out, and where they lie once they are frozen."""

import tempfile
from contextlib import ExitStack

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.data import CollectionState
from shuren.casework.models import Collection
from shuren.casework.selectors.collections.frozen import frozen_datasets
from shuren.casework.selectors.definitions import form_of
from shuren.casework.services.collections.export import csv_parts, write_parquet
from shuren.casework.views.collection_pages.parts import collection_url, head_of, reach_of
from shuren.datahub import api as datahub
from shuren.datahub.data import AssetKind, AssetRef, Snapshot
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.kernel import clock

PARQUET_TYPE = "application/vnd.apache.parquet"


@never_cache
@require_safe
def collection_data(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """The files to take, and for a frozen collection its datasets with their fingerprints."""
    reach = reach_of(request, collection_id)
    row = reach.collection
    context = {
        **head_of(reach, "collection_data"),
        "collection": row,
        "fields": len(form_of(row.form_version_id).fields),
        "form": row.form_version.definition,
        "version": row.form_version.number,
        "snapshots": _frozen(request, row) if row.state == CollectionState.FROZEN else [],
        "collection_id": collection_id,
        "workbook_url": collection_url(row, "collection_workbook") if row.state == CollectionState.OPEN else "",
        "upload_url": collection_url(row, "bring_back_collection"),
    }
    return render(request, "casework/collection_data.html", context)


def _frozen(request: HttpRequest, row: Collection) -> list[tuple[Snapshot, str]]:
    """What was frozen, each with the address that says where it came from, for those who may read the catalogue."""
    actor, now = actor_of(request), clock.now()
    return [
        (made, datahub.lineage_url(AssetRef(AssetKind.DATASET, made.dataset), actor=actor, now=now))
        for made in frozen_datasets(row)
    ]


@require_step_up(Purpose.EXPORT)
@never_cache
@require_safe
def collection_csv(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """CSV, sent while it is read."""
    reach = reach_of(request, collection_id)
    parts = csv_parts(actor=actor_of(request), reach=reach, now=clock.now())
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{reach.collection.title}.csv") or ""
    response.headers["X-Accel-Buffering"] = "no"
    return response


@require_step_up(Purpose.EXPORT)
@never_cache
@require_safe
def collection_parquet(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """Parquet, which ends with its table of contents, by way of a temporary file."""
    reach = reach_of(request, collection_id)
    with ExitStack() as held:
        target = held.enter_context(tempfile.TemporaryFile())
        write_parquet(target, actor=actor_of(request), reach=reach, now=clock.now())
        target.seek(0)
        held.pop_all()
    return FileResponse(target, as_attachment=True, filename=f"{reach.collection.title}.parquet", content_type=PARQUET_TYPE)
