from django.apps import AppConfig
from django.utils.module_loading import import_string

from shuren.assessment.data import RESPONSES
from shuren.datahub.data import DatasetSpec


class AssessmentConfig(AppConfig):
    name = "shuren.assessment"
    label = "assessment"

    def ready(self) -> None:
        import_string("shuren.datahub.api.declare_dataset")(
            DatasetSpec(
                name=RESPONSES,
                partition_keys=("assessment",),
                description="每名学生对一次测验各题的作答得分、权重与问卷",
                grade="L3",
                owner="assessment",
            )
        )
