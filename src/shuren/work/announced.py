"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "work.job_cancelled": pgettext_lazy("audit", "取消任务"),
}
TARGETS: dict[str, str | Promise] = {
    "job": pgettext_lazy("one", "任务"),
}
