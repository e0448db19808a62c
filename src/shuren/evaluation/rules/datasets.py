"""What a run leaves in the lake, with the words for every column."""

from shuren.datahub.data import ColumnSpec, DatasetSpec

_SCORES = (
    ("run", "测评编号", "Id of the run"),
    ("person_id", "学生编号", "Id of the pupil"),
    ("class_id", "班级编号", "Id of the class"),
    ("school_id", "学校编号", "Id of the school"),
    ("district_id", "区县编号", "Id of the district"),
    ("weight", "抽样权重", "Sampling weight"),
    ("raw", "原始分", "Raw score"),
    ("eap", "能力估计（EAP）", "Ability (EAP)"),
    ("eap_se", "能力估计的误差（EAP）", "Error of ability (EAP)"),
    ("wle", "能力估计（WLE）", "Ability (WLE)"),
    ("wle_se", "能力估计的误差（WLE）", "Error of ability (WLE)"),
    ("pv*", "第 {} 个似真值", "Plausible value {}"),
    ("domain*_eap", "内容领域 {} 的能力估计", "Ability in domain {}"),
    ("domain*_se", "内容领域 {} 的误差", "Error in domain {}"),
)
_ITEMS = (
    ("run", "测评编号", "Id of the run"),
    ("item", "题目代码", "Code of the item"),
    ("slope", "区分度", "Slope"),
    ("slope_se", "区分度的误差", "Error of the slope"),
    ("difficulty", "难度", "Difficulty"),
    ("difficulty_se", "难度的误差", "Error of the difficulty"),
)
DATASETS = (
    DatasetSpec(
        "evaluation.scores",
        ("run",),
        "测评得分：一次测评中每名学生的能力估计及其误差",
        "L3",
        "evaluation",
        columns={name: ColumnSpec(title_zh=zh, title_en=en) for name, zh, en in _SCORES},
        title_zh="测评得分",
        title_en="Scores of evaluations",
    ),
    DatasetSpec(
        "evaluation.items",
        ("run",),
        "题目参数：一次测评标定的题目",
        "L2",
        "evaluation",
        columns={name: ColumnSpec(title_zh=zh, title_en=en) for name, zh, en in _ITEMS},
        title_zh="题目参数",
        title_en="Item parameters",
    ),
)
