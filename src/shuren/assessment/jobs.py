"""The results import and the dataset it fills, registered once in every process."""

from django.utils.translation import gettext_lazy as _

from shuren.assessment.data import RESPONSES
from shuren.assessment.services.apply import apply_results
from shuren.assessment.services.check.run import check_results
from shuren.datahub.api import declare_dataset
from shuren.datahub.data import ColumnSpec, DatasetSpec
from shuren.intake.api import register_kind

__all__ = ["apply_results", "check_results"]

_COLUMNS = (
    ("assessment", "测验编号", "Id of the test"),
    ("person_id", "学生编号", "Id of the pupil"),
    ("class_id", "班级编号", "Id of the class"),
    ("school_id", "学校编号", "Id of the school"),
    ("district_id", "区县编号", "Id of the district"),
    ("org_path", "班级路径", "Path of the class"),
    ("booklet", "题册", "Booklet"),
    ("weight", "抽样权重", "Sampling weight"),
    ("zone", "抽样层", "Sampling zone"),
    ("rep", "重复抽样组", "Replicate group"),
    ("r*", "第 {} 题得分", "Score of item {}"),
    ("w_*", "权重 {}", "Weight {}"),
    ("x_*", "问卷变量 {}", "Questionnaire variable {}"),
    ("ref_*", "参照值 {}", "Reference value {}"),
)
declare_dataset(
    DatasetSpec(
        name=RESPONSES,
        partition_keys=("assessment",),
        description="每名学生对一次测验各题的作答得分、权重与问卷",
        grade="L3",
        owner="assessment",
        columns={name: ColumnSpec(title_zh=zh, title_en=en) for name, zh, en in _COLUMNS},
        title_zh="作答数据",
        title_en="Responses",
    )
)
register_kind(
    "results",
    title=_("测验成绩"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.assessment.jobs.check_results",
    apply="shuren.assessment.jobs.apply_results",
)
