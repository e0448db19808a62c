"""What everybody sees: the apps of one's school, and opening one; and the page on which a school chooses."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.interop.data import AppStatus, LaunchKind
from shuren.interop.forms import CATEGORIES, ChooseForm
from shuren.interop.models import App, Installation, Listing
from shuren.interop.rules.entries import asks_for_more, needs_consent
from shuren.interop.selectors.apps import access_app, app_data, entry_of, installations_at, listings_for
from shuren.interop.selectors.lti import seats_of
from shuren.interop.selectors.people import paths_of
from shuren.interop.services.choose import install_app, remove_app
from shuren.interop.services.launch import launch_app
from shuren.interop.views.asked import app_id_in, form_page, issuer_of, posted
from shuren.interop.views.developer_pages import entry_facts, wish_rows
from shuren.interop.views.words import app_status
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound, Refused


def app_url(app_id: int, page: str, *more: str) -> str:
    return reverse(f"interop:{page}", args=[*more, ids.encode("app", app_id)])


@never_cache
@require_safe
def apps(request: HttpRequest) -> HttpResponseBase:
    """The apps chosen where the reader learns, teaches or works, or where their children learn."""
    actor, now = actor_of(request), clock.now()
    rows = installations_at(paths_of(actor, now=now))
    is_english = (get_language() or "").startswith("en")
    shown: dict[int, dict[str, object]] = {}
    for row in rows:
        app = app_data(row.app)
        if app.status is AppStatus.DELISTED:
            continue
        shown[app.id] = {
            "app": app,
            "name": app.name_en if is_english else app.name,
            "description": row.version.description_en if is_english else row.version.description,
            "category": CATEGORIES[app.category],
            "status": app_status(app),
            "launch_url": app_url(app.id, "launch"),
            "icon_url": app_url(app.id, "icon"),
            "is_example": row.app.is_example,
        }
    scope = directory.scope_of(actor=actor, permission=Permission.CHOOSE_APPS, now=now)
    context = {
        "title": _("应用"),
        "apps": list(shown.values()),
        "may_choose": bool(scope.paths),
        "has_class": bool(seats_of(actor, now=now)),
    }
    return render(request, "interop/apps.html", context)


@never_cache
@require_safe
def launch(request: HttpRequest, app_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    if actor.person_id is None:
        raise Refused(_("这个账号不属于任何人，不能打开应用。"))
    app, url = launch_app(
        app_id=app_id_in(app_id),
        person_id=actor.person_id,
        paths=paths_of(actor, now=now),
        issuer=issuer_of(request),
        now=now,
    )
    if app.kind is LaunchKind.LTI:
        return redirect("interop:lti_classes")
    response = HttpResponse(status=302, headers={"Location": url})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@cache_control(private=True, max_age=3600)
@require_safe
def icon(request: HttpRequest, app_id: str) -> HttpResponseBase:
    row = App.objects.select_related("current").filter(pk=app_id_in(app_id)).first()
    if row is None or row.current is None or not row.current.icon:
        raise NotFound(_("没有找到这个图标。"))
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    return HttpResponse(bytes(row.current.icon), content_type="image/png", headers=headers)


@never_cache
@require_safe
def choose(request: HttpRequest) -> HttpResponseBase:
    """Start at the first org for which the reader may choose."""
    scope = directory.scope_of(actor=actor_of(request), permission=Permission.CHOOSE_APPS, now=clock.now())
    if not scope.paths:
        raise Refused(_("您当前的身份不能为学校选用应用。"), remedy=_("请联系校长或学校管理员。"))
    top = int(scope.paths[0].rstrip("/").rsplit("/", 1)[-1])
    return redirect("interop:choose_at", org_id=ids.encode("org", top))


def _org(request: HttpRequest, org_id: str) -> OrgData:
    return directory.access_org(
        actor=actor_of(request), id=ids.decode("org", org_id), permission=Permission.CHOOSE_APPS, now=clock.now()
    )


@never_cache
@require_safe
def choose_at(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """What is listed for an org, and what it uses: two indexed queries, however large the region."""
    org = _org(request, org_id)
    used = {row.app_id: row for row in installations_at([org.path])}
    listed = {row.app_id: row for row in listings_for(org.path)}
    lines = [_line(org, listed.get(app_id), used.get(app_id)) for app_id in dict.fromkeys([*listed, *used])]
    context = {
        "title": _("选用应用"),
        "org": org,
        "lines": sorted(lines, key=lambda line: (not line["is_used"], str(line["name"]))),
        "breadcrumbs": _choose_trail(org),
    }
    return render(request, "interop/choose.html", context)


def _line(org: OrgData, listing: Listing | None, used: Installation | None) -> dict[str, object]:
    found = listing or used
    assert found is not None
    app = app_data(found.app)
    is_own = used is not None and used.org_id == org.id
    return {
        "name": app.name,
        "vendor": app.vendor_name,
        "category": CATEGORIES[app.category],
        "status": app_status(app),
        "is_used": used is not None,
        "is_own": is_own,
        "has_newer": is_own and listing is not None and used is not None and listing.version_id != used.version_id,
        "url": app_url(app.id, "choose_app", org.public_id),
        "icon_url": app_url(app.id, "icon"),
    }


def _choose_trail(org: OrgData, here: str = "") -> list[dict[str, str]]:
    crumbs = [
        {"label": _("应用"), "url": reverse("interop:apps")},
        {"label": org.name, "url": reverse("interop:choose_at", args=[org.public_id])},
    ]
    return [*crumbs, {"label": here, "url": ""}] if here else crumbs


@require_step_up(Purpose.CONNECTIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def choose_app(request: HttpRequest, org_id: str, app_id: str) -> HttpResponseBase:
    """Which data an app asks for, what for, and which of it needs consent; then the school's choice."""
    actor, now = actor_of(request), clock.now()
    org = _org(request, org_id)
    row = access_app(actor=actor, id=app_id_in(app_id), permission=Permission.CHOOSE_APPS, now=now)
    listing = next((found for found in reversed(listings_for(org.path)) if found.app_id == row.pk), None)
    used = next((found for found in installations_at([org.path]) if found.app_id == row.pk and found.org_id == org.id), None)
    version = listing.version if listing else used.version if used else None
    if version is None:
        raise NotFound(_("这个应用没有在您所在的地区上架。"))
    entry = entry_of(version)
    form = ChooseForm(posted(request))

    def save() -> str:
        install_app(actor=actor, app_id=row.pk, org_id=org.id, has_read_data=form.cleaned_data["has_read_data"], now=now)
        messages.success(request, _("已选用。"))
        return reverse("interop:choose_at", args=[org.public_id])

    is_newer = used is not None and listing is not None and used.version_id != listing.version_id
    more = {
        "org": org,
        "facts": entry_facts(entry),
        "wishes": wish_rows(entry),
        "needs_consent": needs_consent(entry.wishes),
        "asks_more": used is not None and is_newer and asks_for_more(entry, entry_of(used.version)),
        "is_used": used is not None,
        "may_use": listing is not None and row.status == AppStatus.ACTIVE and (used is None or is_newer),
        "remove_url": app_url(row.pk, "remove_app", org.public_id) if used else "",
        "description": entry.description,
        "state": app_status(app_data(row)),
    }
    submit = _("同意新的数据要求") if used else _("在%(org)s选用") % {"org": org.short_name or org.name}
    back = reverse("interop:choose_at", args=[org.public_id])
    return form_page(
        request,
        form,
        save,
        title=entry.name,
        submit=submit,
        back=back,
        breadcrumbs=_choose_trail(org, entry.name),
        template="interop/choose_app.html",
        more=more,
    )


@require_POST
def remove(request: HttpRequest, org_id: str, app_id: str) -> HttpResponseBase:
    org = _org(request, org_id)
    remove_app(actor=actor_of(request), app_id=app_id_in(app_id), org_id=org.id, now=clock.now())
    messages.success(request, _("已停用。"))
    return redirect("interop:choose_at", org_id=org_id)
