"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {"pages.list_exported": pgettext_lazy("audit", "导出一张列表")}
TARGETS: dict[str, str | Promise] = {"list": pgettext_lazy("one", "名单")}
