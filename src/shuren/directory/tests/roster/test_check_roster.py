"""Every planted fault is told with its file, row and column, and keeps the whole file out."""

import zipfile
from pathlib import Path

import openpyxl
import pytest

from shuren.directory import api
from shuren.directory.data import NewPerson, Role, RosterForm
from shuren.directory.models import Org, Person
from shuren.directory.services.check_roster.messages import SENTENCES
from shuren.directory.services.check_roster.staging import FILE_NAME
from shuren.directory.tests.roster.conftest import NOW, Roster, check, found, take_in
from shuren.intake import api as intake
from shuren.kernel.data import SYSTEM, Actor

pytestmark = pytest.mark.django_db

# file, sourced id, heading, planted value, column told (if another), is it an error
PLANTED = [
    ("orgs", "S1", "name", "", "", True),
    ("orgs", "S1", "name", "校" * 121, "", True),
    ("orgs", "S1", "type", "faculty", "", True),
    ("orgs", "S1", "parentSourcedId", "nowhere", "", True),
    ("orgs", "S1", "parentSourcedId", "S2", "", True),
    ("orgs", "S2", "parentSourcedId", "", "", True),
    ("orgs", "D", "parentSourcedId", "S1", "", True),
    ("orgs", "S1", "identifier", "12", "", False),
    ("orgs", "S1", "metadata.creditCode", "91350100M000100Y44", "", False),
    ("orgs", "S1", "metadata.divisionCode", "12345", "", False),
    ("orgs", "S1", "status", "active", "", True),
    ("academicSessions", "Y1", "startDate", "2026-13-01", "", True),
    ("academicSessions", "Y1", "endDate", "2026-08-01", "", True),
    ("academicSessions", "Y1", "schoolYear", "next", "", True),
    ("academicSessions", "Y1", "type", "week", "", True),
    ("academicSessions", "Y1", "parentSourcedId", "Y9", "", True),
    ("courses", "HR", "orgSourcedId", "X", "", True),
    ("courses", "HR", "title", "", "", True),
    ("classes", "K1", "classType", "club", "", True),
    ("classes", "K1", "schoolSourcedId", "K9", "", True),
    ("classes", "K1", "courseSourcedId", "K9", "", True),
    ("classes", "K1", "termSourcedIds", "Y1,Y9", "", True),
    ("classes", "K1", "termSourcedIds", "", "", True),
    ("users", "P1", "familyName", "", "", True),
    ("users", "P1", "enabledUser", "yes", "", True),
    ("users", "P1", "phone", "1" * 31, "", True),
    ("users", "P1", "givenName", "安\x07", "", True),
    ("users", "P1", "agentSourcedIds", "Q", "", True),
    ("users", "P1", "agentSourcedIds", "P1", "", True),
    ("users", "P1", "primaryOrgSourcedId", "S2", "", True),
    ("users", "P1", "metadata.nationalId", "110101201701100018", "", False),
    ("users", "P1", "metadata.pupilNumber", "123", "", False),
    ("demographics", "P1", "birthDate", "2017-02-30", "", True),
    ("demographics", "P1", "birthDate", "2031-02-03", "", True),
    ("demographics", "P1", "sex", "m", "", True),
    ("roles", "RP1", "userSourcedId", "nobody", "", True),
    ("roles", "RP1", "orgSourcedId", "D", "role", True),
    ("roles", "RP1", "roleType", "main", "", True),
    ("roles", "RP1", "role", "systemAdministrator", "", True),
    ("roles", "RP1", "role", "wizard", "", True),
    ("roles", "RT1", "metadata.role", "county_officer", "role", True),
    ("roles", "RP1", "beginDate", "01/09/2026", "", True),
    ("enrollments", "EP1", "classSourcedId", "S1", "", True),
    ("enrollments", "EP1", "userSourcedId", "P9", "", True),
    ("enrollments", "EP1", "role", "visitor", "", True),
    ("enrollments", "EP1", "primary", "1", "", True),
    ("enrollments", "EP1", "schoolSourcedId", "S9", "", True),
    ("enrollments", "EP1", "sourcedId", "E1", "", True),
]


@pytest.mark.parametrize(("name", "sid", "heading", "value", "column", "is_error"), PLANTED)
def test_planted_fault_is_told_with_its_place(
    roster: Roster, tmp_path: Path, name: str, sid: str, heading: str, value: str, column: str, is_error: bool
) -> None:
    line = roster.line_of(name, sid)
    roster.row(name, sid)[heading] = value
    state = check(roster.write(tmp_path / "r.zip"))
    told = [(finding.file, finding.row, finding.column, finding.is_error) for finding in found(state)]
    assert (f"{name}.csv", line, column or heading, is_error) in told
    assert all(finding.reason and finding.remedy for finding in found(state))
    assert state.status == ("rejected" if is_error else "ready")
    assert not Org.objects.exists()


def test_sound_roster_has_no_findings(roster: Roster, tmp_path: Path) -> None:
    state = check(roster.write(tmp_path / "r.zip"))
    assert found(state) == []
    assert state.status == "ready"
    assert state.counts == {"session": 2, "org": 7, "course": 1, "person": 8, "affiliation": 8, "enrollment": 7, "link": 2}


def test_national_id_never_stays_in_plain(roster: Roster, tmp_path: Path) -> None:
    plain = "110101201701100026"
    roster.row("users", "P1")["metadata.nationalId"] = plain
    state = check(roster.write(tmp_path / "r.zip"))
    assert all(plain not in finding.value for finding in found(state))
    folder = intake.import_dir(state.id)
    stage = (folder / FILE_NAME).read_bytes()
    assert plain.encode() not in stage[: len(stage)] or b"sealed_id" in stage
    take_in(roster.write(tmp_path / "again.zip"))
    person = Person.objects.get(sourced_id="P1")
    assert plain.encode() not in bytes(person.national_id_sealed)
    assert person.national_id_index
    assert not list(folder.parent.glob(f"{state.id + 1}/{FILE_NAME}"))


@pytest.mark.parametrize(
    ("member", "content", "column"),
    [
        ("lineItems.csv", b"sourcedId\r\n", ""),
        ("sub/orgs.csv", b"sourcedId\r\n", ""),
    ],
)
def test_files_the_manifest_does_not_name_are_refused(
    roster: Roster, tmp_path: Path, member: str, content: bytes, column: str
) -> None:
    roster.extra_members[member] = content
    state = check(roster.write(tmp_path / "r.zip"))
    assert state.status == "rejected"
    assert [(finding.file, finding.column) for finding in found(state) if finding.is_error] == [(member, column)]


def test_manifest_faults_are_told(roster: Roster, tmp_path: Path) -> None:
    del roster.rows["demographics"]
    manifest = roster.manifest().replace(b"oneroster.version,1.2", b"oneroster.version,1.3")
    manifest = manifest.replace(b"file.demographics,absent", b"file.demographics,bulk").replace(
        b"file.users,bulk", b"file.users,full"
    )
    roster.extra_members["manifest.csv"] = manifest
    state = check(roster.write(tmp_path / "r.zip"))
    columns = {finding.column for finding in found(state) if finding.file == "manifest.csv"}
    assert columns == {"oneroster.version", "file.users", "file.demographics"}


@pytest.mark.parametrize("name", ["users", "orgs"])
def test_header_out_of_order_is_told(roster: Roster, tmp_path: Path, name: str) -> None:
    content = roster.content(name).decode()
    first, rest = content.split("\r\n", 1)
    headings = first.split(",")
    headings[3], headings[4] = headings[4], headings[3]
    roster.extra_members[f"{name}.csv"] = (",".join(headings) + "\r\n" + rest).encode()
    state = check(roster.write(tmp_path / "r.zip"))
    assert (f"{name}.csv", 1, roster.header(name)[3]) in [(finding.file, finding.row, finding.column) for finding in found(state)]


def test_other_encoding_is_told_with_its_line(roster: Roster, tmp_path: Path) -> None:
    roster.extra_members["users.csv"] = roster.content("users").decode().encode("gb18030")
    state = check(roster.write(tmp_path / "r.zip"))
    assert ("users.csv", 2) in [(finding.file, finding.row) for finding in found(state)]
    assert state.status == "rejected"


@pytest.mark.parametrize(("spoil", "line"), [(b"U9,,\r\n", 10), (b'U9,,"never closed\r\n', 10), (b"\r\nU9,,\r\n", 11)])
def test_lines_the_fast_reader_refuses_are_told_by_number(roster: Roster, tmp_path: Path, spoil: bytes, line: int) -> None:
    roster.extra_members["users.csv"] = roster.content("users") + spoil
    state = check(roster.write(tmp_path / "r.zip"))
    assert ("users.csv", line) in [(finding.file, finding.row) for finding in found(state) if finding.is_error]


def test_not_a_zip_and_bomb_are_told(tmp_path: Path) -> None:
    for name, content, rule in (
        ("r.zip", b"PK\x03\x04 nothing", "not_a_zip"),
        ("text.zip", b"sourcedId,status", "not_a_zip"),
        ("r.xlsx", b"PK\x03\x04 nothing", "not_a_workbook"),
        ("text.csv", b"sourcedId,status", "not_a_workbook"),
    ):
        broken = tmp_path / name
        broken.write_bytes(content)
        state = check(broken)
        assert state.status == "rejected"
        assert found(state)[0].reason == str(SENTENCES[rule][0])
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", b"0" * 50_000_000)
    state = check(bomb)
    assert state.status == "rejected"
    assert found(state)[0].file == "bomb.zip"


def test_member_that_does_not_unpack_is_told(roster: Roster, tmp_path: Path) -> None:
    path = tmp_path / "r.zip"
    with (
        zipfile.ZipFile(roster.write(tmp_path / "sound.zip")) as sound,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for info in sound.infolist():
            other.writestr(info.filename, sound.read(info))
    with zipfile.ZipFile(path) as packed:
        begun = packed.getinfo("users.csv").header_offset + 30 + len("users.csv")
    content = bytearray(path.read_bytes())
    content[begun : begun + 4] = b"\xff" * 4
    path.write_bytes(content)
    state = check(path)
    assert state.status == "rejected"
    assert [(finding.file, finding.value) for finding in found(state)] == [("r.zip", "error")]


def test_circle_is_told(roster: Roster, tmp_path: Path) -> None:
    roster.rows["orgs"] += [
        {"sourcedId": "X1", "name": "部门甲", "type": "department", "parentSourcedId": "X2"},
        {"sourcedId": "X2", "name": "部门乙", "type": "department", "parentSourcedId": "X1"},
    ]
    state = check(roster.write(tmp_path / "r.zip"))
    assert {(finding.file, finding.row, finding.column) for finding in found(state)} == {
        ("orgs.csv", 6, "parentSourcedId"),
        ("orgs.csv", 7, "parentSourcedId"),
    }


def test_second_primary_role_at_an_org_is_told(roster: Roster, tmp_path: Path) -> None:
    roster.rows["roles"].append({**roster.row("roles", "RT1"), "sourcedId": "RT9", "role": "principal", "metadata.role": ""})
    state = check(roster.write(tmp_path / "r.zip"))
    assert ("roles.csv", 10, "roleType") in [(finding.file, finding.row, finding.column) for finding in found(state)]


def test_delta_wants_status_and_time(roster: Roster, tmp_path: Path) -> None:
    roster.states = dict.fromkeys(roster.rows, "delta")
    state = check(roster.write(tmp_path / "r.zip"))
    columns = {finding.column for finding in found(state)}
    assert {"status", "dateLastModified"} <= columns


def test_workbook_faults_name_sheet_and_heading(province_file: object, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(api.roster_template())
    book = openpyxl.load_workbook(path)
    book["机构"].append(["XX1", "启明小学", None, "学校", None])
    book["学生"].append(["S1", "张安", "公", "2031-02-30", None, None, "3", "XX1", "没有的班"])
    book["教职工"].append(["T1", "王芳", "女", None, None, None, "XX1", None])
    book.save(path)
    state = check(path)
    told = {(finding.sheet, finding.row, finding.column) for finding in found(state) if finding.is_error}
    assert {("学生", 3, "性别"), ("学生", 3, "出生日期"), ("教职工", 3, "岗位")} <= told


def test_workbook_without_its_columns_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "学生"
    book.active.append(["人员编号", "名字"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    state = check(path)
    assert {finding.column for finding in found(state) if finding.sheet == "学生" and finding.is_error} == {"姓名", "学校编号"}
    assert any(finding.value == "机构" for finding in found(state))


def administrator_of(school: str) -> Actor:
    admin = api.add_person(actor=SYSTEM, person=NewPerson(name="管理员"), now=NOW).id
    org_id = api.org_ids_by_sourced([school])[school]
    api.affiliate(actor=SYSTEM, person_id=admin, org_id=org_id, role=Role.SCHOOL_ADMIN, now=NOW)
    return Actor(person_id=admin, account_id=1, name="管理员")


def test_roster_reaches_no_further_than_who_brings_it(roster: Roster, tmp_path: Path) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    actor = administrator_of("S1")
    roster.row("users", "P4")["givenName"] = "换"
    roster.rows["roles"].append(
        {"sourcedId": "RX", "userSourcedId": "T1", "roleType": "secondary", "role": "principal", "orgSourcedId": "S1"}
    )
    roster.row("orgs", "S2")["name"] = "改名小学"
    state = check(roster.write(tmp_path / "mine.zip"), actor=actor)
    told = {(finding.file, finding.row) for finding in found(state)}
    assert ("users.csv", roster.line_of("users", "P4")) in told
    assert ("roles.csv", roster.line_of("roles", "RX")) in told
    assert ("orgs.csv", roster.line_of("orgs", "S2")) in told
    assert state.status == "rejected"


@pytest.mark.parametrize("status", ["active", "tobedeleted"])
@pytest.mark.parametrize(
    ("name", "sid", "told"),
    [
        ("courses", "HR", {"orgSourcedId": "S1"}),
        ("roles", "RP4", {"orgSourcedId": "S1"}),
        ("roles", "RP4", {"orgSourcedId": "S1", "userSourcedId": "P3"}),
        ("enrollments", "EP4", {"classSourcedId": "K1", "schoolSourcedId": "S1"}),
        ("enrollments", "E3", {"classSourcedId": "K1", "schoolSourcedId": "S1", "userSourcedId": "T1"}),
    ],
)
def test_what_is_of_others_is_neither_taken_nor_ended_by_its_id(
    roster: Roster, tmp_path: Path, status: str, name: str, sid: str, told: dict[str, str]
) -> None:
    take_in(roster.write(tmp_path / "r.zip"))
    actor = administrator_of("S1")
    stamp = {"dateLastModified": "2026-10-11T00:00:00Z"}
    own = {**roster.row("users", "P1"), "status": "active", **stamp}
    row = {**roster.row(name, sid), **told, "status": status, **stamp}
    delta = Roster({"users": [own], name: [row]}, {"users": "delta", name: "delta"})
    state = check(delta.write(tmp_path / "delta.zip"), actor=actor)
    assert (f"{name}.csv", 2, "sourcedId") in {(finding.file, finding.row, finding.column) for finding in found(state)}
    assert state.status == "rejected"


def test_form_words_are_known() -> None:
    assert {form.value for form in RosterForm} == {"oneroster", "excel"}
