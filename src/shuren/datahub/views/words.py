"""What pages call things."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.datahub.data import ApplicationState, QualityDimension, SharingAttribute, SharingWay, Verdict
from shuren.standards.data import MaskStyle

DIMENSIONS: dict[QualityDimension, str | Promise] = {
    QualityDimension.COMPLETE: _("完整"),
    QualityDimension.VALID: _("规范"),
    QualityDimension.UNIQUE: _("唯一"),
    QualityDimension.CONSISTENT: _("一致"),
    QualityDimension.TIMELY: _("及时"),
    QualityDimension.PLAUSIBLE: _("合理"),
}
DATASETS: dict[str, str | Promise] = {"directory.member": _("在册人员"), "directory.org": _("机构")}
VERDICTS: dict[Verdict, str | Promise] = {
    Verdict.AGREED: _("各来源一致"),
    Verdict.OPEN: _("待核定"),
    Verdict.ACCEPTED: _("已认可"),
    Verdict.OVERRULED: _("已改选"),
}
RULES: dict[str, str | Promise] = {
    "agreed": _("各来源一致"),
    "precedence": _("来源优先"),
    "newest": _("同一来源取最新"),
    "tie_agreed": _("同时取多数一致"),
    "tie_first": _("同时取先到"),
    "overruled": _("负责单位改选"),
    "none_valid": _("没有有效来源"),
    "none": _("没有候选值"),
}
FOUND: dict[str, str | Promise] = {
    "chosen": _("选用"),
    "later_source": _("来源排在后面"),
    "older": _("同一来源的旧值"),
    "expired": _("已过有效期"),
    "undeclared": _("来源未列入优先级"),
    "tied": _("同时到达，未选"),
    "overruled": _("被改选"),
}
ATTRIBUTES: dict[SharingAttribute, str | Promise] = {
    SharingAttribute.UNCONDITIONAL: _("无条件共享"),
    SharingAttribute.CONDITIONAL: _("有条件共享"),
    SharingAttribute.NONE: _("不予共享"),
}
WAYS: dict[SharingWay, str | Promise] = {
    SharingWay.API: _("接口"),
    SharingWay.FILE: _("文件"),
    SharingWay.QUERY: _("查询"),
}
APPLICATIONS: dict[ApplicationState, str | Promise] = {
    ApplicationState.OPEN: _("等待决定"),
    ApplicationState.APPROVED: _("已同意"),
    ApplicationState.REFUSED: _("未同意"),
    ApplicationState.WITHDRAWN: _("已撤回"),
}
MASKS: dict[MaskStyle, str | Promise] = {
    MaskStyle.NONE: _("原样"),
    MaskStyle.NAME: _("只留姓"),
    MaskStyle.ID: _("只留前四位和后四位"),
    MaskStyle.PHONE: _("只留前三位和后四位"),
    MaskStyle.EMAIL: _("只留首字母"),
    MaskStyle.YEAR: _("只留年份"),
    MaskStyle.ALL: _("全部隐去"),
}
