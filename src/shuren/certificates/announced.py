"""What the app writes into the audit trail, in words."""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

ACTIONS: dict[str, str | Promise] = {
    "certificates.batch_started": pgettext_lazy("audit", "开始批量发证"),
    "certificates.batch_given": pgettext_lazy("audit", "整批证书发完"),
    "certificates.case_without_certificate": pgettext_lazy("audit", "办结的办件没有发出证书"),
    "certificates.certificate_issued": pgettext_lazy("audit", "颁发证书"),
    "certificates.certificate_revoked": pgettext_lazy("audit", "撤销证书"),
    "certificates.downloaded": pgettext_lazy("audit", "下载证书"),
    "certificates.exported": pgettext_lazy("audit", "导出证书名单"),
    "certificates.merge_followed": pgettext_lazy("audit", "人员合并后转移证书"),
    "certificates.record_downloaded": pgettext_lazy("audit", "下载学习者档案"),
    "certificates.revocation_restored": pgettext_lazy("audit", "按存证恢复证书撤销"),
    "certificates.shared": pgettext_lazy("audit", "分享证书"),
    "certificates.share_ended": pgettext_lazy("audit", "停止分享证书"),
    "certificates.told_to_app": pgettext_lazy("audit", "向应用提供证书"),
    "certificates.template_added": pgettext_lazy("audit", "新建证书模板"),
    "certificates.template_changed": pgettext_lazy("audit", "修改证书模板"),
    "certificates.template_retired": pgettext_lazy("audit", "停用证书模板"),
    "certificates.region_certified": pgettext_lazy("audit", "给下级地区的证书机构签发证书"),
    "certificates.digital_asked": pgettext_lazy("audit", "申请数字证书"),
    "certificates.digital_allowed": pgettext_lazy("audit", "同意签发数字证书"),
    "certificates.digital_refused": pgettext_lazy("audit", "不同意签发数字证书"),
    "certificates.digital_fetched": pgettext_lazy("audit", "领取数字证书"),
    "certificates.digital_withdrawn": pgettext_lazy("audit", "撤回数字证书申请"),
    "certificates.digital_revoked": pgettext_lazy("audit", "吊销数字证书"),
    "certificates.digital_ended": pgettext_lazy("audit", "数字证书随持有者结束"),
    "certificates.digital_reminded": pgettext_lazy("audit", "提醒数字证书到期"),
}
TARGETS: dict[str, str | Promise] = {
    "batch": pgettext_lazy("one", "批次"),
    "certificate": pgettext_lazy("one", "证书"),
    "digital": pgettext_lazy("one", "数字证书"),
    "template": pgettext_lazy("one", "证书模板"),
    "region": pgettext_lazy("one", "下级地区的证书机构"),
    "list": pgettext_lazy("one", "名单"),
}

# Requirement rows that the app fulfils by itself.
ROWS: dict[str, str | Promise] = {
    "GOV-05": pgettext_lazy("row", "电子证照"),
}
