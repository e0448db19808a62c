"""What tests of learning records share."""

from collections.abc import Callable

import pytest
from tests.cast import Cast, build_cast

from shuren.kernel.models import AuditEntry


@pytest.fixture
def cast(db: None) -> Cast:
    return build_cast()


@pytest.fixture
def audited() -> Callable[[], list[str]]:
    """Return a function that lists the actions of this app in the audit trail, oldest first."""
    return lambda: list(AuditEntry.objects.filter(action__startswith="records.").order_by("id").values_list("action", flat=True))
