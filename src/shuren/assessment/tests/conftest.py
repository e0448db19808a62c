"""The cast of these tests: a city, two counties, three schools, four classes, twelve pupils in each; and files about them."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.apps import apps
from openpyxl import Workbook

from shuren.directory import api as directory
from shuren.directory.data import NewOrg, OrgType, Role
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState
from shuren.kernel.data import SYSTEM, Actor
from shuren.work.api import run_pending

NOW = datetime(2026, 6, 20, 1, 0, tzinfo=UTC)
HELD = date(2026, 6, 18)
BEGUN = date(2025, 9, 1)
PUPILS_PER_CLASS = 12
Rows = list[list[str]]
Sheets = dict[str, Rows]


@dataclass
class Cast:
    """Ids by sourced id. Rows are written in bulk: a test of files should not spend its time on adding people one by one."""

    orgs: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    pupils: list[str] = field(default_factory=list)

    def add_org(self, key: str, parent: str | None, kind: OrgType, name: str) -> None:
        new = NewOrg(parent_id=self.orgs[parent] if parent else None, type=kind, name=name, sourced_id=key)
        self.orgs[key] = directory.add_org(actor=SYSTEM, org=new, now=NOW).id

    def add_people(self, people: list[tuple[str, str, str, str]]) -> None:
        """Add (sourced id, role, org, class or "") and find out their row ids."""
        paths = {key: org.path for key, org in ((key, directory.orgs_by_ids([pk])[pk]) for key, pk in self.orgs.items())}
        person, affiliation, enrollment = (apps.get_model("directory", name) for name in ("Person", "Affiliation", "Enrollment"))
        person.objects.bulk_create(
            person(sourced_id=key, number=f"T{place:013d}", name=f"甲{key}", pupil_number=number_of(key), is_synthetic=True)
            for place, (key, _role, _org, _class) in enumerate(people)
        )
        self.people = directory.person_ids_by_sourced([key for key, *_rest in people])
        affiliation.objects.bulk_create(
            affiliation(
                sourced_id=f"a-{key}", person_id=self.people[key], org_id=self.orgs[org], org_path=paths[org], role=role,
                begin_date=BEGUN,
            )
            for key, role, org, _class in people
        )  # fmt: skip
        enrollment.objects.bulk_create(
            enrollment(
                sourced_id=f"e-{key}", person_id=self.people[key], class_org_id=self.orgs[class_], org_path=paths[class_],
                role="student", is_primary=True, begin_date=BEGUN,
            )
            for key, _role, _org, class_ in people
            if class_
        )  # fmt: skip

    def actor(self, key: str) -> Actor:
        return Actor(person_id=self.people[key], account_id=self.people[key], name=key)


def number_of(key: str) -> str:
    """The 学籍号 of a pupil such as `c1-02`; nobody else has one."""
    return f"G11010120150{key[1]}{int(key[3:]):03d}0" if key[0] == "c" else ""


CLASSES = {"c1": "s1", "c2": "s1", "c3": "s2", "c4": "s3"}
ADULTS = [
    ("officer", Role.CITY_OFFICER.value, "city", ""),
    ("east_officer", Role.COUNTY_OFFICER.value, "east", ""),
    ("head1", Role.HEAD.value, "s1", ""),
    ("head3", Role.HEAD.value, "s3", ""),
    ("pupilless", Role.STAFF.value, "s3", ""),
]


@pytest.fixture
def cast(db: None) -> Cast:
    cast = Cast()
    cast.add_org("city", None, OrgType.CITY, "云岭市教育局")
    for county in ("east", "west"):
        cast.add_org(county, "city", OrgType.COUNTY, f"{county}区教育局")
    for school, county in (("s1", "east"), ("s2", "east"), ("s3", "west")):
        cast.add_org(school, county, OrgType.SCHOOL, f"{school}小学")
    for class_, school in CLASSES.items():
        cast.add_org(class_, school, OrgType.CLASS, f"四年级{class_}班")
    cast.pupils = [f"{class_}-{number:02d}" for class_ in CLASSES for number in range(1, PUPILS_PER_CLASS + 1)]
    cast.add_people([*((key, Role.PUPIL.value, CLASSES[key[:2]], key[:2]) for key in cast.pupils), *ADULTS])
    return cast


INFO = {
    "测验代码": "math-2026",
    "测验名称": "四年级数学监测",
    "年级": "四年级",
    "测验日期": HELD.isoformat(),
    "组织编号": "city",
    "是否模拟数据": "否",
    "数据来源说明": "测试数据",
    "未作答代码": "9",
    "未到达代码": "8",
    "未施测代码": "空",
    "划界分数": "400,475,550,625",
}
ITEM_HEAD = ["题号", "题目名称", "满分", "学科", "内容领域", "认知领域", "知识点"]
ITEMS = [
    ["M1", "加法", "1", "数学", "数与代数", "知道", "整数加法"],
    ["M2", "减法", "1", "数学", "数与代数", "应用", "整数减法;验算"],
    ["M3", "面积", "2", "数学", "图形与几何", "应用", ""],
    ["M4", "统计图", "0-3", "数学", "统计与概率", "推理", ""],
]


def answer_of(pupil: int, item: int) -> str:
    """A fixed pattern with every kind of cell: scores, omitted, not reached, not administered."""
    highest = (1, 1, 2, 3)[item]
    turn = (pupil * 7 + item * 3) % 11
    if turn == 10:
        return "9"
    if turn == 9 and item == 3:
        return "8"
    if turn == 8 and item == 2:
        return ""
    return str(turn % (highest + 1))


def sheets_of(cast: Cast, **info: str) -> Sheets:
    """A faultless results file about everybody in the cast."""
    settings = {**INFO, **info}
    head = ["学生", "题本", *(item[0] for item in ITEMS)]
    answers = [[key, str(place % 2 + 1), *(answer_of(place, item) for item in range(4))] for place, key in enumerate(cast.pupils)]
    return {
        "测验信息": [["项目", "内容"], *([key, value] for key, value in settings.items())],
        "题目表": [list(ITEM_HEAD), *(list(row) for row in ITEMS)],
        "作答": [head, *answers],
        "问卷": [["学生", "Q1", "Q2"], *([key, str(place % 4 + 1), ""] for place, key in enumerate(cast.pupils[:40]))],
        "权重": [
            ["学生", "权重", "分区", "复本", "SENWGT"],
            *([key, f"{1 + place / 8:g}", str(place // 12 + 1), str(place % 2), "0.5"] for place, key in enumerate(cast.pupils)),
        ],
        "变量说明": [["变量", "名称", "取值说明"], ["Q1", "家里的书", "1=很少；4=很多"]],
        "参考值": [["学生", "PV1"], *([key, f"{500 + place}.25"] for place, key in enumerate(cast.pupils))],
    }


FILES = {
    "测验信息": "info",
    "题目表": "items",
    "作答": "responses",
    "问卷": "questionnaire",
    "权重": "weights",
    "变量说明": "codebook",
    "参考值": "references",
}


def package_of(sheets: Mapping[str, Rows], encoding: str = "utf-8") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in sheets.items():
            text = "\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows) + "\n"
            archive.writestr(f"{FILES.get(name, name)}.csv", text.encode(encoding))
    return stream.getvalue()


def workbook_of(sheets: Mapping[str, Rows]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(
                [float(cell) if cell.replace(".", "", 1).isdigit() and name != "测验信息" else cell or None for cell in row]
            )
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def long_of(sheets: Sheets) -> Sheets:
    """The same file with one row per pupil and item; cells not administered have no row."""
    head, *rows = sheets["作答"]
    long = [["学生", "题本", "题号", "作答"]]
    for row in rows:
        long += [[row[0], row[1], item, cell] for item, cell in zip(head[2:], row[2:], strict=True) if cell]
    return {**sheets, "作答": long}


def start(content: bytes, *, actor: Actor = SYSTEM, name: str = "results.zip") -> ImportState:
    """Upload a results file and let the check run."""
    import_id = intake.start_import(actor=actor, kind="results", file_name=name, content=io.BytesIO(content), options={}, now=NOW)
    run_pending()
    return intake.import_state(import_id)


def apply(state: ImportState, *, actor: Actor = SYSTEM) -> ImportState:
    intake.request_apply(actor=actor, import_id=state.id, now=NOW)
    run_pending()
    return intake.import_state(state.id)


def findings_of(state: ImportState) -> list[Finding]:
    return list(intake.kept_findings(state.id))


def spot(finding: Finding) -> tuple[Any, ...]:
    return finding.file, finding.sheet, finding.row, finding.column, finding.value, finding.reason


@pytest.fixture
def stored(cast: Cast) -> tuple[Cast, int]:
    """The cast with one test imported; the second member is its id."""
    state = apply(start(package_of(sheets_of(cast))))
    assert state.status == "applied", (state, findings_of(state))
    return cast, state.id
