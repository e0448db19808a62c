"""Statements go into the lake day by day, so that sums over millions of them are questions to the lake.

A day is written whole and anew: the running one each hour, a past one once more after its end, and again when something
of it was voided, moved to another person or forgotten.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

import orjson
import pyarrow as pa
from django.utils import timezone

from shuren.datahub import api as datahub
from shuren.datahub.data import ColumnSpec, DatasetSpec
from shuren.directory import api as directory
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.records.models import Statement
from shuren.records.rules.lake import SCHEMA, told_by
from shuren.records.selectors.lake import DATASET
from shuren.work.api import enqueue

REWRITE = "shuren.records.jobs.rewrite_day"
_COLUMNS = (
    ("day", "日期", "Day", ""),
    ("stored", "写入时间", "Stored at", ""),
    ("seq", "序号", "Number in order", ""),
    ("client", "来源应用", "Client", ""),
    ("person_id", "人员编号", "Id of the person", "L3"),
    ("org_path", "机构路径", "Path of the organisation", ""),
    ("verb", "动作", "Verb", ""),
    ("activity", "活动地址", "Address of the activity", ""),
    ("activity_name", "活动名称", "Name of the activity", ""),
    ("activity_type", "活动类型", "Type of the activity", ""),
    ("success", "是否成功", "Success", ""),
    ("completion", "是否完成", "Completion", ""),
    ("score", "成绩（0 到 1）", "Score (0 to 1)", "L3"),
    ("seconds", "用时（秒）", "Seconds taken", ""),
)
SPEC = DatasetSpec(
    DATASET,
    ("day",),
    "学习记录：每条记录由谁、在哪里、对什么做了什么，成绩和用时",
    "L3",
    "records",
    columns={name: ColumnSpec(title_zh=zh, title_en=en, grade=grade) for name, zh, en, grade in _COLUMNS},
    scope_column="org_path",
    title_zh="学习记录",
    title_en="Learning records",
)
_ROWS = 5_000
_LOOK_BACK = timedelta(days=400)
# Whoever wrote before midnight has committed by then.
_SETTLES = timedelta(minutes=10)


def write_due_days(*, now: datetime) -> list[date]:
    """Write every day of the last 400 that has statements and is not in the lake as it ended; returns those written."""
    first = Statement.objects.order_by("stored").values_list("stored", flat=True).first()
    if first is None:
        return []
    today = clock.day_of(now)
    begin = max(clock.day_of(first), today - _LOOK_BACK)
    days = [begin + timedelta(days=number) for number in range((today - begin).days + 1)]
    due = [day for day in days if _is_due(day)]
    for day in due:
        write_day(day=day, now=now)
    return due


def write_day(*, day: date, now: datetime) -> int:
    """Write one day anew, in the installation's time zone; returns its rows. Publishes `datahub.partition_written`."""
    snapshot = datahub.write_partition(DATASET, {"day": day.isoformat()}, _batches(day), actor=SYSTEM, now=now, schema=SCHEMA)
    return snapshot.rows


def note_changed(moments: Iterable[datetime]) -> None:
    """Have the days written again in which these statements were stored; in the caller's transaction."""
    for day in sorted({clock.day_of(moment) for moment in moments}):
        if datahub.snapshot_of(DATASET, {"day": day.isoformat()}) is not None:
            enqueue(REWRITE, {"day": day.isoformat()}, key=f"records.day:{day.isoformat()}")


def _is_due(day: date) -> bool:
    written = datahub.snapshot_of(DATASET, {"day": day.isoformat()})
    if written is None:
        return Statement.objects.filter(stored__gte=_begin(day), stored__lt=_begin(day + timedelta(days=1))).exists()
    return written.created_at < _begin(day + timedelta(days=1)) + _SETTLES


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _batches(day: date) -> Iterator[pa.RecordBatch]:
    """Rows in the order of storing, read along the key in turns, so that no day is too long."""
    end = _begin(day + timedelta(days=1))
    rows = Statement.objects.filter(stored__lt=end, is_voided=False).order_by("stored", "seq")
    places: dict[int, str] = {}
    at, seq = _begin(day), 0
    while True:
        turn = rows.filter(stored__gte=at, pk__gt=(at, seq)).values_list("stored", "seq", "person_id", "body")[:_ROWS]
        found = list(turn)
        if not found:
            return
        _place(places, {person_id for _at, _seq, person_id, _body in found if person_id is not None}, day)
        lines = [
            {"stored": stored, "seq": number, "person_id": person_id, "org_path": places.get(person_id or 0, "")}
            | told_by(orjson.loads(body))
            for stored, number, person_id, body in found
        ]
        yield pa.RecordBatch.from_pylist(lines, SCHEMA)
        at, seq = found[-1][0], found[-1][1]


def _place(places: dict[int, str], person_ids: set[int], day: date) -> None:
    """Where people belonged on that day: in their class, else where they hold their first role."""
    fresh = person_ids - places.keys()
    if not fresh:
        return
    for affiliation in directory.affiliations_of_people(fresh, day=day):
        places.setdefault(affiliation.person_id, affiliation.org_path)
    for enrollment in reversed(directory.enrollments_of_people(fresh, day=day)):
        places[enrollment.person_id] = enrollment.class_path
