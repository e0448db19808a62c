"""The door's plain SQL and the page of hats give the same roles."""

import random

import pytest

from shuren.directory import api
from shuren.directory.data import Role
from shuren.directory.models import Affiliation, Enrollment, GuardianLink, PendingRoster, Person
from shuren.directory.tests.conftest import NOW, Region
from shuren.directory.tests.test_viewers import shaken

PENDING = 77


@pytest.mark.parametrize("seed", range(6))
def test_whatever_somebody_holds_the_door_finds_the_hats_they_may_wear(region: Region, seed: int) -> None:
    draw = random.Random(seed)
    shaken(draw, region)
    PendingRoster.objects.create(import_id=PENDING, begun_at=NOW)
    for table in (Affiliation, Enrollment, GuardianLink):
        for row in table.objects.all():
            if draw.random() < 0.2:
                table.objects.filter(pk=row.pk).update(import_id=draw.choice([PENDING, PENDING + 1]))
    for person_id in Person.objects.values_list("pk", flat=True):
        held = {option.role for option in api.role_options(person_id, now=NOW)}
        asked = frozenset(draw.sample(list(Role), draw.randint(0, 5)))
        assert api.roles_among(person_id, frozenset(Role), now=NOW) == held
        assert api.roles_among(person_id, asked, now=NOW) == held & asked
