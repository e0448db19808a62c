"""Show a person's sealed facts to somebody who may see them; every showing is written down."""

from datetime import datetime

from django.db import transaction

from shuren.directory.data import Permission
from shuren.directory.selectors.people import person_row_for
from shuren.directory.services.seal_national_id import opened
from shuren.kernel import audit
from shuren.kernel.data import Actor


@transaction.atomic
def reveal_national_id(*, actor: Actor, person_id: int, now: datetime, reason: str = "") -> str:
    """The national id in the clear, or an empty text where none is kept. The reading is audited before it is shown."""
    person = person_row_for(actor=actor, id=person_id, permission=Permission.VIEW_SENSITIVE, now=now)
    details = {"element": "national_id", "reason": reason}
    audit.record(actor=actor, action="directory.sensitive_read", target=f"person:{person.pk}", details=details, now=now)
    return opened(bytes(person.national_id_sealed)) if person.national_id_sealed else ""
