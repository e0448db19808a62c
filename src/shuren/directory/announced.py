"""What the app writes into the audit trail, in words, and what its purposes are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shuren.directory.data import HousePurpose

ACTIONS: dict[str, str | Promise] = {
    "directory.affiliation_ended": pgettext_lazy("audit", "结束任职或就读"),
    "directory.boundaries_set": pgettext_lazy("audit", "设置机构边界"),
    "directory.break_glass_opened": pgettext_lazy("audit", "启用紧急查看"),
    "directory.break_glass_closed": pgettext_lazy("audit", "结束紧急查看"),
    "directory.break_glass_reviewed": pgettext_lazy("audit", "复核紧急查看"),
    "directory.consent_coverage_exported": pgettext_lazy("audit", "导出同意情况"),
    "directory.consent_text_published": pgettext_lazy("audit", "发布告知书"),
    "directory.consent_text_ended": pgettext_lazy("audit", "停用告知书"),
    "directory.consent_given": pgettext_lazy("audit", "同意使用个人信息"),
    "directory.consent_refused": pgettext_lazy("audit", "拒绝使用个人信息"),
    "directory.consent_withdrawn": pgettext_lazy("audit", "撤回使用个人信息的同意"),
    "directory.duplicate_dismissed": pgettext_lazy("audit", "认定不是同一个人"),
    "directory.enrollment_ended": pgettext_lazy("audit", "退出班级"),
    "directory.grant_certified": pgettext_lazy("audit", "复核授权"),
    "directory.grant_refused": pgettext_lazy("audit", "拒绝越权授权"),
    "directory.grant_confirmed": pgettext_lazy("audit", "第二人确认授权"),
    "directory.grants_exported": pgettext_lazy("audit", "导出授权名单"),
    "directory.guardian_linked": pgettext_lazy("audit", "登记监护关系"),
    "directory.guardian_unlinked": pgettext_lazy("audit", "解除监护关系"),
    "directory.office_certified": pgettext_lazy("audit", "复核名册里的管理员"),
    "directory.org_added": pgettext_lazy("audit", "新增机构"),
    "directory.org_closed": pgettext_lazy("audit", "撤销机构"),
    "directory.org_corrected": pgettext_lazy("audit", "更正机构信息"),
    "directory.merge_refused": pgettext_lazy("audit", "拒绝合并人员"),
    "directory.org_merged": pgettext_lazy("audit", "合并机构"),
    "directory.org_moved": pgettext_lazy("audit", "移动机构"),
    "directory.org_renamed": pgettext_lazy("audit", "机构更名"),
    "directory.orgs_exported": pgettext_lazy("audit", "导出机构名单"),
    "directory.people_exported": pgettext_lazy("audit", "导出人员名单"),
    "directory.person_added": pgettext_lazy("audit", "新增人员"),
    "directory.person_affiliated": pgettext_lazy("audit", "登记任职或就读"),
    "directory.person_corrected": pgettext_lazy("audit", "更正人员信息"),
    "directory.person_enrolled": pgettext_lazy("audit", "编入班级"),
    "directory.person_erased": pgettext_lazy("audit", "删除个人信息"),
    "directory.person_merged": pgettext_lazy("audit", "合并人员"),
    "directory.person_read": pgettext_lazy("audit", "在紧急查看中打开页面"),
    "directory.pupil_placed": pgettext_lazy("audit", "转班或转学"),
    "directory.role_granted": pgettext_lazy("audit", "授权"),
    "directory.role_revoked": pgettext_lazy("audit", "收回授权"),
    "directory.roster_applied": pgettext_lazy("audit", "写入名册"),
    "directory.roster_confirmed": pgettext_lazy("audit", "确认名册"),
    "directory.roster_exported": pgettext_lazy("audit", "导出名册"),
    "directory.roster_undone": pgettext_lazy("audit", "撤销名册导入"),
    "directory.sensitive_disclosed": pgettext_lazy("audit", "向应用提供敏感个人信息"),
    "directory.sensitive_read": pgettext_lazy("audit", "查看敏感个人信息"),
    "directory.subject_data_given": pgettext_lazy("audit", "下载本人或孩子的全部信息"),
}
TARGETS: dict[str, str | Promise] = {
    "person": pgettext_lazy("one", "人员"),
    "org": pgettext_lazy("one", "机构"),
    "grant": pgettext_lazy("one", "授权"),
    "pair": pgettext_lazy("one", "疑似重复的两个人"),
    "consent_text": pgettext_lazy("one", "告知书"),
    "recipient": pgettext_lazy("one", "信息接收方"),
}
PURPOSES: dict[str, str | Promise] = {
    HousePurpose.TEACHING.value: _("教学"),
    HousePurpose.ADMINISTRATION.value: _("学籍与人事管理"),
    HousePurpose.OWN_DATA.value: _("查看本人或孩子的信息"),
    HousePurpose.IDENTITY_CHECK.value: _("核对身份"),
    "wearables": _("手环等穿戴设备"),
    "multimodal_analysis": _("音视频等多模态分析"),
}

# Requirement rows that the app fulfils by itself.
ROWS: dict[str, str | Promise] = {
    "BAS-01": _("教育基础数据库"),
    "BAS-02": _("省、市、县、校、班机构树"),
    "SEC-11": _("个人信息保护的告知与同意"),
}
