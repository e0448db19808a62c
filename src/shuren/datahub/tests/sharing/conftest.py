"""A dataset of the region with rows of three schools, and a county that wants some of it."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.cast import Cast

from shuren.datahub.api import declare_dataset, write_partition
from shuren.datahub.data import ColumnSpec, DatasetSpec, Sharing, SharingWay
from shuren.datahub.models import SharingApplication, SharingGrant
from shuren.datahub.services.sharing.apply import apply_for_sharing
from shuren.datahub.services.sharing.decide import approve_application
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM

SPEC = DatasetSpec(
    name="probe.shared",
    partition_keys=("year",),
    description="体质：测试用",
    grade="L2",
    owner="tests",
    columns={
        "name": ColumnSpec(element="person.name"),
        "phone": ColumnSpec(element="person.phone"),
        "born": ColumnSpec(grade="L3", mask="year"),
        "number": ColumnSpec(grade="L4", mask="id"),
    },
    scope_column="org_path",
)
OPEN = DatasetSpec("probe.freely", ("year",), "公开：测试用", "L1", "tests")
# Every value of a column holds the column's own letters, so that one look at an answer tells where it came from.
SCHOOLS = {"school": "甲", "west_school": "乙", "far_school": "丙"}


@dataclass(frozen=True)
class Play:
    """The cast, with short ways to apply and to approve."""

    cast: Cast

    def branch(self, key: str) -> int:
        return self.cast.orgs[key].id

    def wish(self, columns: str, *, orgs: str = "county", ways: str = "api file query", days: int = 30) -> Sharing:
        """Columns as `name:mask mark`; without a mask as they are."""
        masks = {name: mask or "none" for name, _colon, mask in (one.partition(":") for one in columns.split())}
        branches = tuple(self.branch(key) for key in orgs.split())
        ends = day_of(self.cast.now) + timedelta(days=days)
        return Sharing(masks, branches, tuple(SharingWay(way) for way in ways.split()), ends)

    def apply(
        self, wish: Sharing, *, who: str = "county_officer", unit: str = "", dataset: str = SPEC.name
    ) -> SharingApplication:
        return apply_for_sharing(
            actor=self.cast.actor(who),
            dataset=dataset,
            org_id=self.branch(unit or who.removesuffix("_officer")),
            purpose="核对体质健康",
            asked=wish,
            now=self.cast.now,
        )

    def granted(self, columns: str, **options: Any) -> SharingGrant:
        wish = self.wish(columns, **options)
        row = self.apply(wish)
        officer = self.cast.actor("province_officer")
        return approve_application(actor=officer, application_id=row.pk, given=wish, now=self.cast.now)


@pytest.fixture
def play(cast: Cast, lake: Path) -> Play:
    for spec in (SPEC, OPEN):
        declare_dataset(spec)
    rows = pa.table(
        {
            "org_path": [cast.orgs[key].path for key in SCHOOLS],
            "name": [f"{word}名姓氏" for word in SCHOOLS.values()],
            "phone": [f"1380000000{number}" for number in range(3)],
            "born": pa.array([date(2015, 3, 4), date(2016, 5, 6), date(2017, 7, 8)]),
            "number": [f"G11010120160504001{number}" for number in range(3)],
            "mark": pa.array([71, 72, 73], pa.int16()),
        }
    )
    for name in (SPEC.name, OPEN.name):
        write_partition(name, {"year": 2026}, rows if name == SPEC.name else rows.select(["mark"]), actor=SYSTEM, now=cast.now)
    return Play(cast)
