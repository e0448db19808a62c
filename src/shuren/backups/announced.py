"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "backups.backup_made": pgettext_lazy("audit", "完成备份"),
    "backups.base_made": pgettext_lazy("audit", "完成数据库物理备份"),
    "backups.backup_failed": pgettext_lazy("audit", "备份没有成功"),
    "backups.restored": pgettext_lazy("audit", "从备份恢复"),
    "backups.drilled": pgettext_lazy("audit", "完成恢复演练"),
    "backups.drill_failed": pgettext_lazy("audit", "恢复演练没有通过"),
    "backups.pruned": pgettext_lazy("audit", "清理过期备份"),
    "backups.held": pgettext_lazy("audit", "备份列为长期保留"),
    "backups.released": pgettext_lazy("audit", "取消备份的长期保留"),
    "backups.report_downloaded": pgettext_lazy("audit", "下载演练报告"),
}
TARGETS: dict[str, str | Promise] = {
    "backup": pgettext_lazy("one", "备份"),
    "backup_run": pgettext_lazy("one", "备份任务"),
}

# Requirement rows that the app fulfils by itself.
ROWS: dict[str, str | Promise] = {
    "SEC-13": pgettext_lazy("row", "备份与灾备"),
}

JOB_TITLES = {"backup": gettext_lazy("备份"), "drill": gettext_lazy("恢复演练")}
