"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "records.course_given": pgettext_lazy("audit", "把课程布置给班级"),
    "records.course_imported": pgettext_lazy("audit", "导入课程"),
    "records.course_satisfied": pgettext_lazy("audit", "学完一门课程"),
    "records.course_taken": pgettext_lazy("audit", "自己选学课程"),
    "records.course_withdrawn": pgettext_lazy("audit", "停用课程"),
    "records.document_deleted": pgettext_lazy("audit", "删除学习资料"),
    "records.document_kept": pgettext_lazy("audit", "保存学习资料"),
    "records.document_merged": pgettext_lazy("audit", "合并学习资料"),
    "records.envelope_accepted": pgettext_lazy("audit", "收下一批学习事件"),
    "records.events_forgotten": pgettext_lazy("audit", "删除个人的学习事件"),
    "records.merge_followed": pgettext_lazy("audit", "人员合并后转移学习资料"),
    "records.registrations_forgotten": pgettext_lazy("audit", "删除个人的课程学习"),
    "records.session_abandoned": pgettext_lazy("audit", "结束中途离开的学习"),
    "records.statements_forgotten": pgettext_lazy("audit", "删除个人的学习记录"),
    "records.statements_moved": pgettext_lazy("audit", "人员合并后转移学习记录"),
    "records.statements_stored": pgettext_lazy("audit", "保存学习记录"),
    "records.token_fetched": pgettext_lazy("audit", "课程单元领取通行证"),
    "records.unit_launched": pgettext_lazy("audit", "打开课程单元"),
    "records.unit_waived": pgettext_lazy("audit", "准予免修课程单元"),
}
TARGETS: dict[str, str | Promise] = {
    "course": pgettext_lazy("one", "课程"),
    "document": pgettext_lazy("one", "学习资料"),
    "envelope": pgettext_lazy("one", "一批学习事件"),
    "registration": pgettext_lazy("one", "课程学习"),
    "session": pgettext_lazy("one", "一次打开"),
    "statement": pgettext_lazy("one", "学习记录"),
}
ROWS: dict[str, str | Promise] = {"TEA-06": pgettext_lazy("row", "学习记录")}
