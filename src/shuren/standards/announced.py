"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "standards.owner_set": pgettext_lazy("audit", "指定数据项负责单位"),
}
TARGETS: dict[str, str | Promise] = {
    "element": pgettext_lazy("one", "数据项"),
}
