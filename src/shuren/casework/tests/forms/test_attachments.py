"""Files of a case: known by content, kept once, opened by whoever reaches the case and by nobody else."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.cast import Cast

from shuren.casework.models import Attachment, Case, Entry, EntryRevision
from shuren.casework.rules.binding import bound_form
from shuren.casework.rules.file_types import file_type, kept_name
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.attachments import attachment_path, files_of
from shuren.casework.services.attachments import add_attachment, remove_attachments
from shuren.casework.services.registers.write import add_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.forms.drawn import field, form_of
from shuren.casework.tests.register_bodies import ROOMS
from shuren.kernel import ids
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.models import AuditEntry
from shuren.standards import api as standards

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
FORM = form_of(
    field("photos", "file", title="照片", accepts=["image"], megabytes=1),
    field("rooms", "table", columns=[field("paper", "file", accepts=["pdf", "office", "text"])]),
    field("name"),
)


def package(*names: str) -> bytes:
    stream = io.BytesIO()
    with ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "group"),
    [
        (PNG, "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF0000WEBPVP8 ", "image"),
        (b"%PDF-1.7\n", "pdf"),
        (package("OFD.xml"), "pdf"),
        (package("[Content_Types].xml", "word/document.xml"), "office"),
        (package("[Content_Types].xml", "xl/workbook.xml"), "office"),
        (package("[Content_Types].xml", "word/vbaProject.bin"), "macros"),
        (package("a.txt"), "zip"),
        (b"\x00\x00\x00\x18ftypmp42", "video"),
        ("姓名,年龄".encode(), "text"),
        ("姓名,年龄".encode("gb18030"), "text"),
        (b"<!doctype html><script>", ""),
        (b"  <svg xmlns=", ""),
        (b"MZ\x90\x00\x03", ""),
        (b"PK\x03\x04broken", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, group: str) -> None:
    assert file_type(content)[0] == group


def test_a_file_is_kept_by_a_harmless_name() -> None:
    assert kept_name("C:\\照片\\教学 楼.JPEG", "image/jpeg") == "教学 楼.jpeg"
    assert kept_name("报告.pdf.exe", "application/pdf") == "报告.pdf.pdf"
    assert kept_name("../\x00..", "image/png") == "file.png"
    assert kept_name("总结.wps", "application/x-ole-storage") == "总结.wps"


@pytest.fixture
def case(cast: Cast, define: Define) -> Case:
    body = {"key": "demo.form", "title": "样表", "sections": [{"key": "s", "title": "一", "fields": [field("photos", "file")]}]}
    form = define("form", body)
    school, filer = cast.orgs["school"], cast.people["school_admin"]
    return Case.objects.create(
        number="T1",
        title="样表",
        form_version=form.current,
        definition=form,
        state="draft",
        org_id=school.id,
        org_path=school.path,
        filer_id=filer.id,
        filed_at=cast.now,
        changed_at=cast.now,
    )


def added(
    cast: Cast, case: Case, content: bytes = PNG, *, path: str = "photos", name: str = "图.png", now: datetime | None = None
) -> dict[str, Any]:
    upload = SimpleUploadedFile(name, content)
    return add_attachment(
        actor=cast.actor("school_admin"), form=FORM, path=path, upload=upload, case_id=case.pk, now=now or cast.now
    )


def test_whoever_filed_opens_the_file_and_strangers_do_not_learn_of_it(cast: Cast, case: Case) -> None:
    value = added(cast, case)
    url = f"/attachments/{value['id']}/"
    answer = cast.client("school_admin").get(url)
    assert b"".join(answer) == PNG  # type: ignore[call-overload]
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for role in ("far_head", "parent", "system_admin"):
        assert cast.client(role).get(url).status_code == 404
    assert not AuditEntry.objects.filter(action="casework.attachment_read").exists()


def test_what_others_open_is_written_down(cast: Cast, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(subject_id=cast.people["teacher"].id)
    value = added(cast, case)
    assert cast.client("teacher").get(f"/attachments/{value['id']}/").status_code == 200
    read = AuditEntry.objects.get(action="casework.attachment_read")
    assert (read.actor_person_id, read.target) == (cast.people["teacher"].id, f"case:{case.pk}")


def test_the_same_file_lies_there_once_and_is_named_by_the_form(cast: Cast, case: Case) -> None:
    first, second = added(cast, case), added(cast, case, name="另一张.png")
    assert first["sha256"] == second["sha256"]
    assert attachment_path(first["sha256"]).read_bytes() == PNG
    assert list(attachment_path(first["sha256"]).parent.glob("*.part")) == []
    assert files_of(case_id=case.pk) == {first["id"]: first, second["id"]: second}
    assert files_of() == {}


@pytest.mark.parametrize(
    ("content", "path", "reason"),
    [
        (b"%PDF-1.7", "photos", "不能上传这种文件。"),
        (b"", "photos", "这个文件是空的。"),
        (PNG + b"0" * 1_100_000, "photos", "文件超过 1 MB。"),
        (package("[Content_Types].xml", "word/vbaProject.bin"), "rooms[0].paper", "这个文件里带有宏程序，不能上传。"),
        (b"<html>", "rooms[2].paper", "不能上传这种文件。"),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing(cast: Cast, case: Case, content: bytes, path: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        added(cast, case, content, path=path)
    assert refused.value.message == reason
    assert refused.value.remedy
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("path", ["name", "rooms", "rooms[0].other", "photos[0]", "../photos", ""])
def test_only_fields_of_files_take_files(cast: Cast, case: Case, path: str) -> None:
    with pytest.raises(NotFound):
        added(cast, case, path=path)


def test_a_removed_file_is_opened_by_nobody(cast: Cast, case: Case, tmp_path: Path) -> None:
    value = added(cast, case)
    pk = ids.decode("attachment", value["id"])
    assert remove_attachments(actor=cast.actor("school_admin"), attachment_ids=[pk], now=cast.now) == 1
    assert cast.client("school_admin").get(f"/attachments/{value['id']}/").status_code == 404
    assert files_of(case_id=case.pk) == {}


SCANS = (
    ROOMS
    | {
        "see": ["staff"],
        "sections": [
            {
                "key": "basics",
                "title": "基本情况",
                "fields": [
                    {"key": "name", "title": "名称", "type": "text", "required": True},
                    {"key": "number", "title": "编号", "type": "text", "required": True},
                    field("photos", "file", grade="L1", accepts=["image"]),
                    field("papers", "file", grade="L3", accepts=["image"]),
                    field("cards", "file", grade="L4", accepts=["image"]),
                    field("rooms", "table", columns=[field("plan", "file", accepts=["image"]), field("key", "file", grade="L4")]),
                ],
            }
        ],
    }
    | {"place": "", "views": []}
)


@pytest.fixture
def entry(cast: Cast, define: Define) -> Entry:
    define("register", SCANS)
    org, told = cast.orgs["school"].id, {"name": "档案室", "number": "A1"}
    return add_entry(actor=cast.actor("school_admin"), register="demo.rooms", org_id=org, data=told, now=cast.now)


def scanned(cast: Cast, entry: Entry, path: str, **of_case: int) -> str:
    """The address of a file that the entry holds in the field."""
    admin, upload = cast.actor("school_admin"), SimpleUploadedFile("图.png", PNG)
    form = bound_form(RegisterSpec.model_validate(SCANS), standards.known_element)
    where = of_case or {"entry_id": entry.pk}
    value = add_attachment(actor=admin, form=form, path=path, upload=upload, now=cast.now, **where)
    key, _bracket, rest = path.partition("[")
    data = entry.data | {key: [{rest.partition(".")[2]: [value]}] if rest else [value]}
    Entry.objects.filter(pk=entry.pk).update(data=data)
    entry.refresh_from_db()
    return f"/attachments/{value['id']}/"


@pytest.mark.parametrize(
    ("path", "is_open"), [("photos", True), ("papers", False), ("cards", False), ("rooms[0].plan", True), ("rooms[0].key", False)]
)
def test_a_file_of_an_entry_is_seen_as_the_values_of_its_field_are(cast: Cast, entry: Entry, path: str, is_open: bool) -> None:
    url = scanned(cast, entry, path)
    assert cast.client("school_admin").get(url).status_code == 200
    assert cast.client("staff").get(url).status_code == (200 if is_open else 404)
    assert cast.client("far_head").get(url).status_code == 404


def test_it_stays_so_where_the_file_lies_in_an_open_field_by_now(cast: Cast, entry: Entry) -> None:
    url = scanned(cast, entry, "cards")
    Entry.objects.filter(pk=entry.pk).update(data=entry.data | {"photos": entry.data["cards"], "cards": []})
    assert cast.client("staff").get(url).status_code == 404


def test_whoever_opens_what_is_l4_is_written_down_even_their_own(cast: Cast, entry: Entry) -> None:
    admin = cast.client("school_admin")
    admin.get(scanned(cast, entry, "papers"))
    assert not AuditEntry.objects.filter(action="casework.attachment_read").exists()
    admin.get(scanned(cast, entry, "cards"))
    read = AuditEntry.objects.get(action="casework.attachment_read")
    assert (read.target, read.details["field"], read.details["is_sensitive"]) == (f"entry:{entry.pk}", "cards", True)


def test_a_file_that_a_case_brought_is_seen_only_where_the_entry_holds_it(cast: Cast, case: Case, entry: Entry) -> None:
    EntryRevision.objects.filter(entry=entry).update(case=case)
    plain, graded = (scanned(cast, entry, path, case_id=case.pk) for path in ("photos", "papers"))
    staff = cast.client("staff")
    assert (staff.get(plain).status_code, staff.get(graded).status_code) == (200, 404)
    kept_back = added(cast, case)
    assert staff.get(f"/attachments/{kept_back['id']}/").status_code == 404


def test_nobody_moves_a_file_they_do_not_see_into_a_field_they_do(cast: Cast, define: Define, case: Case, entry: Entry) -> None:
    define("register", SCANS | {"keep": ["staff"]})
    EntryRevision.objects.filter(entry=entry).update(case=case)
    hidden = scanned(cast, entry, "papers", case_id=case.pk)
    told = {"name": "档案室", "number": "A1", "photos": hidden.split("/")[2], "_revision": "1", "act": "submit"}
    staff = cast.client("staff")
    assert staff.post(f"/entries/{ids.encode('entry', entry.pk)}/edit/", told).status_code == 302
    entry.refresh_from_db()
    assert not entry.data.get("photos")
    assert entry.data["papers"]
    assert staff.get(hidden).status_code == 404


def test_a_graded_file_of_a_case_is_written_down(cast: Cast, define: Define, case: Case) -> None:
    fields = [field("photos", "file", grade="L4")]
    body = {"key": "demo.form", "title": "样表", "sections": [{"key": "s", "title": "一", "fields": fields}]}
    Case.objects.filter(pk=case.pk).update(form_version=define("form", body).current)
    assert cast.client("school_admin").get(f"/attachments/{added(cast, case)['id']}/").status_code == 200
    assert AuditEntry.objects.get(action="casework.attachment_read").details["is_sensitive"] is True


def test_only_people_orgs_and_entries_are_looked_for(cast: Cast) -> None:
    client = cast.client("school_admin")
    assert client.get("/parties/", {"kind": "stranger", "q": "王"}).status_code == 404
    assert client.get("/parties/", {"kind": "person", "q": ""}).json() == {"rows": []}
