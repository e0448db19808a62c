"""The face of messaging: tell people something here or outside, and show them what they were told."""

from shuren.messaging.rules import masked_address
from shuren.messaging.selectors import access_notice, gateway_settings, notices_of, outbox, unread_count
from shuren.messaging.services.gateways import GatewayFailed, vendor_call, wecom_token
from shuren.messaging.services.notices import mark_read, notify
from shuren.messaging.services.outbox import letter_in, send, send_many

__all__ = [
    "GatewayFailed",
    "access_notice",
    "gateway_settings",
    "letter_in",
    "mark_read",
    "masked_address",
    "notices_of",
    "notify",
    "outbox",
    "send",
    "send_many",
    "unread_count",
    "vendor_call",
    "wecom_token",
]
