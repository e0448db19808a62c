"""The face of assessment: tests, their items and the responses to them."""

from shuren.assessment.rules.words import TableKind
from shuren.assessment.selectors.assessments import (
    access_assessment,
    assessment_id_of_code,
    assessment_state,
    assessments_by_ids,
    item_results,
    items_of,
    participation_of,
)
from shuren.assessment.selectors.responses import responses_of, responses_of_person, stream_responses
from shuren.assessment.services.package import write_package
from shuren.assessment.services.simulate import SimulatedTest, TrueValues, simulate_results
from shuren.assessment.services.template import results_template

__all__ = [
    "SimulatedTest",
    "TableKind",
    "TrueValues",
    "access_assessment",
    "assessment_id_of_code",
    "assessment_state",
    "assessments_by_ids",
    "item_results",
    "items_of",
    "participation_of",
    "responses_of",
    "responses_of_person",
    "results_template",
    "simulate_results",
    "stream_responses",
    "write_package",
]
