"""An app's own messages: read the log, send again, try one."""

from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from shuren.interop.data import DeliveryData, DeliveryStatus, EventType
from shuren.interop.models import App
from shuren.interop.rest.callers import ERRORS, calling_app
from shuren.interop.selectors.messages import deliveries_of, delivery_data, delivery_of
from shuren.interop.services.deliver import replay_delivery
from shuren.interop.services.emit import ping_app
from shuren.interop.services.serve_crypto import actor_of_app
from shuren.kernel import clock, ids
from shuren.kernel.errors import Conflict
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["webhooks"])


class DeliveryOut(Schema):
    """One message: `answer` is the HTTP status the app gave, `error` why nobody answered."""

    id: str
    message_id: str
    event: EventType
    status: DeliveryStatus
    attempts: int
    answer: int | None
    error: str
    created_at: datetime
    next_at: datetime | None
    delivered_at: datetime | None


class DeliveryPage(Schema):
    """One page of messages, newest first; `total` is a lower bound where `is_exact` is false."""

    rows: list[DeliveryOut]
    total: int
    is_exact: bool
    page: int


class DeliveryQuery(Schema):
    """Which messages: one status, or all; which page, from 1, at most 200 long."""

    status: DeliveryStatus | None = None
    page: int = 1
    size: int = 50


@router.get(
    "/deliveries", response={200: DeliveryPage, **ERRORS}, operation_id="list_deliveries", summary="Messages to the calling app"
)
def list_deliveries(request: HttpRequest, asked: Query[DeliveryQuery]) -> DeliveryPage:
    """The delivery log of the app behind the token."""
    row = _row(request)
    rows = deliveries_of(row, status=asked.status.value if asked.status else "")
    page = page_of(rows, delivery_data, number=max(1, asked.page), size=min(max(1, asked.size), SIZES[-1]))
    return DeliveryPage(rows=[_out(found) for found in page.rows], total=page.total, is_exact=page.is_exact, page=page.number)


@router.get(
    "/deliveries/{delivery_id}", response={200: DeliveryOut, **ERRORS}, operation_id="read_delivery", summary="One message"
)
def read_delivery(request: HttpRequest, delivery_id: str) -> DeliveryOut:
    """404 for a message of another app."""
    return _out(delivery_data(delivery_of(_row(request), ids.decode("delivery", delivery_id))))


@router.post(
    "/deliveries/{delivery_id}/replay",
    response={200: DeliveryOut, **ERRORS},
    operation_id="replay_delivery",
    summary="Send a message again",
)
def replay(request: HttpRequest, delivery_id: str) -> DeliveryOut:
    """Under the same `webhook-id`, so that a receiver that has it can tell; 409 while it is still waiting."""
    row = _row(request)
    found = delivery_of(row, ids.decode("delivery", delivery_id))
    replay_delivery(actor=actor_of_app(calling_app(request)), delivery=found, now=clock.now())
    return _out(delivery_data(delivery_of(row, found.pk)))


@router.post("/ping", response={200: DeliveryOut, **ERRORS}, operation_id="ping_webhook", summary="Send a trial message")
def ping(request: HttpRequest) -> DeliveryOut:
    """409 where the app is not listed yet or has no webhook address; at most one a second."""
    row, now = _row(request), clock.now()
    sent = ping_app(app_id=row.pk, now=now)
    if sent is None:
        raise Conflict(_("没有发送：应用还没有上架，或者没有登记消息通知网址。"))
    return _out(delivery_data(delivery_of(row, sent)))


def _row(request: HttpRequest) -> App:
    return App.objects.get(pk=calling_app(request).id)


def _out(found: DeliveryData) -> DeliveryOut:
    return DeliveryOut(
        id=found.public_id,
        message_id=found.message_id,
        event=found.event,
        status=found.status,
        attempts=found.attempts,
        answer=found.answer,
        error=found.error,
        created_at=found.created_at,
        next_at=found.next_at,
        delivered_at=found.delivered_at,
    )
