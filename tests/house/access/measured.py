"""Assessments, evaluations, reports and the API."""

from tests.cast import Cast
from tests.house.access.frame import (
    ADMINS,
    EVERYBODY,
    FAMILY_AND_SCHOOL,
    KNOWERS,
    NOBODY,
    READERS,
    ROOT,
    Address,
    Area,
    act,
    call,
    form,
    page,
    roles,
)
from tests.house.access.portal import portal_places
from tests.measured import measure

MEASURED: dict[str, Address] = {
    "assessment:assessments": page(EVERYBODY),
    "assessment:assessment": page(READERS, ROOT, public_id="assessment"),
    "assessment:participation": page(READERS, ROOT, public_id="assessment"),
    "assessment:codebook": page(READERS, ROOT, public_id="assessment"),
    "evaluation:runs": page(EVERYBODY),
    "evaluation:declare": form(roles("city_officer province_officer"), ROOT, 403, 404, assessment="assessment"),
    "evaluation:run": page(READERS, ROOT, run="run"),
    "evaluation:start": act(roles("city_officer province_officer"), ROOT, run="run"),
    "evaluation:report": page(READERS, ROOT, run="run", org="org"),
    "evaluation:report_file": page(READERS, ROOT, run="run", org="org", form="file"),
    "evaluation:pupil": page(FAMILY_AND_SCHOOL, run="run", person="person"),
    "evaluation:pupil_file": page(FAMILY_AND_SCHOOL, run="run", person="person", form="file"),
    "evaluation:score_evidence": page(FAMILY_AND_SCHOOL, run="run", person="person"),
    "evaluation:score_original": page(FAMILY_AND_SCHOOL, run="run", person="person"),
    "evaluation:score_proof": page(FAMILY_AND_SCHOOL, granted=404, run="run", person="person"),  # nothing lies in the log yet
    "api-v1:openapi-json": call(EVERYBODY),
    "api-v1:me": call(EVERYBODY),
    "api-v1:list_orgs": call(EVERYBODY),
    "api-v1:read_org": call(EVERYBODY - roles("parent"), ROOT | ADMINS, org_id="org"),
    "api-v1:list_org_people": call(EVERYBODY - roles("parent"), ROOT | ADMINS, org_id="org"),
    "api-v1:list_people": call(EVERYBODY),
    "api-v1:read_person": call(KNOWERS, ROOT, person_id="person"),
    "api-v1:list_assessments": call(EVERYBODY),
    "api-v1:read_assessment": call(READERS, ROOT, assessment_id="assessment"),
    "api-v1:list_items": call(READERS, ROOT, assessment_id="assessment"),
    "api-v1:list_runs": call(EVERYBODY),
    "api-v1:show_run": call(READERS, ROOT, run="run"),
    "api-v1:show_report": call(READERS, ROOT, run="run", org="org"),
    "api-v1:show_pupil": call(FAMILY_AND_SCHOOL, run="run", person="person"),
    "api-v1:api-root": call(NOBODY),
}


def measured_places(cast: Cast) -> dict[str, tuple[str, str]]:
    near = measure(
        cast,
        "near",
        "city",
        {"class": ("school", "county"), "west_class": ("west_school", "other_county")},
        {"pupil": "class", "classmate": "class", "west_pupil": "west_class"},
    )
    far = measure(cast, "far-off", "other_city", {"far_class": ("far_school", "far_county")}, {"far_pupil": "far_class"})
    return portal_places(cast) | {"assessment": (near.assessment, far.assessment), "run": (near.run, far.run)}


AREA = Area(MEASURED, measured_places)
