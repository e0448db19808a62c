"""What a batch of first passwords keeps to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from shuren.directory.data import OrgType, Role
from shuren.identity.data import BatchReach, Recipients

# A sealed file that nobody took is gone after this.
KEPT_FOR = timedelta(hours=24)
# Larger orgs get several files: what is drawn at once stays small, and so does what a kill costs.
MAX_PART = 200
STAFF_ROLES = frozenset(Role) - {Role.PUPIL, Role.PARENT}
# Hashing for a batch rests this many times as long as it works, so that people who sign in meanwhile find a free core.
REST = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of somebody's account when a batch meets them; a person without one has nothing."""

    is_usable: bool = False
    first_sign_in_at: datetime | None = None
    password_changed_at: datetime | None = None


def is_due(standing: Standing, *, reach: BatchReach, begun_at: datetime) -> bool:
    """Whether a batch begun at `begun_at` gives somebody a password.

    Not twice: a parent of two children stands in two classes, and a killed batch meets its people again.
    """
    if standing.is_usable and standing.password_changed_at is not None and standing.password_changed_at >= begun_at:
        return False
    if reach is BatchReach.NEW:
        return not standing.is_usable
    return reach is BatchReach.ALL or standing.first_sign_in_at is None


def recipients_at(org_type: OrgType, recipients: Collection[Recipients]) -> tuple[Recipients, ...]:
    """Whom an org of this kind holds itself: a class its pupils and their parents, every other org its staff."""
    held = (Recipients.PUPILS, Recipients.PARENTS) if org_type is OrgType.CLASS else (Recipients.STAFF,)
    return tuple(one for one in held if one in recipients)
