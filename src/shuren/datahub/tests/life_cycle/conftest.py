"""A dataset of the county with a partition of long ago and one of this year, and three people who keep its data."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.cast import Cast

from shuren.datahub.api import offer_dataset, write_partition
from shuren.datahub.data import DatasetSpec, LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.datahub.models import Destruction
from shuren.datahub.services.life_cycle.decide import approve_destruction, propose_destruction
from shuren.datahub.services.life_cycle.plan import follow_life_cycles
from shuren.datahub.services.life_cycle.set_rule import set_life_cycle
from shuren.kernel.data import SYSTEM

NAME = "probe.living"
ARCHIVED = LifeCycle(
    basis="shortest",
    counted_from=LifeCycleStart.PARTITION,
    in_use_days=200,
    then=LifeCycleEnd.ARCHIVE,
    archived_days=3_000,
)
DESTROYED = replace(ARCHIVED, then=LifeCycleEnd.DESTROY, archived_days=None)


@dataclass(frozen=True)
class Keeper:
    """The cast with a dataset of the county, and short ways through its life."""

    cast: Cast

    def rule(self, told: LifeCycle, who: str = "county_officer") -> None:
        set_life_cycle(actor=self.cast.actor(who), dataset=NAME, told=told, now=self.cast.now)

    def look(self) -> dict[str, int]:
        return dict(follow_life_cycles(now=self.cast.now))

    def planned(self) -> Destruction:
        self.rule(DESTROYED)
        self.look()
        return Destruction.objects.get(dataset=NAME)

    def proposed(self, who: str = "county_officer") -> Destruction:
        row = self.planned()
        actor = self.cast.actor(who)
        propose_destruction(actor=actor, destruction_id=row.pk, ground="到期，按规定销毁", now=self.cast.now)
        return row

    def approved(self) -> Destruction:
        row = self.proposed()
        approve_destruction(actor=self.cast.actor("province_officer"), destruction_id=row.pk, now=self.cast.now)
        return row


@pytest.fixture
def keeper(cast: Cast, lake: Path) -> Keeper:
    county = cast.orgs["county"]
    offer_dataset(DatasetSpec(NAME, ("year",), "到期样例", "L3", f"org:{county.id}", scope_column="org_path"))
    before = cast.now - timedelta(days=2)
    for year, value in ((cast.now.year - 3, 1), (cast.now.year, 2)):
        rows = pa.table({"org_path": [county.path] * 3, "mark": pa.array([value] * 3, pa.int16())})
        for at in (before, before + timedelta(hours=1)):
            write_partition(NAME, {"year": year}, rows, actor=SYSTEM, now=at)
    return Keeper(cast)
