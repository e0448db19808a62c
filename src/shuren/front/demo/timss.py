"""TIMSS 2011, grade 4, Austria, as a results file: real responses of real pupils, whose names and places are invented.

Districts are groups of neighbouring jackknife zones, as even in schools as they come; every page that shows the data
says so (`SOURCE_NOTE`, `POPULATION_NOTE`). Official plausible values travel along as reference columns: they are
compared with, never measured from.
"""

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from shuren.assessment.api import TableKind, write_package
from shuren.front.demo.names import DISTRICTS
from shuren.front.demo.roster import DemoPupil, DemoSchool, write_oneroster

CODE = "timss-2011-g4"
HELD_DATE = "2026-05-20"
CITY_ID = "city"
CONTRASTS = ("female", "ASBG04")
SOURCE_NOTE = "真实作答：TIMSS 2011 奥地利四年级；机构与人名均为虚构（SOURCE: TIMSS 2011 Assessment, IEA）"
POPULATION_NOTE = (
    "4,668 名真实学生、158 所学校、276 个班的作答，按抽样权重代表全体四年级学生。"
    "学校与班级的归属来自原始数据；城市、区县、学校和人的名称均为虚构，区县由相邻的抽样分区（JKCZONE）合并而成。"
)
CONTENT = {"N": "数", "G": "几何图形与测量", "D": "数据呈现"}
COGNITIVE = {"K": "知道", "A": "应用", "R": "推理"}
AGREE = "1=非常同意；2=比较同意；3=不太同意；4=很不同意"
OFTEN = "1=每天或几乎每天；2=每周一两次；3=每月一两次；4=从不或几乎从不"
HAVE = "1=有；2=没有"
QUESTIONS: Mapping[str, tuple[str, str]] = {
    "female": ("性别", "0=男；1=女"),
    "ASBG04": ("家里大约有多少本书", "1=0-10 本；2=11-25 本；3=26-100 本；4=101-200 本；5=200 本以上"),
    "ASBG05A": ("家里有电脑", HAVE),
    "ASBG05B": ("有自己用的书桌", HAVE),
    "ASBG05C": ("有自己的书", HAVE),
    "ASBG05D": ("有自己的房间", HAVE),
    "ASBG05E": ("家里能上网", HAVE),
    "ASBG05F": ("家庭物品六（各国自定）", HAVE),
    "ASBG05G": ("家庭物品七（各国自定）", HAVE),
    "ASBG05H": ("家庭物品八（各国自定）", HAVE),
    "ASBG06A": ("在家使用电脑的频率", OFTEN),
    "ASBG06B": ("在学校使用电脑的频率", OFTEN),
    "ASBG06C": ("在其他地方使用电脑的频率", OFTEN),
    "ASBG07A": ("父母问我在学校学了什么", OFTEN),
    "ASBG07B": ("我和父母谈论学校的功课", OFTEN),
    "ASBG07C": ("父母督促我留出时间做作业", OFTEN),
    "ASBG07D": ("父母检查我是否做了作业", OFTEN),
    "ASBM01A": ("我喜欢学数学", AGREE),
    "ASBM01B": ("我希望不必学数学", AGREE),
    "ASBM01C": ("数学很无聊", AGREE),
    "ASBM01D": ("我在数学课上学到很多有趣的东西", AGREE),
    "ASBM01E": ("我喜欢数学", AGREE),
    "ASBM01F": ("学好数学很重要", AGREE),
    "ASBM02A": ("我知道老师希望我做什么", AGREE),
    "ASBM02B": ("上课时我会想与课无关的事", AGREE),
    "ASBM02C": ("老师讲得容易懂", AGREE),
    "ASBM02D": ("我对老师讲的内容感兴趣", AGREE),
    "ASBM02E": ("老师让我做有趣的事", AGREE),
    "ASBM03A": ("我的数学通常很好", AGREE),
    "ASBM03B": ("数学对我比对许多同学更难", AGREE),
    "ASBM03C": ("我就是不擅长数学", AGREE),
    "ASBM03D": ("我学数学很快", AGREE),
    "ASBM03E": ("我擅长解数学难题", AGREE),
    "ASBM03F": ("老师说我数学好", AGREE),
    "ASBM03G": ("数学比其他学科更难", AGREE),
}
REFERENCES = tuple(f"{stem}{number:02d}" for stem in ("ASMMAT", "ASSSCI") for number in range(1, 6))
OMITTED = "9"

Row = Mapping[str, str]


def write_roster(data: Path, target: Path) -> Path:
    """The OneRoster package of the invented city in which the real schools stand; same data, same bytes."""
    write_oneroster(target, schools_of(rows_of(data)))
    return target


def write_results(data: Path, target: Path) -> Path:
    """The results package: items with their domains, responses, weights, questionnaires and official values."""
    rows = rows_of(data)
    items = items_of(data)
    pupils = [pupil_id(row) for row in rows]
    answers = {code: [row[code] for row in rows] for code in (str(item["code"]) for item in items)}
    responses = _table(pupils, {"题本": [row["IDBOOK"] for row in rows], **answers})
    weights = {"权重": "TOTWGT", "分区": "JKCZONE", "复本": "JKCREP", "SENWGT": "SENWGT"}
    write_package(
        target,
        info={
            "code": CODE,
            "name": "四年级数学学业质量监测（TIMSS 2011）",
            "grade": "四年级",
            "held_date": HELD_DATE,
            "session": "2025-2026 学年第二学期",
            "org": CITY_ID,
            "is_simulated": "否",
            "source_note": SOURCE_NOTE,
            "population_note": POPULATION_NOTE,
            "pupil_id": "sourcedId",
            "not_administered": "空",
            "cuts": "400,475,550,625",
            "levels": "未达基础,基础,中等,良好,优秀",
        },
        items=items,
        responses=responses,
        others={
            TableKind.WEIGHTS: _table(pupils, {title: [row[name] for row in rows] for title, name in weights.items()}),
            TableKind.QUESTIONNAIRE: _table(pupils, {name: [_answered(row[name]) for row in rows] for name in QUESTIONS}),
            TableKind.CODEBOOK: pa.table(
                {
                    "变量": list(QUESTIONS),
                    "名称": [label for label, _values in QUESTIONS.values()],
                    "取值说明": [values for _label, values in QUESTIONS.values()],
                }
            ),
            TableKind.REFERENCES: _table(pupils, {name: [row[name] for row in rows] for name in REFERENCES}),
        },
    )
    return target


def rows_of(data: Path) -> list[dict[str, str]]:
    """The pupils as the public file holds them, in its order."""
    with gzip.open(data / "data.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def items_of(data: Path) -> list[dict[str, object]]:
    """The items in the order of the file, with content and cognitive domain from the Q-matrices."""
    content = _domains(data / "q.matrix2.csv.gz", "CONT_", CONTENT)
    cognitive = _domains(data / "q.matrix3.csv.gz", "COGN_", COGNITIVE)
    return [
        {
            "code": code,
            "label": code,
            "max_score": 1,
            "subject": "数学",
            "content_domain": content[code],
            "cognitive_domain": cognitive[code],
        }
        for code in content
    ]


def pupil_id(row: Row) -> str:
    return f"p{row['uidstud']}"


def schools_of(rows: Iterable[Row]) -> list[DemoSchool]:
    """The schools with their classes and pupils, each in the district that its zone belongs to."""
    by_school: dict[str, list[Row]] = {}
    for row in rows:
        by_school.setdefault(row["IDSCHOOL"], []).append(row)
    district = _districts({school: int(found[0]["JKCZONE"]) for school, found in by_school.items()})
    return [
        DemoSchool(
            id=f"s{int(school):04d}",
            district=district[school],
            pupils=tuple(
                DemoPupil(id=pupil_id(row), class_id=f"c{int(row['IDCLASS']):06d}", is_girl=row["female"] == "1") for row in found
            ),
        )
        for school, found in sorted(by_school.items(), key=lambda pair: int(pair[0]))
    ]


def _districts(zones: Mapping[str, int]) -> dict[str, str]:
    """Cut the schools, ordered by zone, into as many runs as there are districts, never inside a zone."""
    ordered = sorted(zones, key=lambda school: (zones[school], int(school)))
    share = len(ordered) / len(DISTRICTS)
    first_of_zone = {zone: place for place, zone in reversed(list(enumerate(zones[school] for school in ordered)))}
    return {school: DISTRICTS[int(first_of_zone[zones[school]] / share)] for school in ordered}


def _domains(path: Path, prefix: str, words: Mapping[str, str]) -> dict[str, str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {row["item"]: next(word for letter, word in words.items() if row[prefix + letter] == "1") for row in rows}


def _answered(cell: str) -> str:
    return "" if cell == OMITTED else cell


def _table(pupils: Sequence[str], columns: Mapping[str, Sequence[str]]) -> pa.Table:
    return pa.table({"学生": pa.array(pupils), **{name: pa.array(values, pa.string()) for name, values in columns.items()}})
