"""Reading what is graded L4 is written down."""

from datetime import datetime

from django.db import transaction

from shuren.casework.models import Entry
from shuren.kernel import audit
from shuren.kernel.data import Actor


@transaction.atomic
def record_sensitive_read(*, actor: Actor, entry: Entry, now: datetime) -> None:
    """Somebody saw an entry whole that holds what is graded L4."""
    details = {"register": entry.register.key, "revision": entry.revision}
    audit.record(actor=actor, action="casework.sensitive_entry_read", target=f"entry:{entry.pk}", details=details, now=now)
