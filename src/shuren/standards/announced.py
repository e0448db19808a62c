"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "standards.edition_taken": pgettext_lazy("audit", "采用代码集新版本"),
    "standards.edition_undone": pgettext_lazy("audit", "撤销代码集版本"),
    "standards.owner_set": pgettext_lazy("audit", "指定数据项负责单位"),
    "standards.producer_set": pgettext_lazy("audit", "指定数据项的唯一来源"),
    "standards.write_refused": pgettext_lazy("audit", "拒绝一数多源的写入"),
}
TARGETS: dict[str, str | Promise] = {
    "edition": pgettext_lazy("one", "代码集版本"),
    "element": pgettext_lazy("one", "数据项"),
}

# Requirement rows that the app fulfils by itself.
ROWS: dict[str, str | Promise] = {
    "BAS-03": pgettext_lazy("row", "教育数据标准与代码"),
    "DAT-05": pgettext_lazy("row", "一数一源"),
    "SEC-10": pgettext_lazy("row", "数据分级分类"),
}
