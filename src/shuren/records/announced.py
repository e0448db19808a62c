"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "records.document_deleted": pgettext_lazy("audit", "删除学习资料"),
    "records.document_kept": pgettext_lazy("audit", "保存学习资料"),
    "records.document_merged": pgettext_lazy("audit", "合并学习资料"),
    "records.envelope_accepted": pgettext_lazy("audit", "收下一批学习事件"),
    "records.events_forgotten": pgettext_lazy("audit", "删除个人的学习事件"),
    "records.merge_followed": pgettext_lazy("audit", "人员合并后转移学习资料"),
    "records.statements_forgotten": pgettext_lazy("audit", "删除个人的学习记录"),
    "records.statements_moved": pgettext_lazy("audit", "人员合并后转移学习记录"),
    "records.statements_stored": pgettext_lazy("audit", "保存学习记录"),
}
TARGETS: dict[str, str | Promise] = {
    "document": pgettext_lazy("one", "学习资料"),
    "envelope": pgettext_lazy("one", "一批学习事件"),
    "statement": pgettext_lazy("one", "学习记录"),
}
ROWS: dict[str, str | Promise] = {"TEA-06": pgettext_lazy("row", "学习记录")}
