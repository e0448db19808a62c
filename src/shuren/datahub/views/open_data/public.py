"""Open data as everybody finds it: pages, files, JSON and the catalogue that other portals harvest. Nobody signs in."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.data import OpenState
from shuren.datahub.models import OpenDataset, OpenVersion
from shuren.datahub.rules.open_data.columns import output_name
from shuren.datahub.rules.open_data.dcat import FORMS, LICENCES, Distribution, Entry, catalogue_graph
from shuren.datahub.rules.open_data.files import csv_of
from shuren.datahub.selectors.open_data import (
    access_open_dataset,
    access_published,
    declaration_of,
    open_datasets,
    published_versions,
)
from shuren.datahub.selectors.open_files import file_of, rows_of
from shuren.datahub.views.open_data.words import LICENCES as LICENCE_WORDS
from shuren.datahub.views.open_data.words import TREATMENTS
from shuren.directory import api as directory
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import page_of

PER_MINUTE = 120
_SIZE, _MOST = 100, 1_000
_SHOWN = 20
_PER_PAGE = 20
_CSV, _PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"
_View = Callable[..., HttpResponseBase]


def open_page(view: _View) -> _View:
    """A page for strangers, answered so often a minute to one address."""

    @wraps(view)
    def limited(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        key = f"datahub.open:{request.META.get('REMOTE_ADDR', '')}:{int(clock.now().timestamp() // 60)}"
        cache.add(key, 0, 120)
        if cache.incr(key) > PER_MINUTE:
            return HttpResponse(_("取得太快了。请一分钟后再试。"), status=429, headers={"Retry-After": "60"})
        return view(request, *args, **kwargs)

    return open_door(never_cache(require_safe(limited)))


@open_page
def catalogue(request: HttpRequest) -> HttpResponseBase:
    asked = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    page = page_of(open_datasets(search=asked), lambda row: row, number=_number(request, "page", 1), size=_PER_PAGE)
    context = {"title": _("开放数据"), "asked": asked, "page": page, "forms": list(FORMS)}
    return render(request, "datahub/open/catalogue.html", context)


@open_page
def dataset(request: HttpRequest, number: str) -> HttpResponseBase:
    """One dataset: what it is, its versions and their files; 410 with the reason where it was withdrawn."""
    row = access_open_dataset(number)
    versions = published_versions(row)
    latest = versions[0]
    is_gone = row.withdrawn_at is not None
    header, rows, total = ((), [], 0) if is_gone else rows_of(latest, first=0, size=_SHOWN)
    declaration = declaration_of(latest)
    context = {
        "title": row.title,
        "row": row,
        "versions": versions,
        "latest": latest,
        "publisher": _publisher(row),
        "licence": LICENCE_WORDS.get(row.licence, row.licence),
        "licence_url": LICENCES.get(row.licence, ""),
        "columns": [(output_name(c), str(TREATMENTS[c.treatment])) for c in declaration.columns],
        "declaration": declaration,
        "k": latest.check_found.get("k", 0),
        "header": header,
        "rows": rows,
        "more": max(0, total - len(rows)),
        "breadcrumbs": [{"label": _("开放数据"), "url": reverse("open:catalogue")}, {"label": row.title, "url": ""}],
    }
    return render(request, "datahub/open/dataset.html", context, status=410 if is_gone else 200)


def _publisher(row: OpenDataset) -> str:
    org = directory.orgs_by_ids([row.org_id]).get(row.org_id)
    return org.name if org is not None else str(settings.SHUREN_REGION_NAME)


@open_page
def csv_file(request: HttpRequest, number: str, version: str) -> HttpResponseBase:
    row = access_open_dataset(number)
    if row.withdrawn_at:
        return _gone(row)
    told = access_published(row, int(version))
    header, rows, _total = rows_of(told, first=0, size=told.rows)
    return _file(HttpResponse(csv_of(header, rows), content_type=_CSV), told, "csv", told.csv_sha256)


@open_page
def parquet_file(request: HttpRequest, number: str, version: str) -> HttpResponseBase:
    """The file as it lies in the lake, byte by byte."""
    row = access_open_dataset(number)
    if row.withdrawn_at:
        return _gone(row)
    told = access_published(row, int(version))
    return _file(StreamingHttpResponse(file_of(told), content_type=_PARQUET), told, "parquet", told.sha256)


def _file(response: HttpResponseBase, version: OpenVersion, suffix: str, sha256: str) -> HttpResponseBase:
    name = f"{version.dataset.number}-v{version.number}.{suffix}"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    response.headers["ETag"] = f'"{sha256}"'
    response.headers["X-Content-SHA256"] = sha256
    return response


def _gone(row: OpenDataset) -> JsonResponse:
    told = {"number": row.number, "withdrawn_at": row.withdrawn_at, "reason": row.withdrawn_reason}
    return JsonResponse(told, status=410, json_dumps_params={"ensure_ascii": False})


@open_page
def datasets_json(request: HttpRequest) -> HttpResponseBase:
    """A page of the catalogue; `q` searches."""
    asked = request.GET.get("q", "").replace("\x00", "")[:100]
    size = min(max(1, _number(request, "size", _PER_PAGE)), _SIZE)
    page = page_of(open_datasets(search=asked), lambda row: row, number=_number(request, "page", 1), size=size)
    rows = [
        {
            "number": row.number,
            "title": row.title_zh,
            "title_en": row.title_en,
            "description": row.description,
            "keywords": row.keywords,
            "licence": row.licence,
            "opened_at": row.opened_at,
            "changed_at": row.changed_at,
            "url": _absolute(request, reverse("open:dataset", args=[row.number])),
            "rows_url": _absolute(request, reverse("open:rows_json", args=[row.number])),
        }
        for row in page.rows
    ]
    told = {"rows": rows, "total": page.total, "is_exact": page.is_exact, "page": page.number}
    return JsonResponse(told, json_dumps_params={"ensure_ascii": False})


@open_page
def rows_json(request: HttpRequest, number: str) -> HttpResponseBase:
    """A page of rows of a version, the latest unless asked otherwise; at most 1,000 a page."""
    row = access_open_dataset(number)
    if row.withdrawn_at:
        return _gone(row)
    try:
        told = access_published(row, _number(request, "version", 0))
    except NotFound as error:
        return JsonResponse({"message": str(error)}, status=404, json_dumps_params={"ensure_ascii": False})
    size = min(max(1, _number(request, "size", _SIZE)), _MOST)
    page = max(1, _number(request, "page", 1))
    header, rows, total = rows_of(told, first=(page - 1) * size, size=size)
    found = {
        "number": row.number,
        "version": told.number,
        "sha256": told.sha256,
        "columns": list(header),
        "rows": [dict(zip(header, each, strict=True)) for each in rows],
        "total": total,
        "is_exact": True,
        "page": page,
    }
    return JsonResponse(found, json_dumps_params={"ensure_ascii": False})


@open_page
def catalogue_rdf(request: HttpRequest, form: str) -> HttpResponseBase:
    """The whole catalogue in DCAT-AP: `jsonld`, `ttl` or `rdf`."""
    if form not in FORMS:
        raise NotFound(_("没有找到这个页面。"))
    name, media_type = FORMS[form]
    region = str(settings.SHUREN_REGION_NAME)
    rows = open_datasets().prefetch_related("versions")
    graph = catalogue_graph(
        url=_absolute(request, reverse("open:catalogue")),
        title=_("%(region)s的开放数据") % {"region": region},
        publisher=region,
        entries=[_entry(request, row) for row in rows],
    )
    return HttpResponse(graph.serialize(format=name), content_type=f"{media_type}; charset=utf-8")


def _entry(request: HttpRequest, row: OpenDataset) -> Entry:
    published = [version for version in row.versions.all() if version.state == OpenState.PUBLISHED]
    latest = max(published, key=lambda version: version.number)

    def file(page: str) -> str:
        return _absolute(request, reverse(f"open:{page}", args=[row.number, latest.number]))

    assert row.number is not None
    assert row.opened_at is not None
    titles = (("zh", row.title_zh), *((("en", row.title_en),) if row.title_en else ()))
    return Entry(
        url=_absolute(request, reverse("open:dataset", args=[row.number])),
        number=row.number,
        titles=titles,
        description=row.description,
        keywords=tuple(row.keywords),
        publisher=_publisher(row),
        licence=row.licence,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        version=latest.number,
        note=latest.note,
        distributions=(
            Distribution(file("csv_file"), "CSV", "text/csv", latest.csv_bytes, latest.csv_sha256),
            Distribution(file("parquet_file"), "PARQUET", _PARQUET, latest.bytes, latest.sha256),
        ),
    )


def _absolute(request: HttpRequest, path: str) -> str:
    return f"{settings.SHUREN_PUBLIC_URL.rstrip('/')}{path}" if settings.SHUREN_PUBLIC_URL else request.build_absolute_uri(path)


def _number(request: HttpRequest, name: str, default: int) -> int:
    told = request.GET.get(name, "")
    return min(int(told), 1_000_000) if told.isascii() and told.isdigit() and len(told) < 10 else default
