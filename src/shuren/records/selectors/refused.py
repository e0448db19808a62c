"""Requests that were refused, by day and client."""

from django.db.models import QuerySet

from shuren.records.data import StatementFilter
from shuren.records.models import RefusedRequest


def refused_requests(asked: StatementFilter) -> QuerySet[RefusedRequest]:
    """The newest day first. They belong to no branch: whoever does not see the whole region sees none."""
    rows = RefusedRequest.objects.order_by("-day", "-count", "client_id", "status")
    if asked.paths is not None:
        return rows.none()
    if asked.since is not None:
        rows = rows.filter(day__gte=asked.since)
    if asked.until is not None:
        rows = rows.filter(day__lte=asked.until)
    return rows.filter(client_id=asked.client_id) if asked.client_id else rows
