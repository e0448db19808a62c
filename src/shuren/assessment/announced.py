"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "assessment.list_exported": pgettext_lazy("audit", "导出测评名单"),
    "assessment.results_imported": pgettext_lazy("audit", "导入测验成绩"),
}
TARGETS: dict[str, str | Promise] = {
    "assessment": pgettext_lazy("one", "测评"),
}
