"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "front.audit_exported": pgettext_lazy("audit", "导出审计记录"),
    "front.findings_exported": pgettext_lazy("audit", "导出导入问题"),
    "front.quarantine_exported": pgettext_lazy("audit", "导出隔离区清单"),
    "front.workbook_downloaded": pgettext_lazy("audit", "下载标注问题的工作簿"),
}
TARGETS: dict[str, str | Promise] = {
    "audit": pgettext_lazy("one", "审计记录"),
}
