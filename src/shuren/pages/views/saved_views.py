"""Views of lists that somebody keeps: in the menu of a list, and all of them on a page."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shuren.kernel import clock
from shuren.pages.data import SavedViewData
from shuren.pages.forms import SaveViewForm
from shuren.pages.rules.saved_views import clean_query
from shuren.pages.selectors import saved_views
from shuren.pages.services.saved_views import delete_view, save_view
from shuren.pages.views.lists import is_partial


@dataclass(frozen=True, slots=True)
class ShownView:
    """A view with the link to hand on; it leads anybody to the same look at what they may see themselves."""

    view: SavedViewData
    link: str
    is_current: bool


@never_cache
@require_http_methods(["GET", "POST"])
def kept_views(request: HttpRequest) -> HttpResponse:
    """The menu of one list for htmx, otherwise the page of all views; a POST keeps the list as it stands."""
    if request.method == "GET":
        return _menu(request, request.GET.dict()) if is_partial(request) else _page(request)
    form = SaveViewForm(request.POST)
    if not form.is_valid():
        return _refused(request, form)
    view = save_view(account_id=_account_id(request), view=form.view(), now=clock.now())
    if is_partial(request):
        return _menu(request, request.POST.dict())
    messages.success(request, _("已保存视图“%(name)s”。") % {"name": view.name})
    return redirect(view.url)


@require_POST
def throw_away(request: HttpRequest, view_id: str) -> HttpResponse:
    """Delete one of one's own views; the answer offers to keep it after all."""
    view = delete_view(account_id=_account_id(request), id=view_id)
    if is_partial(request):
        fields = {"list": view.list_name, "title": view.list_title, "path": view.path, "query": request.POST.get("query", "")}
        return _menu(request, fields, deleted=view)
    return _page(request, deleted=view)


def _account_id(request: HttpRequest) -> int:
    """The account of the request; no view belongs to account 0."""
    return request.user.pk or 0


def _shown(request: HttpRequest, views: Iterable[SavedViewData], query: str | None) -> list[ShownView]:
    return [ShownView(view, request.build_absolute_uri(view.url), view.query == query) for view in views]


def _menu(
    request: HttpRequest, fields: dict[str, str], *, deleted: SavedViewData | None = None, form: SaveViewForm | None = None
) -> HttpResponse:
    path, name, query = fields.get("path", ""), fields.get("list", ""), clean_query(fields.get("query", ""))
    kept = saved_views(_account_id(request), path=path, list_name=name) if path else []
    context = {
        "views": _shown(request, kept, query),
        "form": form,
        "deleted": deleted,
        "list_name": name,
        "list_title": fields.get("title", ""),
        "path": path,
        "query": query or "",
    }
    return render(request, "pages/_saved_views.html", context)


def _page(request: HttpRequest, *, deleted: SavedViewData | None = None, form: SaveViewForm | None = None) -> HttpResponse:
    fields = request.GET.dict()
    if form is None and fields.get("path"):
        form = SaveViewForm(initial=fields)
    context = {"views": _shown(request, saved_views(_account_id(request)), None), "deleted": deleted, "form": form}
    return render(request, "pages/saved_views.html", context, status=400 if form and form.errors else 200)


def _refused(request: HttpRequest, form: SaveViewForm) -> HttpResponse:
    return _menu(request, request.POST.dict(), form=form) if is_partial(request) else _page(request, form=form)
