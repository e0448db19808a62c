"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "evaluation.report_downloaded": pgettext_lazy("audit", "下载评价报告"),
    "evaluation.evidence_downloaded": pgettext_lazy("audit", "下载成绩存证"),
    "evaluation.run_declared": pgettext_lazy("audit", "声明评价方案"),
    "evaluation.run_started": pgettext_lazy("audit", "开始评价"),
    "evaluation.run_finished": pgettext_lazy("audit", "完成评价"),
    "evaluation.run_failed": pgettext_lazy("audit", "评价失败"),
}
TARGETS: dict[str, str | Promise] = {
    "run": pgettext_lazy("one", "评价"),
}

# Requirement rows that the app fulfils by itself.
ROWS: dict[str, str | Promise] = {
    "EVA-02": pgettext_lazy("row", "市、区、校、班、个体五级报告"),
}
