"""Which column of the answers becomes which score, and which score which figure of a report: what `measuring` and `bodies` do."""

from collections.abc import Iterable, Iterator

from shuren.datahub.data import Asset, AssetColumn, AssetKind, AssetRef, ColumnFlow
from shuren.evaluation.data import Level

ANSWERS = AssetRef(AssetKind.DATASET, "assessment.responses")
SCORES = AssetRef(AssetKind.DATASET, "evaluation.scores")
ITEMS = AssetRef(AssetKind.DATASET, "evaluation.items")
UNITS = (Level.CITY, Level.DISTRICT, Level.SCHOOL, Level.CLASS)
_PLACES = ("person_id", "class_id", "school_id", "district_id")
_NAMES = {
    Level.CITY: ("市级报告", "City report"),
    Level.DISTRICT: ("区县报告", "District report"),
    Level.SCHOOL: ("学校报告", "School report"),
    Level.CLASS: ("班级报告", "Class report"),
    Level.PUPIL: ("个体报告", "Pupil report"),
}
# Every figure with its titles.
_FIGURES = (
    ("n", "人数", "Pupils"),
    ("weight", "加权人数", "Weighted pupils"),
    ("mean", "平均分", "Mean"),
    ("sd", "标准差", "Standard deviation"),
    ("levels", "水平比例", "Shares of levels"),
    ("percentiles", "百分位", "Percentiles"),
    ("histogram", "分布", "Distribution"),
    ("domains", "内容领域", "Domains"),
    ("items", "题目得分率", "Item rates"),
    ("contrasts", "组间差异", "Contrasts"),
)
_PUPIL_FIGURES = (
    ("score", "分数", "Score"),
    ("score_se", "测量误差", "Error of measurement"),
    ("raw", "原始分", "Raw score"),
    ("domains", "内容领域", "Domains"),
)
_OF_DRAWS = frozenset({"mean", "sd", "levels", "percentiles", "histogram", "contrasts"})
_OF_PUPIL = {"score": ("eap",), "score_se": ("eap_se",), "raw": ("raw",)}


def report_of(level: Level) -> AssetRef:
    return AssetRef(AssetKind.REPORT, f"evaluation.{level.value}")


def report_assets() -> Iterator[Asset]:
    """The five reports with their figures."""
    for level in Level:
        title_zh, title_en = _NAMES[level]
        figures = _PUPIL_FIGURES if level is Level.PUPIL else _FIGURES
        grade = "L3" if level is Level.PUPIL else "L2"
        yield Asset(
            kind=AssetKind.REPORT,
            name=report_of(level).name,
            title_zh=title_zh,
            title_en=title_en,
            owner="evaluation",
            grade=grade,
            columns=tuple(AssetColumn(name, "figure", zh, en, "", grade) for name, zh, en in figures),
        )


def flows_of_run(answers: Iterable[str], scores: Iterable[str]) -> list[ColumnFlow]:
    """The flows of one run, by the columns that the answers had and the scores got."""
    told, made = tuple(answers), tuple(scores)
    items = [name for name in told if name.startswith("r") and name[1:].isdigit()]
    context = [name for name in told if name.startswith("x_")]
    flows = [ColumnFlow(ANSWERS, SCORES, name, name) for name in (*_PLACES, "weight") if name in told and name in made]
    for name in made:
        if name in (*_PLACES, "weight"):
            continue
        # Drawn values are conditioned on the questionnaire; all else is of the answers alone.
        flows += [ColumnFlow(ANSWERS, SCORES, item, name) for item in (*items, *(context if name.startswith("pv") else ()))]
    flows += [ColumnFlow(ANSWERS, ITEMS, item, to) for item in items for to in ("slope", "difficulty")]
    for level in UNITS:
        flows += _flows_of_unit(level, items, context, made)
    return flows + _flows_of_pupil(made)


def _flows_of_unit(level: Level, items: list[str], context: list[str], made: tuple[str, ...]) -> list[ColumnFlow]:
    report = report_of(level)
    draws = [name for name in made if name.startswith("pv")]
    flows = [ColumnFlow(SCORES, report, name, figure) for figure, _zh, _en in _FIGURES if figure in _OF_DRAWS for name in draws]
    flows += [ColumnFlow(SCORES, report, "weight", figure) for figure in ("weight", "mean", "sd", "levels", "percentiles")]
    flows.append(ColumnFlow(SCORES, report, "person_id", "n"))
    flows += [ColumnFlow(ANSWERS, report, item, figure) for item in items for figure in ("items", "domains")]
    return flows + [ColumnFlow(ANSWERS, report, name, "contrasts") for name in context]


def _flows_of_pupil(made: tuple[str, ...]) -> list[ColumnFlow]:
    report = report_of(Level.PUPIL)
    flows = [ColumnFlow(SCORES, report, name, figure) for figure, names in _OF_PUPIL.items() for name in names if name in made]
    return flows + [ColumnFlow(SCORES, report, name, "domains") for name in made if name.startswith("domain")]
