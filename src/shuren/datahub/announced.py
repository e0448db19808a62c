"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "datahub.partition_written": pgettext_lazy("audit", "写入数据分区"),
    "datahub.partition_dropped": pgettext_lazy("audit", "删除数据分区"),
    "datahub.partition_exported": pgettext_lazy("audit", "导出数据分区"),
    "datahub.snapshot_kept": pgettext_lazy("audit", "保留数据快照"),
    "datahub.lake_swept": pgettext_lazy("audit", "清理过期数据快照"),
}
TARGETS: dict[str, str | Promise] = {
    "dataset": pgettext_lazy("one", "数据集"),
    "snapshot": pgettext_lazy("one", "数据快照"),
    "lake": pgettext_lazy("one", "数据湖"),
}
