"""The results import and the dataset it fills, registered once in every process."""

from django.utils.translation import gettext_lazy as _

from shuren.assessment.data import RESPONSES
from shuren.assessment.services.apply import apply_results
from shuren.assessment.services.check.run import check_results
from shuren.datahub.api import declare_dataset
from shuren.datahub.data import DatasetSpec
from shuren.intake.api import register_kind

__all__ = ["apply_results", "check_results"]

declare_dataset(
    DatasetSpec(
        name=RESPONSES,
        partition_keys=("assessment",),
        description="每名学生对一次测验各题的作答得分、权重与问卷",
        grade="L3",
        owner="assessment",
    )
)
register_kind(
    "results",
    title=_("测验成绩"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.assessment.jobs.check_results",
    apply="shuren.assessment.jobs.apply_results",
)
