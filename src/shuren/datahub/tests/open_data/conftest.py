"""A dataset of pupils in the schools of the cast, and what may be made of it."""

from pathlib import Path

import pyarrow as pa
import pytest
from tests.cast import Cast

from shuren.datahub.api import declare_dataset, write_partition
from shuren.datahub.data import ColumnSpec, DatasetSpec, OpenColumn, OpenDeclaration, OpenShape, OpenTreatment, OpenWords
from shuren.kernel.data import SYSTEM

PUPILS = DatasetSpec(
    "probe.open_pupils",
    ("year",),
    "学生：一人一行",
    "L3",
    "tests",
    columns={
        "name": ColumnSpec(element="person.name"),
        "sex": ColumnSpec(element="person.sex"),
        "birth_date": ColumnSpec(element="person.birth_date"),
        "number": ColumnSpec(element="person.number"),
        "national_id_index": ColumnSpec(grade="L4"),
        "level": ColumnSpec(grade="L2"),
        "score": ColumnSpec(grade="L3"),
    },
    scope_column="org_path",
)
SCHOOLS = DatasetSpec("probe.open_schools", ("year",), "学校名录", "L1", "tests")
T = OpenTreatment
WORDS = OpenWords(title_zh="学生人数", title_en="Pupils", description="各区县学生人数", licence="CC-BY-4.0", keywords=("学生",))
SECRET = "赵钱孙"


def declared(*columns: tuple[str, OpenTreatment], **more: object) -> OpenDeclaration:
    told = tuple(OpenColumn(name, treatment) for name, treatment in columns)
    return OpenDeclaration(dataset=str(more.pop("dataset", PUPILS.name)), columns=told, **more)  # type: ignore[arg-type]


def records(*columns: tuple[str, OpenTreatment], **more: object) -> OpenDeclaration:
    return declared(*columns, shape=OpenShape.RECORDS, **more)


def rows_of(cast: Cast, *, lone: bool = True) -> pa.Table:
    """Twelve girls and twelve boys in each of three schools; in the first one girl fewer of level 9, alone in it."""
    found: list[dict[str, object]] = []
    for school in ("school", "other_school", "west_school"):
        for place in range(24):
            sex = "12"[place % 2]
            found.append(
                {
                    "org_path": cast.orgs[school].path,
                    "name": f"{SECRET}{place}",
                    "sex": sex,
                    "birth_date": None,
                    "number": f"N{len(found)}",
                    "national_id_index": f"x{len(found)}",
                    "level": 9 if lone and school == "school" and place == 0 else 4,
                    "score": float(60 + place),
                }
            )
    return pa.Table.from_pylist(found).set_column(3, "birth_date", pa.array([None] * len(found), pa.date32()))


@pytest.fixture
def pupils(cast: Cast, lake: Path) -> Cast:
    for spec in (PUPILS, SCHOOLS):
        declare_dataset(spec)
    write_partition(PUPILS.name, {"year": 2026}, rows_of(cast), actor=SYSTEM, now=cast.now)
    schools = pa.table({"code": ["a", "b"], "name": ["甲", "=乙"], "pupils": [1, 400]})
    write_partition(SCHOOLS.name, {"year": 2026}, schools, actor=SYSTEM, now=cast.now)
    return cast
