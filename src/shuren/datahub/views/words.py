"""What pages call things."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.datahub.data import (
    AgreementState,
    ApplicationState,
    Carriage,
    NodeState,
    PacketState,
    QualityDimension,
    ScheduleEvery,
    SharingAttribute,
    SharingWay,
    Verdict,
)
from shuren.datahub.rules.workbench.compose import Kind, Match, Sort, Use
from shuren.standards.data import MaskStyle

DIMENSIONS: dict[QualityDimension, str | Promise] = {
    QualityDimension.COMPLETE: _("完整"),
    QualityDimension.VALID: _("规范"),
    QualityDimension.UNIQUE: _("唯一"),
    QualityDimension.CONSISTENT: _("一致"),
    QualityDimension.TIMELY: _("及时"),
    QualityDimension.PLAUSIBLE: _("合理"),
}
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
NODE_STATES: dict[NodeState, str | Promise] = {
    NodeState.WAITING: _("等待核对"),
    NodeState.TRUSTED: _("已启用"),
    NodeState.SUSPENDED: _("已停用"),
    NodeState.ENDED: _("已终止"),
}
CARRIAGES: dict[Carriage, str | Promise] = {
    Carriage.CALL: _("本节点连接对方"),
    Carriage.WAIT: _("对方连接本节点"),
    Carriage.DROP: _("由人或磁盘传递文件"),
}
AGREEMENT_STATES: dict[AgreementState, str | Promise] = {
    AgreementState.OFFERED: _("等待接收方决定"),
    AgreementState.ACCEPTED: _("已生效"),
    AgreementState.REFUSED: _("未接受"),
    AgreementState.ENDED: _("已终止"),
}
PACKET_STATES: dict[PacketState, str | Promise] = {
    PacketState.READY: _("待送达"),
    PacketState.ACKNOWLEDGED: _("对方已确认"),
    PacketState.LANDED: _("已落库"),
    PacketState.REFUSED: _("已拒收"),
    PacketState.WITHDRAWN: _("已撤回"),
}
TONES = {
    "trusted": "good",
    "suspended": "bad",
    "waiting": "busy",
    "offered": "busy",
    "accepted": "good",
    "ready": "busy",
    "acknowledged": "good",
    "landed": "good",
    "refused": "bad",
}
LEVELS: dict[str, str | Promise] = {
    "province": _("省"),
    "city": _("市"),
    "county": _("县（区）"),
    "agency": _("直属单位"),
    "group": _("教育集团"),
    "school": _("学校"),
}
FREQUENCIES: dict[int, str | Promise] = {5: _("每 5 分钟"), 60: _("每小时"), 1440: _("每天"), 10080: _("每周")}
USES: dict[Use, str | Promise] = {
    Use.SHOW: _("显示、分组"),
    Use.SUM: _("合计"),
    Use.MEAN: _("平均"),
    Use.MEDIAN: _("中位数"),
    Use.LEAST: _("最小"),
    Use.MOST: _("最大"),
    Use.FILLED: _("有值的行数"),
    Use.DISTINCT: _("不同值的个数"),
}
MATCHES: dict[Match, str | Promise] = {
    Match.IS: _("等于"),
    Match.IS_NOT: _("不等于"),
    Match.HOLDS: _("包含"),
    Match.FROM: _("不小于"),
    Match.TO: _("不大于"),
    Match.ONE_OF: _("是其中之一"),
    Match.EMPTY: _("为空"),
    Match.FILLED: _("不为空"),
}
SORTS: dict[Sort, str | Promise] = {Sort.UP: _("从小到大"), Sort.DOWN: _("从大到小")}
COLUMN_KINDS: dict[Kind, str | Promise] = {
    Kind.TEXT: _("文本"),
    Kind.WHOLE: _("整数"),
    Kind.NUMBER: _("小数"),
    Kind.DAY: _("日期"),
    Kind.FLAG: _("是否"),
    Kind.OTHER: _("其他"),
}
EVERY: dict[ScheduleEvery, str | Promise] = {
    ScheduleEvery.DAY: _("每天"),
    ScheduleEvery.WEEK: _("每周"),
    ScheduleEvery.MONTH: _("每月"),
}
