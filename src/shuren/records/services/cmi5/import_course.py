"""Taking in a course: cmi5.xml alone, or in a package with its files. It is kept whole or not at all."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.records.models import Course, CoursePart
from shuren.records.rules.cmi5.structure import MOST_BYTES, CourseStructure, FaultyCourse, Part, read_structure
from shuren.records.rules.cmi5.titles import own_name
from shuren.records.rules.cmi5.words import PartKind
from shuren.records.selectors.cmi5.reach import access_shelf
from shuren.records.services.cmi5.unpack import CoursePackage, remove_folder

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class _Files:
    folder: str = ""
    count: int = 0
    size: int = 0


def import_course(*, actor: Actor, org_id: int, file: BinaryIO, is_open: bool, issuer: str, now: datetime) -> Course:
    """Keep a course for the classes of an org where the actor may offer some; pupils take one that `is_open` by themselves.

    Raises `FaultyCourse` with what is wrong and what mends it, `Conflict` where the same course is offered there already.
    """
    org = access_shelf(actor=actor, id=org_id, now=now)
    start = file.read(4)
    file.seek(0)
    if not start.startswith(_ZIP):
        return _kept(actor, org.id, _alone(file), _Files(), is_open=is_open, issuer=issuer, now=now)
    with CoursePackage(file) as package:
        structure = read_structure(package.structure(), files=package.names)
        _check_new(org.id, structure)
        files = _Files(uuid4().hex, len(package.names), package.size)
        package.unpack(files.folder)
    try:
        return _kept(actor, org.id, structure, files, is_open=is_open, issuer=issuer, now=now)
    except BaseException:
        remove_folder(files.folder)
        raise


def _alone(file: BinaryIO) -> CourseStructure:
    content = file.read(MOST_BYTES + 1)
    if not content.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith((b"<", b"\x00<")):
        raise FaultyCourse(_("文件既不是 zip 也不是 XML。"), remedy=_("请上传 cmi5 课程包（.zip）或 cmi5.xml。"))
    return read_structure(content, files=None)


def _check_new(org_id: int, structure: CourseStructure) -> None:
    rows = Course.objects.filter(org_id=org_id, publisher_id=structure.id, withdrawn_at__isnull=True)
    if rows.exists():
        raise Conflict(_("这门课程已经导入过了。"), remedy=_("要换成新的版本，请先停用旧的；已有的学习进度会保留。"))


@transaction.atomic
def _kept(
    actor: Actor, org_id: int, structure: CourseStructure, files: _Files, *, is_open: bool, issuer: str, now: datetime
) -> Course:
    _check_new(org_id, structure)
    course = Course.objects.create(
        org_id=org_id,
        publisher_id=structure.id,
        activity=_new_activity(issuer),
        title=structure.title,
        description=structure.description,
        name=own_name(structure.title)[:300] or structure.id[:300],
        objectives=[{"id": one.id, "title": one.title, "description": one.description} for one in structure.objectives],
        unit_count=sum(part.kind is PartKind.UNIT for part in structure.parts),
        folder=files.folder,
        file_count=files.count,
        file_bytes=files.size,
        is_open=is_open,
        imported_by_id=actor.person_id,
        imported_at=now,
    )
    _keep_parts(course, structure, issuer)
    details = {"publisher_id": course.publisher_id[:300], "units": course.unit_count, "files": files.count}
    audit.record(actor=actor, action="records.course_imported", target=f"course:{course.pk}", details=details, now=now)
    return course


def _keep_parts(course: Course, structure: CourseStructure, issuer: str) -> None:
    """Level by level, for a part needs the row of its block."""
    rows: dict[int, CoursePart] = {}
    depths: list[int] = []
    for part in structure.parts:
        depths.append(0 if part.parent is None else depths[part.parent] + 1)
    for depth in range(max(depths) + 1):
        level = [place for place, found in enumerate(depths) if found == depth]
        for place in level:
            part = structure.parts[place]
            parent = None if part.parent is None else rows[part.parent]
            rows[place] = _row(course, part, parent, place, depth, issuer)
        CoursePart.objects.bulk_create([rows[place] for place in level], batch_size=500)


def _row(course: Course, part: Part, parent: CoursePart | None, place: int, depth: int, issuer: str) -> CoursePart:
    is_unit = part.kind is PartKind.UNIT
    return CoursePart(
        course=course,
        parent=parent,
        place=place,
        depth=depth,
        kind=part.kind,
        publisher_id=part.id,
        activity=_new_activity(issuer),
        title=part.title,
        description=part.description,
        objectives=list(part.objectives),
        url=part.url,
        launch_method=part.launch_method if is_unit else "",
        move_on=part.move_on if is_unit else "",
        mastery_score=part.mastery_score,
        launch_parameters=part.launch_parameters,
        entitlement_key=part.entitlement_key,
        activity_type=part.activity_type,
    )


def _new_activity(issuer: str) -> str:
    """The system's own IRI of a course or part, which is never the publisher's (8.1, 9.3.9)."""
    return f"{issuer}/cmi5/activities/{uuid4()}"
