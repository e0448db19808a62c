"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "intake.uploaded": pgettext_lazy("audit", "上传导入文件"),
    "intake.check_requested": pgettext_lazy("audit", "开始检查导入文件"),
    "intake.checked": pgettext_lazy("audit", "检查完导入文件"),
    "intake.apply_requested": pgettext_lazy("audit", "确认写入导入数据"),
    "intake.applied": pgettext_lazy("audit", "写入导入数据"),
    "intake.failed": pgettext_lazy("audit", "导入失败"),
    "intake.undone": pgettext_lazy("audit", "撤销导入"),
}
TARGETS: dict[str, str | Promise] = {
    "import": pgettext_lazy("one", "导入"),
}
