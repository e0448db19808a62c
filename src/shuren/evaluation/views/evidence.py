"""The evidence of one pupil's score: for the pupil, the guardians and whoever else may open the report."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shuren.evaluation.rules.addresses import pupil_address
from shuren.evaluation.selectors.evidence import ScoreEvidence, score_evidence
from shuren.evaluation.selectors.runs import KIND
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound
from shuren.trust import api as trust


def _found(request: HttpRequest, run: str, person: str) -> ScoreEvidence:
    return score_evidence(
        actor=actor_of(request), run_id=ids.decode(KIND, run), person_id=ids.decode("person", person), now=clock.now()
    )


@never_cache
@require_GET
def score_page(request: HttpRequest, run: str, person: str) -> HttpResponse:
    found = _found(request, run, person)
    report_url = pupil_address(run, person)
    context = {
        "found": found,
        "place": found.proof.leaf_index + 1 if found.proof else 0,
        "original_url": reverse("evaluation:score_original", args=[run, person]),
        "proof_url": reverse("evaluation:score_proof", args=[run, person]),
        "breadcrumbs": [{"label": found.title, "url": report_url}, {"label": _("成绩存证"), "url": ""}],
    }
    return render(request, "evaluation/evidence.html", context)


@sensitive_files()
@never_cache
@require_GET
def original_file(request: HttpRequest, run: str, person: str) -> HttpResponse:
    found = _found(request, run, person)
    _record_download(request, person, run, "original")
    return _file(found.original, f"{found.title} {found.pupil_name}.json")


@sensitive_files()
@never_cache
@require_GET
def proof_file(request: HttpRequest, run: str, person: str) -> HttpResponse:
    found = _found(request, run, person)
    if found.proof is None:
        raise NotFound(_("还没有这份证明。"), remedy=_("报告生成后一两分钟内记入，请稍后再来。"))
    _record_download(request, person, run, "proof")
    return _file(trust.proof_as_json(found.proof).encode(), f"{found.title} {found.pupil_name} proof.json")


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/json")
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def _record_download(request: HttpRequest, person: str, run: str, form: str) -> None:
    audit.record(
        actor=actor_of(request),
        action="evaluation.evidence_downloaded",
        target=f"person:{ids.decode('person', person)}",
        details={"run": ids.decode(KIND, run), "form": form},
        now=clock.now(),
    )
