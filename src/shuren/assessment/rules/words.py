"""The words of a results file: which table is which, which column is which, in Chinese and in English."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shuren.assessment.data import ReportScale


class TableKind(StrEnum):
    """The tables of a results file; the value is the CSV file's name without its ending."""

    INFO = "info"
    ITEMS = "items"
    RESPONSES = "responses"
    QUESTIONNAIRE = "questionnaire"
    WEIGHTS = "weights"
    CODEBOOK = "codebook"
    REFERENCES = "references"


TABLE_NAMES: Mapping[TableKind, str] = {
    TableKind.INFO: "测验信息",
    TableKind.ITEMS: "题目表",
    TableKind.RESPONSES: "作答",
    TableKind.QUESTIONNAIRE: "问卷",
    TableKind.WEIGHTS: "权重",
    TableKind.CODEBOOK: "变量说明",
    TableKind.REFERENCES: "参考值",
}
REQUIRED_TABLES = (TableKind.INFO, TableKind.ITEMS, TableKind.RESPONSES)


@dataclass(frozen=True, slots=True)
class Word:
    """One column or setting: the title we write, its other spellings, and the note in the template."""

    title: str
    others: tuple[str, ...] = ()
    note: str = ""
    is_required: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.title, *self.others)


INFO_WORDS: Mapping[str, Word] = {
    "code": Word("测验代码", ("code",), "字母、数字、点、横线，全平台不重复；再次导入同一代码即更新这次测验", True),
    "name": Word("测验名称", ("name",), "页面和报告上显示的名称", True),
    "grade": Word("年级", ("grade",), "如：四年级"),
    "held_date": Word("测验日期", ("held_date", "date"), "YYYY-MM-DD；按这一天的在班情况确定学生的班级", True),
    "session": Word("学期", ("session",), "如：2025-2026 学年第一学期"),
    "org": Word("组织编号", ("org",), "参测范围最上层机构的编号（sourcedId 或机构代码）", True),
    "is_simulated": Word("是否模拟数据", ("is_simulated", "simulated"), "是 或 否"),
    "source_note": Word("数据来源说明", ("source_note",), "显示在每一个用到这份数据的页面上"),
    "population_note": Word("人群说明", ("population_note",), "谁参加了测验、哪些信息是虚构的"),
    "pupil_id": Word("学生标识", ("pupil_id",), "sourcedId 或 学号（一人一号、学籍号均可）；默认 sourcedId"),
    "scoring": Word("作答内容", ("scoring",), "得分 或 选项；选项按题目表中的答案判分；默认 得分"),
    "omitted": Word("未作答代码", ("omitted",), "有机会作答而没有作答；默认 9；多个代码用逗号隔开"),
    "not_reached": Word("未到达代码", ("not_reached",), "时间不够没有做到；默认 8"),
    "not_administered": Word("未施测代码", ("not_administered",), "该生的题本中没有这道题；默认 空"),
    "scale_mean": Word("量表均值", ("scale_mean",), "报告分的平均值，默认 500"),
    "scale_sd": Word("量表标准差", ("scale_sd",), "报告分的标准差，默认 100"),
    "cuts": Word("划界分数", ("cuts",), "由低到高，逗号隔开，如 400,475,550,625"),
    "levels": Word("水平名称", ("levels",), "比划界分数多一个，由低到高，逗号隔开"),
}
ITEM_WORDS: Mapping[str, Word] = {
    "code": Word("题号", ("item", "code"), "与作答表的列名一致", True),
    "label": Word("题目名称", ("label",), "可不填"),
    "max_score": Word("满分", ("max_score", "得分范围", "score_range"), "整数，或 0-3 这样的得分范围；默认 1"),
    "key": Word("答案", ("key",), "选项题的正确选项，如 B；多个正确用 B|D；部分得分用 A=2|B=1"),
    "options": Word("选项", ("options",), "合法的选项，逗号隔开；默认 A,B,C,D"),
    "subject": Word("学科", ("subject",), "", True),
    "content_domain": Word("内容领域", ("content_domain", "content")),
    "cognitive_domain": Word("认知领域", ("cognitive_domain", "cognitive")),
    "knowledge_units": Word("知识点", ("knowledge_units", "knowledge"), "多个知识点用分号隔开"),
}
PUPIL_WORD = Word("学生", ("学生标识", "学籍号", "学号", "一人一号", "sourcedId", "pupil", "person"), "一行一名学生", True)
BOOKLET_WORD = Word("题本", ("booklet",), "有多个题本时填写")
LONG_WORDS: Mapping[str, Word] = {
    "item": Word("题号", ("item",), "", True),
    "response": Word("作答", ("response", "value", "得分"), "", True),
}
WEIGHT_WORDS: Mapping[str, Word] = {
    "weight": Word("权重", ("weight",), "抽样权重，大于 0", True),
    "zone": Word("分区", ("zone", "复本分区"), "刀切法分区，正整数"),
    "rep": Word("复本", ("rep", "复本单元"), "刀切法复本单元，0 或 1"),
}
CODEBOOK_WORDS: Mapping[str, Word] = {
    "name": Word("变量", ("name", "variable"), "问卷表的列名", True),
    "label": Word("名称", ("label",)),
    "values": Word("取值说明", ("values",), "如 1=同意；2=不同意"),
}


@dataclass(frozen=True, slots=True)
class MissingCodes:
    """Texts that stand for a missing response; `declared` are those the file names itself."""

    omitted: frozenset[str]
    not_reached: frozenset[str]
    not_administered: frozenset[str]
    declared: frozenset[str]


@dataclass(frozen=True, slots=True)
class TestInfo:
    """What a results file says about the test as a whole."""

    __test__ = False  # pytest would take the class for a test

    code: str
    name: str
    grade: str
    held_date: str
    session: str
    org: str
    is_simulated: bool
    source_note: str
    population_note: str
    by_number: bool
    by_options: bool
    missing: MissingCodes
    scale: ReportScale


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """One row of the item table. `marks` maps an option to its score; empty when responses are scores already."""

    code: str
    label: str
    subject: str
    content_domain: str
    cognitive_domain: str
    knowledge_units: tuple[str, ...]
    max_score: int
    key: str
    options: frozenset[str]
    marks: Mapping[str, int]


def table_kind(name: str) -> TableKind | None:
    """The table that a sheet or a file of this name (without folder and ending) holds; None if it is none of ours."""
    plain = name.strip().lower()
    return next((kind for kind in TableKind if plain in (kind.value, TABLE_NAMES[kind])), None)


def matches(word: Word, header: str) -> bool:
    return header.strip().lower() in {spelling.lower() for spelling in word.spellings}


def place_of(word: Word, header: list[str]) -> int | None:
    """Where the column of `word` stands: by its title first, else by its other spellings in their order."""
    plain = [cell.strip().lower() for cell in header]
    for spelling in word.spellings:
        if spelling.lower() in plain:
            return plain.index(spelling.lower())
    return None
