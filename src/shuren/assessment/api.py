"""The face of assessment: tests, their items and the responses to them."""

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

__all__ = [
    "access_assessment",
    "assessment_id_of_code",
    "assessment_state",
    "assessments_by_ids",
    "item_results",
    "items_of",
    "participation_of",
    "responses_of",
    "responses_of_person",
    "stream_responses",
]
