"""The roster goes into the lake as it stands, so that rules and figures over everybody are questions to the lake."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

import pyarrow as pa
from django.utils.translation import gettext_lazy as _

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
_INSIDE = (
    ("id", "编号", "Id"),
    ("person_id", "人员编号", "Id of the person"),
    ("org_id", "机构编号", "Id of the organisation"),
    ("role", "身份", "Role"),
    ("begin_date", "入学（任职）日期", "Date of joining"),
    ("grade", "年级", "Grade"),
    ("class_id", "班级编号", "Id of the class"),
    ("is_synthetic", "是否虚构数据", "Invented for demonstration"),
)
_OF_ORGS = (
    ("type", "机构类型", "Type"),
    ("status", "机构状态", "Status"),
    ("code", "机构代码", "Code"),
    ("name", "机构名称", "Name"),
    ("division_code", "行政区划代码", "Division code"),
    ("credit_code", "统一社会信用代码", "Credit code"),
    ("is_rural", "是否乡村", "Rural"),
    ("begin_date", "设立日期", "Founded on"),
    ("pupils", "学生数", "Pupils"),
    ("teachers", "教师数", "Teachers"),
    ("classes", "班级数", "Classes"),
)
_OF_PEOPLE = ("name", "sex", "birth_date", "number", "pupil_number", "staff_number", "phone", "email")
_STATE = {"state": ColumnSpec(title_zh="状态（now 为现在）", title_en="State (now for as it stands)")}
_PLACED = {"org_path": ColumnSpec(title_zh="机构路径", title_en="Path of the organisation")}
MEMBER_COLUMNS = {
    **{name: ColumnSpec(grade="L2", title_zh=zh, title_en=en) for name, zh, en in _INSIDE},
    **{name: ColumnSpec(element=f"person.{name}") for name in _OF_PEOPLE},
    # A pupil number may state the citizen id.
    "pupil_number": ColumnSpec(element="person.pupil_number", grade="L4"),
    "national_id_index": ColumnSpec(grade="L4", title_zh="证件号盲索引", title_en="Blind index of the identity document"),
}
_ORG_COLUMNS = {
    "id": ColumnSpec(title_zh="编号", title_en="Id"),
    "org_id": ColumnSpec(title_zh="机构编号", title_en="Id of the organisation"),
    "has_position": ColumnSpec(title_zh="有地理位置", title_en="Has a position"),
    **{name: ColumnSpec(title_zh=zh, title_en=en) for name, zh, en in _OF_ORGS},
}
_KEYS = {
    "id": _("行的编号"),
    "org_id": _("单位（内部编号）"),
    "org_path": _("所在单位"),
    "state": _("名册的时点"),
}
_MEMBER_TITLES = {
    **_KEYS,
    "person_id": _("人员（内部编号）"),
    "class_id": _("班级（内部编号）"),
    "role": _("身份"),
    "begin_date": _("入学（任职）日期"),
    "grade": _("年级"),
    "national_id_index": _("证件号（只能比对是否相同）"),
    "is_synthetic": _("是否模拟数据"),
}
_ORG_TITLES = {
    **_KEYS,
    "type": _("机构类型"),
    "status": _("机构状态"),
    "code": _("机构标识码"),
    "name": _("机构名称"),
    "division_code": _("行政区划代码"),
    "credit_code": _("统一社会信用代码"),
    "is_rural": _("是否在农村"),
    "has_position": _("是否标了位置"),
    "begin_date": _("设立日期"),
    "pupils": _("学生数"),
    "teachers": _("教师数"),
    "classes": _("班级数"),
}
SPECS = (
    DatasetSpec(
        MEMBER,
        ("state",),
        "名册：在册人员及其身份",
        "L3",
        "directory",
        columns=MEMBER_COLUMNS | _PLACED | _STATE,
        scope_column="org_path",
        title_zh="在册人员",
        title_en="People on the roster",
    ),
    DatasetSpec(
        ORG,
        ("state",),
        "名册：在用机构及其人数",
        "L1",
        "directory",
        columns=_ORG_COLUMNS | _PLACED | _STATE,
        title_zh="机构",
        title_en="Organisations",
    ),
)


def mirror_directory(*, now: datetime, actor: Actor = SYSTEM) -> list[Snapshot]:
    """Write both datasets anew, streamed; publishes `datahub.partition_written` for each."""
    day = clock.day_of(now)
    return [write_partition(name, PARTITION, source(day), actor=actor, now=now) for name, source in _SOURCES.items()]
