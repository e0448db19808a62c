from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from shuren.datahub.api import lineage_url
from shuren.directory.api import geometries_of
from shuren.evaluation.data import Level, Report
from shuren.evaluation.rules.addresses import file_address, pupil_file_address, run_address
from shuren.evaluation.rules.charts.points import suppression_note
from shuren.evaluation.rules.charts.pupil import pupil_charts
from shuren.evaluation.rules.charts.report import report_charts
from shuren.evaluation.rules.declaration import from_json
from shuren.evaluation.rules.lineage import report_of as asset_of
from shuren.evaluation.rules.words import level_names
from shuren.evaluation.selectors.pupils import PupilRow, pupil_report, pupils_of_class
from shuren.evaluation.selectors.reports import report_of
from shuren.evaluation.selectors.runs import KIND
from shuren.evaluation.views.runs import data_note
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.pages.data import IntervalScale, Reference

FORMS = ("pdf", "xlsx", "json")


@require_GET
def report_page(request: HttpRequest, run: str, org: str) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    report = report_of(actor=actor, run_id=ids.decode(KIND, run), org_id=ids.decode("org", org), now=now)
    pupils = pupils_of_class(actor=actor, report=report, now=now)
    charts = report_charts(report.body, _geometries(report))
    context = report_context(report) | {
        "charts": charts,
        "pupils": _pupil_rows(report, pupils),
        "pupil_scale": _pupil_scale(report, pupils),
        "files": [(form, file_address(run, org, form)) for form in FORMS],
        "lineage_url": lineage_url(asset_of(report.level), actor=actor, now=now),
    }
    return render(request, "evaluation/report.html", context)


@require_GET
def pupil_page(request: HttpRequest, run: str, person: str) -> HttpResponse:
    report = pupil_report(
        actor=actor_of(request), run_id=ids.decode(KIND, run), person_id=ids.decode("person", person), now=clock.now()
    )
    context = report_context(report) | {
        "charts": pupil_charts(report.body),
        "files": [(form, pupil_file_address(run, person, form)) for form in FORMS],
        "evidence_url": reverse("evaluation:score_evidence", args=[run, person]),
    }
    return render(request, "evaluation/pupil.html", context)


def report_context(report: Report) -> dict[str, Any]:
    """What page and print have in common."""
    body: Any = report.body
    context = {
        "report": report,
        "document": body,
        "run": report.run,
        "run_url": run_address(report.run.public_id),
        "breadcrumbs": [{"label": crumb.label, "url": crumb.url} for crumb in report.crumbs],
        "data_note": data_note(report.run),
        "body_class": "report kindly" if report.level is Level.PUPIL else "report",
    }
    if report.level is not Level.PUPIL:
        context |= {
            "suppression": suppression_note(body),
            "contrast_names": [f"contrast{at}" for at in range(len(body.get("contrasts", ())))],
            "has_hidden_items": any(row.get("is_suppressed") for row in body.get("items", ())),
            "has_item_quality": any("discrimination" in row for row in body.get("items", ())),
            "is_weighted": report.level in (Level.CITY, Level.DISTRICT) and abs(body.get("weight", 0) - body.get("n", 0)) >= 1,
        }
    return context


def _geometries(report: Report) -> dict[str, Any]:
    """Outlines of the units below, by public id; none of them where any has none, so that no map has holes."""
    body: Any = report.body
    children = [row["id"] for row in body["children"]]
    if not children or Level(body["children"][0]["level"]) is Level.CLASS:
        return {}
    by_public = {ids.decode("org", public_id): public_id for public_id in children if public_id}
    found = geometries_of(list(by_public))
    return {by_public[id]: geometry for id, geometry in found.items()} if len(found) == len(by_public) else {}


def _pupil_rows(report: Report, pupils: list[PupilRow]) -> list[dict[str, object]]:
    names = level_names(from_json(report.run.declaration).scale)
    return [
        {"name": one.name, "url": one.url, "level": names[one.level], "score": one.score, "low": one.low, "high": one.high}
        for one in pupils
    ]


def _pupil_scale(report: Report, pupils: list[PupilRow]) -> IntervalScale | None:
    """One scale for the pupils' intervals, marked by the cut scores; none without pupils."""
    if not pupils:
        return None
    cuts = [cut.score for cut in from_json(report.run.declaration).scale.cuts]
    return IntervalScale(
        low=min([*(one.low for one in pupils), *cuts]),
        high=max([*(one.high for one in pupils), *cuts]),
        marks=tuple(Reference(label="", value=cut) for cut in cuts),
    )
