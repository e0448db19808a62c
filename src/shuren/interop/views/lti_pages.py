"""Tools of one's classes: what hangs there, what a teacher may add, and how far the pupils are."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData
from shuren.identity.api import actor_of
from shuren.interop.data import ActivityProgress, GradingProgress, ResultData, Seat
from shuren.interop.selectors.apps import apps_by_ids
from shuren.interop.selectors.lti import (
    access_class,
    columns_of_class,
    links_of_classes,
    origins_of_tools,
    places_of,
    result_data,
    results_of,
    tools_of_class,
)
from shuren.interop.services.lti.links import remove_link
from shuren.kernel import clock, ids

_ACTIVITY = {
    ActivityProgress.INITIALIZED: gettext_lazy("没有开始"),
    ActivityProgress.STARTED: gettext_lazy("已打开"),
    ActivityProgress.IN_PROGRESS: gettext_lazy("正在做"),
    ActivityProgress.SUBMITTED: gettext_lazy("已交"),
    ActivityProgress.COMPLETED: gettext_lazy("做完了"),
}


@never_cache
@require_safe
def classes(request: HttpRequest) -> HttpResponseBase:
    """The reader's classes; somebody with one class comes straight to it."""
    places = places_of(actor_of(request), now=clock.now())
    if len(places) == 1:
        return redirect("interop:lti_class", class_id=places[0].org.public_id)
    links = links_of_classes([place.org.id for place in places])
    lines = [
        {
            "name": place.org.name,
            "url": reverse("interop:lti_class", args=[place.org.public_id]),
            "count": sum(link.class_id == place.org.id for link in links),
        }
        for place in places
    ]
    crumbs = [{"label": _("应用"), "url": reverse("interop:apps")}, {"label": _("班级工具"), "url": ""}]
    return render(request, "interop/lti_classes.html", {"title": _("班级工具"), "lines": lines, "breadcrumbs": crumbs})


def _trail(org: OrgData, here: str = "") -> list[dict[str, str]]:
    own = reverse("interop:lti_class", args=[org.public_id]) if here else ""
    crumbs = [{"label": _("班级工具"), "url": reverse("interop:lti_classes")}, {"label": org.name, "url": own}]
    return [*crumbs, {"label": here, "url": ""}] if here else crumbs


@never_cache
@require_safe
def tools(request: HttpRequest, class_id: str) -> HttpResponseBase:
    """One class: pupils open, teachers also add and remove.

    Tools open in a window of their own: browsers shut third-party cookies out of frames. The page stays open behind it
    and keeps the tool's state for it (LTI Client Side postMessages), so the window must stay tied to this one.
    """
    place = access_class(actor=actor_of(request), id=ids.decode("org", class_id), now=clock.now())
    running = {tool.id: tool for tool in tools_of_class(place.org.path)}
    links = links_of_classes([place.org.id])
    names = apps_by_ids({link.app_id for link in links})
    is_teaching = place.seat is Seat.TEACHER
    lines = [
        {
            "title": link.title,
            "text": link.text,
            "tool": names[link.app_id].name,
            "icon_url": reverse("interop:icon", args=[ids.encode("app", link.app_id)]),
            "url": reverse("interop:lti_start", args=[link.public_id]) if link.app_id in running else "",
            "window": f"tool-{link.public_id}",
            "remove_url": reverse("interop:lti_remove", args=[link.public_id]) if is_teaching else "",
        }
        for link in links
    ]
    offered = [
        {"name": tool.name, "url": reverse("interop:lti_choose", args=[place.org.public_id, tool.public_id])}
        for tool in running.values()
    ]
    added = request.GET.get("added", "")
    context = {
        "title": _("%(name)s的工具") % {"name": place.org.name},
        "lines": lines,
        "offered": offered if is_teaching else [],
        "is_teaching": is_teaching,
        "added": int(added) if added.isdecimal() and len(added) < 4 else None,
        "scores_url": reverse("interop:lti_scores", args=[place.org.public_id]) if is_teaching else "",
        "origins": " ".join(origins_of_tools(running)),
        "breadcrumbs": _trail(place.org),
    }
    response = render(request, "interop/lti_class.html", context)
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return response


@require_POST
def remove(request: HttpRequest, link_id: str) -> HttpResponseBase:
    class_id = remove_link(actor=actor_of(request), link_id=ids.decode("lti_link", link_id), now=clock.now())
    messages.success(request, _("已移走，学生不会再看到它。"))
    return redirect("interop:lti_class", class_id=ids.encode("org", class_id))


@never_cache
@require_safe
def scores(request: HttpRequest, class_id: str) -> HttpResponseBase:
    """What the tools of a class say about each pupil; a score that is not final says so."""
    now = clock.now()
    place = access_class(actor=actor_of(request), id=ids.decode("org", class_id), now=now, is_teaching=True)
    columns = columns_of_class(place.org.id)
    rows = directory.enrollments_of_paths([place.org.path], role=EnrollmentRole.STUDENT, day=clock.day_of(now))
    pupils = directory.people_by_ids({row.person_id for row in rows if row.class_id == place.org.id})
    found = [result_data(row) for row in results_of([column.pk for column in columns], person_ids=list(pupils))]
    by_cell = {(result.person_id, result.line_item_id): result for result in found}
    lines = [
        {"name": pupil.name, "cells": _cells([by_cell.get((pupil.id, column.pk)) for column in columns])}
        for pupil in sorted(pupils.values(), key=lambda pupil: (pupil.number, pupil.id))
    ]
    context = {
        "title": _("工具里的成绩"),
        "columns": [
            {
                "label": column.label,
                "tool": column.app.current.name if column.app.current else column.app.name,
                "maximum": _points(column.score_maximum),
            }
            for column in columns
        ],
        "lines": lines,
        "breadcrumbs": _trail(place.org, _("成绩")),
    }
    return render(request, "interop/lti_scores.html", context)


def _points(value: float) -> str:
    """At most two decimals, and none that say nothing."""
    return str(number_format(f"{value:.2f}".rstrip("0").rstrip(".")))


def _cells(results: Sequence[ResultData | None]) -> list[dict[str, object]]:
    return [_cell(result) if result else {} for result in results]


def _cell(result: ResultData) -> dict[str, object]:
    is_final = result.grading is GradingProgress.FULLY_GRADED
    score = _points(result.score) if result.score is not None else ""
    return {"score": score, "note": "" if is_final and score else str(_ACTIVITY[result.activity]), "comment": result.comment}
