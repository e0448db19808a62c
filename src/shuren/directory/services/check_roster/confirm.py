"""A person confirms that many rows will end."""

from datetime import datetime

from shuren.intake.api import import_dir
from shuren.kernel import audit
from shuren.kernel.data import Actor


def confirm_roster(*, actor: Actor, import_id: int, now: datetime) -> None:
    """Let an import be applied although more than one row in twenty of some kind would end.

    Callers have asked `intake.api.access_import`.
    """
    (import_dir(import_id) / "confirmed").write_text(actor.name, encoding="utf-8")
    audit.record(actor=actor, action="directory.roster_confirmed", target=f"import:{import_id}", now=now)
