"""The face of messaging: tell people something, and show them what they were told."""

from shuren.messaging.selectors import access_notice, notices_of, unread_count
from shuren.messaging.services import mark_read, notify

__all__ = ["access_notice", "mark_read", "notices_of", "notify", "unread_count"]
