"""What the app writes into the audit trail, in words, and what its purposes are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shuren.interop.data import DataPurpose

ACTIONS: dict[str, str | Promise] = {
    "interop.crypto_sign_served": pgettext_lazy("audit", "为应用签名"),
    "interop.crypto_verify_served": pgettext_lazy("audit", "为应用验签"),
    "interop.crypto_seal_served": pgettext_lazy("audit", "为应用加密"),
    "interop.crypto_unseal_served": pgettext_lazy("audit", "为应用解密"),
    "interop.crypto_digest_served": pgettext_lazy("audit", "为应用计算摘要"),
    "interop.crypto_timestamp_served": pgettext_lazy("audit", "为应用加盖时间戳"),
    "interop.app_added": pgettext_lazy("audit", "新增应用"),
    "interop.app_installed": pgettext_lazy("audit", "选用应用"),
    "interop.app_removed": pgettext_lazy("audit", "停止选用应用"),
    "interop.app_suspended": pgettext_lazy("audit", "紧急停用应用"),
    "interop.app_resumed": pgettext_lazy("audit", "恢复应用"),
    "interop.app_leaving": pgettext_lazy("audit", "宣布应用下架"),
    "interop.app_delisted": pgettext_lazy("audit", "应用下架"),
    "interop.listing_ended": pgettext_lazy("audit", "取消在本地区上架"),
    "interop.entry_revised": pgettext_lazy("audit", "修改应用资料"),
    "interop.version_submitted": pgettext_lazy("audit", "提交应用审核"),
    "interop.submission_withdrawn": pgettext_lazy("audit", "撤回应用审核"),
    "interop.version_decided": pgettext_lazy("audit", "审核应用"),
    "interop.quota_set": pgettext_lazy("audit", "设置应用配额"),
    "interop.secret_drawn": pgettext_lazy("audit", "领取应用密钥"),
    "interop.sandbox_secret_drawn": pgettext_lazy("audit", "领取测试环境密钥"),
    "interop.sandbox_opened": pgettext_lazy("audit", "开通测试环境"),
    "interop.conformity_started": pgettext_lazy("audit", "开始应用自测"),
    "interop.webhook_key_made": pgettext_lazy("audit", "生成消息签名密钥"),
    "interop.message_given_up": pgettext_lazy("audit", "消息多次没有送达"),
    "interop.messages_given_up": pgettext_lazy("audit", "一批消息没有送达"),
    "interop.message_replayed": pgettext_lazy("audit", "重新发送消息"),
    "interop.merge_followed": pgettext_lazy("audit", "人员合并后更新应用记录"),
    "interop.person_forgotten": pgettext_lazy("audit", "删除应用中的人员记录"),
    "interop.tool_launched": pgettext_lazy("audit", "打开教学工具"),
    "interop.tool_registered": pgettext_lazy("audit", "登记教学工具"),
    "interop.tool_link_added": pgettext_lazy("audit", "添加教学工具链接"),
    "interop.tool_link_removed": pgettext_lazy("audit", "删除教学工具链接"),
    "interop.line_item_added": pgettext_lazy("audit", "新增应用成绩栏"),
    "interop.line_item_changed": pgettext_lazy("audit", "修改应用成绩栏"),
    "interop.line_item_removed": pgettext_lazy("audit", "删除应用成绩栏"),
    "interop.score_taken": pgettext_lazy("audit", "接收应用成绩"),
    "interop.mark_kept": pgettext_lazy("audit", "保存成绩册内容（OneRoster）"),
    "interop.mark_removed": pgettext_lazy("audit", "删除成绩册内容（OneRoster）"),
    "interop.roster_source_registered": pgettext_lazy("audit", "登记名册来源"),
    "interop.roster_source_corrected": pgettext_lazy("audit", "修改名册来源"),
    "interop.roster_source_paused": pgettext_lazy("audit", "暂停名册来源"),
    "interop.roster_source_resumed": pgettext_lazy("audit", "恢复名册来源"),
    "interop.roster_pull_begun": pgettext_lazy("audit", "开始拉取名册"),
    "interop.roster_pull_ended": pgettext_lazy("audit", "名册拉取结束"),
    "interop.roster_pull_dropped": pgettext_lazy("audit", "放弃名册拉取"),
    "interop.roster_faults_exported": pgettext_lazy("audit", "导出名册来源的问题清单"),
    "interop.scim_record_kept": pgettext_lazy("audit", "同步外部人员记录"),
    "interop.scim_user_created": pgettext_lazy("audit", "外部系统新增人员"),
    "interop.scim_user_deleted": pgettext_lazy("audit", "外部系统删除人员"),
    "interop.vendor_registered": pgettext_lazy("audit", "服务商注册"),
    "interop.vendor_email_checked": pgettext_lazy("audit", "服务商验证邮箱"),
    "interop.vendor_lapsed": pgettext_lazy("audit", "服务商申请过期"),
    "interop.vendor_approved": pgettext_lazy("audit", "批准服务商"),
    "interop.vendor_refused": pgettext_lazy("audit", "不批准服务商"),
    "interop.vendor_account_opened": pgettext_lazy("audit", "开通服务商账号"),
}
TARGETS: dict[str, str | Promise] = {
    "app": pgettext_lazy("one", "应用"),
    "roster_source": pgettext_lazy("one", "名册来源"),
    "vendor": pgettext_lazy("one", "服务商"),
}
PURPOSES: dict[str, str | Promise] = {
    DataPurpose.SIGN_IN.value: _("登录"),
    DataPurpose.TEACHING.value: _("教学"),
    DataPurpose.ASSESSMENT.value: _("测评"),
    DataPurpose.MANAGEMENT.value: _("管理"),
    DataPurpose.STATISTICS.value: _("统计"),
}

# Requirement rows that the app fulfils by itself.
ROWS: dict[str, str | Promise] = {
    "INT-03": _("第三方应用接入"),
}
