"""The public hall: the catalogue of items and their guides, catchments, and progress without signing in."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.rules.hall import span_text, visits_text
from shuren.casework.selectors.hall import (
    Offered,
    Progress,
    case_to_follow,
    catchments_found,
    coming_year,
    item_named,
    items_offered,
    progress_of,
    stages_of_item,
    versions_of_item,
)
from shuren.casework.services.hall.rate import is_ratable
from shuren.casework.views.hall_forms import CatchmentForm, FollowForm
from shuren.casework.views.hall_parts import (
    AUDIENCES,
    LEVELS,
    TOPICS,
    forgive,
    light_status,
    may_follow,
    office_links,
    state_status,
    trail,
)
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import NotFound
from shuren.pages.api import posted
from shuren.pages.data import Fact


def item_url(key: str) -> str:
    return reverse("casework:hall_item", args=[key])


@open_door
@require_safe
def hall(request: HttpRequest) -> HttpResponse:
    """Items by topic; narrowed by whom they are for and by words."""
    audience = request.GET.get("for", "") if request.GET.get("for", "") in AUDIENCES else ""
    search = request.GET.get("q", "")[:60]
    found = items_offered(audience=audience, search=search)
    groups = [
        {"key": topic, "title": title, "items": [_line(one) for one in found if one.spec.topic == topic]}
        for topic, title in TOPICS.items()
    ]
    context = {
        "title": _("办事大厅"),
        "groups": [group for group in groups if group["items"]],
        "count": len(found),
        "search": search,
        "audience": audience,
        "audiences": [{"key": key, "title": title, "is_current": key == audience} for key, title in AUDIENCES.items()],
        "offices": office_links(actor_of(request), now=clock.now()),
    }
    return render(request, "casework/hall.html", context)


def _line(one: Offered) -> dict[str, str]:
    words = {"time": span_text(one.spec.promise), "visits": visits_text(one.spec.visits)}
    return {"title": str(one.spec.title), "url": item_url(one.spec.key), "note": _("%(time)s办结，%(visits)s") % words}


@open_door
@require_safe
def hall_item(request: HttpRequest, item_key: str) -> HttpResponse:
    """The guide of an item (办事指南)."""
    offered = item_named(item_key)
    spec = offered.spec
    facts = [
        Fact(label=_("谁可以办"), value="、".join(str(AUDIENCES[one]) for one in spec.for_whom)),
        Fact(label=_("承诺时限"), value=span_text(spec.promise)),
        Fact(label=_("法定时限"), value=span_text(spec.statutory)),
        Fact(label=_("收费"), value=str(spec.fee)),
        Fact(label=_("跑动次数"), value=visits_text(spec.visits)),
        Fact(label=_("办理层级"), value="、".join(str(LEVELS.get(level.value, level.value)) for level in spec.level)),
    ]
    if spec.certificate:
        facts.append(Fact(label=_("办理结果"), value=_("电子证照：%(name)s，可随时查验") % {"name": spec.certificate}))
    context = {
        "title": str(spec.title),
        "spec": spec,
        "facts": facts,
        "shared": [material for material in spec.materials if material.is_shared],
        "asked": [material for material in spec.materials if not material.is_shared],
        "stages": stages_of_item(spec),
        "versions": versions_of_item(offered.definition),
        "apply_url": reverse("casework:hall_apply", args=[spec.key]),
        "breadcrumbs": trail((str(spec.title), "")),
    }
    return render(request, "casework/hall_item.html", context)


@open_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: HttpRequest) -> HttpResponseBase:
    """Anybody with the number of a case and a proof sees its steps and dates."""
    form = FollowForm(posted(request), initial={"number": request.GET.get("number", "")[:30]})
    found: Progress | None = None
    can_rate = False
    status = 200
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["number"]
        if not may_follow(request, number):
            form.add_error(None, _("查得太快了，或者这个编号查错的次数太多。请稍后再试。"))
            status = 429
        else:
            try:
                case = case_to_follow(number=number, proof=form.cleaned_data["proof"])
                found, can_rate = progress_of(case, now=clock.now()), is_ratable(case, now=clock.now())
                form = FollowForm()
                forgive(number)
            except NotFound as error:
                form.add_error(None, str(error))
    context = {
        "title": _("查询办理进度"),
        "form": form,
        "found": found,
        "state": state_status(found.state) if found else None,
        "light": light_status(found.light) if found else None,
        "rate_url": reverse("casework:hall_rate_by_code") if can_rate else "",
        "breadcrumbs": trail((_("查询办理进度"), "")),
    }
    response = render(request, "casework/hall_progress.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex"
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


@open_door
@require_safe
def catchments(request: HttpRequest) -> HttpResponse:
    """Which school a community belongs to, and the way to register there."""
    year = coming_year(clock.day_of(clock.now()))
    form = CatchmentForm(request.GET or None)
    word = form.cleaned_data["word"] if form.is_valid() else ""
    found = catchments_found(year=year, word=word) if word.strip() else []
    lines = [
        {
            "community": entry.data.get("community", ""),
            "numbers": _house_numbers(entry.data),
            "stage": _("小学一年级") if entry.data.get("stage") == "primary" else _("初中一年级"),
            "school": org.name if org else "",
            "remark": entry.data.get("remark", ""),
        }
        for entry, org in found
    ]
    context = {
        "title": _("学区查询"),
        "form": form,
        "word": word,
        "year": year,
        "lines": lines,
        "breadcrumbs": trail((_("学区查询"), "")),
    }
    return render(request, "casework/hall_catchments.html", context)


def _house_numbers(data: dict[str, object]) -> str:
    if data.get("house_from") and data.get("house_to"):
        return _("%(first)s 号至 %(last)s 号") % {"first": data["house_from"], "last": data["house_to"]}
    return _("全部")
