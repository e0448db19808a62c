"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "intake.uploaded": pgettext_lazy("audit", "上传导入文件"),
    "intake.check_requested": pgettext_lazy("audit", "开始检查导入文件"),
    "intake.checked": pgettext_lazy("audit", "检查完导入文件"),
    "intake.apply_requested": pgettext_lazy("audit", "确认写入导入数据"),
    "intake.applied": pgettext_lazy("audit", "写入导入数据"),
    "intake.failed": pgettext_lazy("audit", "导入失败"),
    "intake.undone": pgettext_lazy("audit", "撤销导入"),
    "intake.rows_quarantined": pgettext_lazy("audit", "把不合格的行放入隔离区"),
    "intake.row_read": pgettext_lazy("audit", "查看隔离的行"),
    "intake.row_corrected": pgettext_lazy("audit", "改正隔离的行"),
    "intake.rows_sent_again": pgettext_lazy("audit", "再次送入隔离的行"),
    "intake.rows_settled": pgettext_lazy("audit", "隔离的行改好并写入"),
    "intake.rows_discarded": pgettext_lazy("audit", "放弃隔离的行"),
    "intake.rows_lapsed": pgettext_lazy("audit", "隔离的行到期清除"),
    "intake.quarantine_exported": pgettext_lazy("audit", "下载隔离的行"),
}
TARGETS: dict[str, str | Promise] = {
    "import": pgettext_lazy("one", "导入"),
    "quarantined_row": pgettext_lazy("one", "隔离的行"),
    "quarantine": pgettext_lazy("one", "隔离区"),
}
