"""A role and a place in a class end by the same rules."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from shuren.directory import api
from shuren.directory.data import CountKind
from shuren.directory.models import Affiliation, Enrollment
from shuren.directory.tests.conftest import BEGUN, NOW, Region
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid

TODAY = day_of(NOW)
Tie = Affiliation | Enrollment


def end_role(row: Tie, end_date: date | None = None) -> None:
    api.end_affiliation(actor=SYSTEM, affiliation_id=row.pk, end_date=end_date, now=NOW)


def end_place(row: Tie, end_date: date | None = None) -> None:
    api.end_enrollment(actor=SYSTEM, enrollment_id=row.pk, end_date=end_date, now=NOW)


@pytest.mark.parametrize(("model", "end", "counted"), [(Affiliation, end_role, "school"), (Enrollment, end_place, "class1")])
class TestEnding:
    def test_today_unless_said_otherwise(self, region: Region, model: type[Tie], end: Callable[..., None], counted: str) -> None:
        row = model._default_manager.get(person_id=region.person["pupil"])
        before = api.count_of(region.org_ids[counted], CountKind.PUPILS)
        end(row)
        row.refresh_from_db()
        assert row.end_date == TODAY
        assert api.count_of(region.org_ids[counted], CountKind.PUPILS) == before - 1
        with pytest.raises(Conflict):
            end(row)
        with pytest.raises(Conflict):
            end(row, TODAY + timedelta(days=1))

    def test_what_ends_later_is_counted_till_then(
        self, region: Region, model: type[Tie], end: Callable[..., None], counted: str
    ) -> None:
        row = model._default_manager.get(person_id=region.person["pupil"])
        before = api.count_of(region.org_ids[counted], CountKind.PUPILS)
        end(row, TODAY + timedelta(days=30))
        assert api.count_of(region.org_ids[counted], CountKind.PUPILS) == before
        end(row, TODAY)
        assert api.count_of(region.org_ids[counted], CountKind.PUPILS) == before - 1

    def test_never_before_it_began(self, region: Region, model: type[Tie], end: Callable[..., None], counted: str) -> None:
        row = model._default_manager.get(person_id=region.person["pupil"])
        with pytest.raises(Invalid):
            end(row, BEGUN - timedelta(days=1))
        row.refresh_from_db()
        assert row.end_date is None
