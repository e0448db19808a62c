"""The roster goes into the lake as it stands, so that rules and figures over everybody are questions to the lake."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

import pyarrow as pa

from shuren.datahub.data import ColumnSpec, DatasetSpec, Snapshot
from shuren.datahub.services.write import write_partition
from shuren.directory import api as directory
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor

MEMBER = "directory.member"
ORG = "directory.org"
# The roster of today is one partition: yesterday's is a snapshot of it.
PARTITION = {"state": "now"}
_SOURCES: dict[str, Callable[[date], Iterator[pa.RecordBatch]]] = {MEMBER: directory.member_facts, ORG: directory.org_facts}
_INSIDE = ("id", "person_id", "org_id", "role", "begin_date", "grade", "class_id", "is_synthetic")
_OF_PEOPLE = ("name", "sex", "birth_date", "number", "pupil_number", "staff_number", "phone", "email")
MEMBER_COLUMNS = {
    **{name: ColumnSpec(grade="L2") for name in _INSIDE},
    **{name: ColumnSpec(element=f"person.{name}") for name in _OF_PEOPLE},
    # A pupil number may state the citizen id.
    "pupil_number": ColumnSpec(element="person.pupil_number", grade="L4"),
    "national_id_index": ColumnSpec(grade="L4"),
}
SPECS = (
    DatasetSpec(MEMBER, ("state",), "名册：在册人员及其身份", "L3", "directory", columns=MEMBER_COLUMNS, scope_column="org_path"),
    DatasetSpec(ORG, ("state",), "名册：在用机构及其人数", "L1", "directory"),
)


def mirror_directory(*, now: datetime, actor: Actor = SYSTEM) -> list[Snapshot]:
    """Write both datasets anew, streamed; publishes `datahub.partition_written` for each."""
    day = clock.day_of(now)
    return [write_partition(name, PARTITION, source(day), actor=actor, now=now) for name, source in _SOURCES.items()]
