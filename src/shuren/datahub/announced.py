"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "datahub.partition_written": pgettext_lazy("audit", "写入数据分区"),
    "datahub.partition_compacted": pgettext_lazy("audit", "合并数据分区"),
    "datahub.dataset_held": pgettext_lazy("audit", "冻结数据集"),
    "datahub.dataset_released": pgettext_lazy("audit", "解除数据集冻结"),
    "datahub.lake_asked": pgettext_lazy("audit", "查询数据湖"),
    "datahub.partition_dropped": pgettext_lazy("audit", "删除数据分区"),
    "datahub.partition_exported": pgettext_lazy("audit", "导出数据分区"),
    "datahub.snapshot_kept": pgettext_lazy("audit", "保留数据快照"),
    "datahub.quality_measured": pgettext_lazy("audit", "检查数据质量"),
    "datahub.candidates_told": pgettext_lazy("audit", "写入候选值"),
    "datahub.candidates_seen": pgettext_lazy("audit", "查看候选值"),
    "datahub.candidates_erased": pgettext_lazy("audit", "清除已删除人员的候选值"),
    "datahub.precedence_set": pgettext_lazy("audit", "设定来源优先级"),
    "datahub.element_converged": pgettext_lazy("audit", "重新选值"),
    "datahub.golden_accepted": pgettext_lazy("audit", "认可选出的值"),
    "datahub.golden_overruled": pgettext_lazy("audit", "改选候选值"),
    "datahub.goldens_accepted": pgettext_lazy("audit", "批量认可选出的值"),
    "datahub.merge_followed": pgettext_lazy("audit", "随人员合并移动候选值"),
    "datahub.assets_registered": pgettext_lazy("audit", "登记数据资源"),
    "datahub.assets_retired": pgettext_lazy("audit", "停用数据资源"),
    "datahub.lineage_drawn": pgettext_lazy("audit", "更新数据血缘"),
    "datahub.lineage_taken": pgettext_lazy("audit", "接收血缘事件"),
    "datahub.lineage_swept": pgettext_lazy("audit", "清理血缘运行记录"),
    "datahub.lineage_given_up": pgettext_lazy("audit", "放弃发送血缘事件"),
    "datahub.lineage_exported": pgettext_lazy("audit", "导出血缘事件"),
    "datahub.opening_drafted": pgettext_lazy("audit", "起草开放数据"),
    "datahub.opening_checked": pgettext_lazy("audit", "检查开放数据能否认出个人"),
    "datahub.opening_asked": pgettext_lazy("audit", "提请开放数据"),
    "datahub.opening_refused": pgettext_lazy("audit", "退回开放数据"),
    "datahub.data_opened": pgettext_lazy("audit", "向公众开放数据"),
    "datahub.open_data_withdrawn": pgettext_lazy("audit", "撤回开放数据"),
    "datahub.lake_swept": pgettext_lazy("audit", "清理过期数据快照"),
}
TARGETS: dict[str, str | Promise] = {
    "dataset": pgettext_lazy("one", "数据集"),
    "snapshot": pgettext_lazy("one", "数据快照"),
    "quality_run": pgettext_lazy("one", "质量检查"),
    "golden": pgettext_lazy("one", "选出的值"),
    "catalogue": pgettext_lazy("one", "数据资源目录"),
    "lake": pgettext_lazy("one", "数据湖"),
    "open_version": pgettext_lazy("one", "开放数据"),
}
