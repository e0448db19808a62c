"""Courses on the pages: bringing one in, giving it to a class, who sees what, files, waiving, people who follow."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.cast import Cast

from shuren.kernel import clock, ids
from shuren.kernel.errors import Conflict, NotFound
from shuren.records.models import Course, CourseRegistration, PartProgress
from shuren.records.rules.cmi5.structure import FaultyCourse
from shuren.records.selectors.cmi5.content import content_pass, folder_path
from shuren.records.services.cmi5.import_course import import_course
from shuren.records.services.follow_people import follow_merge, forget_person
from shuren.records.tests.cmi5.course_play import (
    HOME,
    Unit,
    actor_of,
    block,
    bring_in,
    course,
    give,
    launch,
    package,
    part_named,
    statements_of,
    unit,
    verbs_of,
)

LOCAL = course(unit("a", url="a/index.html?lang=zh", moveOn="Completed"), unit("b", moveOn="Passed"))
FILES = {"a/index.html": b"<script>alert(1)</script>", "a/film.mp4": bytes(range(100)), "a/tool.exe": b"MZ"}


def sent(cast: Cast, made: io.BytesIO, *, by: str = "school_admin", is_open: bool = False) -> Course:
    org_id = cast.orgs["school"].id
    return import_course(actor=actor_of(cast, by), org_id=org_id, file=made, is_open=is_open, issuer=HOME, now=clock.now())


def course_page(found: Course, name: str = "") -> str:
    return f"/courses/offered/{ids.encode('course', found.pk)}/{name}"


@pytest.mark.parametrize("is_zip64", [False, True])
def test_a_package_is_unpacked_and_its_files_are_served_in_a_sandbox(cast: Cast, is_zip64: bool) -> None:
    found = sent(cast, package(LOCAL, FILES, is_zip64=is_zip64))
    assert (found.file_count, found.unit_count) == (4, 2)
    own = f"/cmi5/content/{content_pass(found.pk)}/"
    page = Client().get(f"{own}a/index.html")
    assert b"".join(page.streaming_content) == FILES["a/index.html"]  # type: ignore[attr-defined]
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "Set-Cookie" not in page.headers
    assert not page.cookies
    assert page.headers["Access-Control-Allow-Origin"] == "*"
    piece = Client().get(f"{own}a/film.mp4", headers={"range": "bytes=10-19"})
    assert (piece.status_code, piece.headers["Content-Range"]) == (206, "bytes 10-19/100")
    assert b"".join(piece.streaming_content) == bytes(range(10, 20))  # type: ignore[attr-defined]
    assert Client().get(f"{own}a/tool.exe").headers["Content-Disposition"].startswith("attachment")
    for away in ("a/none.html", "a", "..%2f..%2fkeys", "%2e%2e/x", "a/%00"):
        assert Client().get(own + away).status_code == 404
    assert Client().get("/cmi5/content/forged/a/index.html").status_code == 404
    Course.objects.update(withdrawn_at=clock.now())
    assert Client().get(f"{own}a/index.html").status_code == 404


def test_an_address_of_files_is_good_for_a_day(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sent(cast, package(LOCAL, FILES))
    own = f"/cmi5/content/{content_pass(found.pk)}/a/index.html"
    later = (clock.now() + timedelta(hours=25)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert Client().get(own).status_code == 404


@pytest.mark.parametrize(
    "made",
    [
        package(None, FILES),
        package(LOCAL, {}),
        package(course(unit("a")), {"../out.html": b"x"}),
        io.BytesIO(b"PK\x03\x04 and nothing more"),
        io.BytesIO(b"GIF89a"),
        io.BytesIO(b""),
        io.BytesIO(LOCAL),
    ],
    ids=["no structure", "dangling", "escape", "torn", "picture", "empty", "relative alone"],
)
def test_a_faulty_file_leaves_nothing(cast: Cast, made: io.BytesIO, settings: Any) -> None:
    with pytest.raises(FaultyCourse) as refusal:
        sent(cast, made)
    assert refusal.value.remedy
    assert not Course.objects.exists()
    assert list(folder_path("x").parent.glob("*")) == []


def test_a_damaged_member_leaves_no_folder(cast: Cast) -> None:
    content = bytearray(package(LOCAL, FILES | {"a/big.bin": bytes(5_000)}).getvalue())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo("a/film.mp4").header_offset
    content[start + 45 : start + 60] = b"\xff" * 15
    with pytest.raises(FaultyCourse, match="损坏"):
        sent(cast, io.BytesIO(bytes(content)))
    assert list(folder_path("x").parent.glob("*")) == []


def test_a_thousand_units_come_in_and_the_same_course_not_twice(cast: Cast) -> None:
    content = course(*(unit(f"u{number}", moveOn="Passed") for number in range(1_001)))
    found = bring_in(cast, content)
    assert found.parts.count() == 1_001
    assert give(cast, found).units_done == 0
    with pytest.raises(Conflict):
        bring_in(cast, content)


def test_a_school_brings_in_and_a_teacher_gives_to_the_class(cast: Cast, audited: Any) -> None:
    admin = cast.client("school_admin")
    file = SimpleUploadedFile("course.zip", package(LOCAL, FILES).getvalue())
    form = {"file": file, "org": cast.orgs["school"].public_id, "is_open": "on"}
    done = admin.post("/courses/import/", form, follow=True)
    assert done.status_code == 200
    assert "已导入" in done.content.decode()
    found = Course.objects.get()
    wrong = admin.post("/courses/import/", {**form, "file": SimpleUploadedFile("x.zip", b"GIF89a")})
    assert "既不是 zip 也不是 XML" in wrong.content.decode()
    teacher = cast.client("teacher")
    given = teacher.post(course_page(found, "give/"), {"class_org": cast.orgs["class"].public_id}, follow=True)
    assert "已布置给 2 名学生" in given.content.decode()
    assert cast.people["pupil"].name in given.content.decode()
    pupil = cast.client("pupil")
    listed = pupil.get("/courses/").content.decode()
    assert "地质" in listed
    assert "0 / 2" in listed
    away = cast.client("other_pupil")
    assert "地质" not in away.get("/courses/").content.decode()
    assert "地质" in away.get("/courses/choose/").content.decode()
    taken = away.post(f"/courses/choose/{ids.encode('course', found.pk)}/", follow=True)
    assert taken.status_code == 200
    assert CourseRegistration.objects.filter(course=found).count() == 3
    assert {"records.course_imported", "records.course_given", "records.course_taken"} <= set(audited())


def test_names_stand_only_where_results_may_be_seen(cast: Cast) -> None:
    found = bring_in(cast, LOCAL.replace(b"a/index.html", b"https://c.example.org/a"))
    registration = give(cast, found)
    name = cast.people["pupil"].name
    seen = {who: name in cast.client(who).get(course_page(found, "people/")).content.decode() for who in SEEING}
    assert seen == SEEING
    assert cast.client("far_head").get(course_page(found)).status_code == 404
    assert cast.client("pupil").get(course_page(found)).status_code == 404
    own = f"/courses/mine/{ids.encode('course_registration', registration.pk)}/"
    readers = {"pupil": 200, "parent": 200, "teacher": 200, "classmate": 404, "county_officer": 404}
    assert {who: cast.client(who).get(own).status_code for who in readers} == readers
    assert name in cast.client("parent").get("/courses/").content.decode()


SEEING = {"teacher": True, "class_teacher": True, "head": True, "school_admin": False, "county_officer": False}


def test_only_oneself_opens_a_unit(cast: Cast) -> None:
    found = bring_in(cast, course(unit("a", moveOn="Passed")))
    registration = give(cast, found)
    url = f"/courses/mine/{ids.encode('course_registration', registration.pk)}/units/"
    url += f"{ids.encode('course_part', part_named(found, 'a').pk)}/open/"
    assert cast.client("teacher").post(url).status_code == 404
    assert cast.client("parent").post(url).status_code == 404
    pupil = cast.client("pupil")
    assert pupil.post(f"{url}?mode=Cheat").status_code == 400
    assert pupil.get(url).status_code == 405
    Course.objects.update(withdrawn_at=clock.now())
    assert pupil.post(url).status_code == 409


def test_a_pupil_learns_from_the_packages_own_files(cast: Cast) -> None:
    found = sent(cast, package(LOCAL, FILES))
    registration = give(cast, found)
    browser = cast.client("pupil")
    opened = Unit(launch(browser, registration, part_named(found, "a"))).begin()
    assert opened.url.startswith(f"{HOME}/cmi5/content/")
    assert opened.told["lang"] == "zh"
    assert opened.told["endpoint"] == f"{HOME}/xapi/"
    assert Client().get(opened.url.removeprefix(HOME)).status_code == 200
    assert opened.say("initialized") == 200
    assert opened.say("completed") == 200
    page = browser.get(f"/courses/mine/{ids.encode('course_registration', registration.pk)}/").content.decode()
    assert "1 / 2" in page
    assert "复习" in page


def test_a_teacher_lets_somebody_off_once(cast: Cast, audited: Any) -> None:
    found = bring_in(cast, course(block("b", unit("a", moveOn="Passed"))))
    registration = give(cast, found)
    url = f"/courses/mine/{ids.encode('course_registration', registration.pk)}/units/"
    url += f"{ids.encode('course_part', part_named(found, 'a').pk)}/waive/"
    assert cast.client("pupil").get(url).status_code == 404
    teacher = cast.client("teacher")
    assert teacher.post(url, {"reason": "Administrative"}).status_code == 302
    assert teacher.post(url, {"reason": "Administrative"}).status_code == 409
    assert verbs_of(registration) == ["waived", "satisfied", "satisfied"]
    waived = statements_of(registration)[0]
    assert waived["result"]["extensions"] == {"https://w3id.org/xapi/cmi5/result/extensions/reason": "Administrative"}
    assert (waived["result"]["success"], waived["result"]["completion"]) == (True, True)
    assert len(waived["context"]["contextActivities"]["category"]) == 2
    assert "records.unit_waived" in audited()


def test_who_may_not_offer_a_course_somewhere_finds_no_such_place(cast: Cast) -> None:
    for who, org in (("teacher", "school"), ("head", "far_school"), ("pupil", "class"), ("teacher", "other_class")):
        with pytest.raises(NotFound):
            bring_in(cast, course(unit("a")), by=who, org=org)
    found = bring_in(cast, course(unit("a")), by="teacher", org="class")
    assert cast.client("class_teacher").get(course_page(found)).status_code == 200
    assert cast.client("class_teacher").post(course_page(found, "withdraw/")).status_code == 404
    assert cast.client("teacher").post(course_page(found, "withdraw/")).status_code == 302
    assert Course.objects.get().withdrawn_at is not None


def test_courses_follow_people(cast: Cast) -> None:
    found = bring_in(cast, course(unit("a", moveOn="Passed")))
    give(cast, found)
    kept, dropped = cast.people["pupil"].id, cast.people["classmate"].id
    follow_merge(kept_id=kept, dropped_id=dropped, now=cast.now)
    assert CourseRegistration.objects.filter(person_id=kept).count() == 2
    assert CourseRegistration.objects.filter(person_id=kept, is_current=True).count() == 1
    forget_person(person_id=kept, now=cast.now)
    assert not CourseRegistration.objects.exists()
    assert not PartProgress.objects.exists()
