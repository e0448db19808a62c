"""OpenLineage's own address: what other systems read and wrote."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Router, Schema

from shuren.datahub.services.take_openlineage import take_openlineage
from shuren.identity.api import actor_of
from shuren.kernel import clock

router = Router(tags=["lineage"])


class TakenOut(Schema):
    """Whether the event is new; one that came before changes nothing."""

    is_new: bool


@router.post(
    "/lineage",
    response={201: TakenOut, 200: TakenOut},
    operation_id="report_lineage",
    summary="Report an OpenLineage event",
)
def report_lineage(request: HttpRequest, event: Annotated[dict[str, Any], Body()]) -> tuple[int, TakenOut]:
    """A RunEvent, JobEvent or DatasetEvent; facets that are not known are kept. 422 for what is none of them."""
    is_new = take_openlineage(actor=actor_of(request), body=event, now=clock.now())
    return (201 if is_new else 200), TakenOut(is_new=is_new)
