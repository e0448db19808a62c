"""The delivery log."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.interop.data import DeliveryData, DeliveryStatus, EventType
from shuren.interop.models import App, Delivery
from shuren.kernel import ids
from shuren.kernel.errors import NotFound


def delivery_data(row: Delivery) -> DeliveryData:
    return DeliveryData(
        id=row.pk,
        public_id=ids.encode("delivery", row.pk),
        message_id=row.message_id,
        event=EventType(row.event),
        subject=row.subject,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        answer=row.answer,
        error=row.error,
        created_at=row.created_at,
        next_at=row.next_at,
        delivered_at=row.delivered_at,
    )


def deliveries_of(app: App, *, status: str = "") -> QuerySet[Delivery]:
    """Messages to an app the caller has accessed, newest first."""
    rows = Delivery.objects.filter(app=app).order_by("-id")
    return rows.filter(status=status) if status in {value.value for value in DeliveryStatus} else rows


def delivery_of(app: App, id: int) -> Delivery:
    """One message to an app the caller has accessed; another app's answers `NotFound`."""
    row = Delivery.objects.filter(app=app, pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这条消息。"))
    return row
