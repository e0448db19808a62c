"""The words of the builder in the browser, and what kinds of fields, roles and ways of deciding it offers."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CaseResult
from shuren.casework.rules.offices import LEVEL_WORDS, ROLE_WORDS
from shuren.casework.rules.picture import Words
from shuren.casework.rules.specs.flow import Decide, Move
from shuren.casework.rules.specs.form import FieldType

_TYPES: dict[FieldType, str | Promise] = {
    FieldType.TEXT: gettext_lazy("一行文字"),
    FieldType.PARAGRAPH: gettext_lazy("一段文字"),
    FieldType.INTEGER: gettext_lazy("整数"),
    FieldType.DECIMAL: gettext_lazy("小数"),
    FieldType.BOOLEAN: gettext_lazy("是或否"),
    FieldType.DATE: gettext_lazy("日期"),
    FieldType.CODE: gettext_lazy("单选"),
    FieldType.CODES: gettext_lazy("多选"),
    FieldType.TABLE: gettext_lazy("表格"),
    FieldType.FILE: gettext_lazy("附件"),
    FieldType.SIGNATURE: gettext_lazy("签名"),
    FieldType.PLACE: gettext_lazy("地点"),
    FieldType.PERSON: gettext_lazy("人员"),
    FieldType.ORG: gettext_lazy("机构"),
    FieldType.ENTRY: gettext_lazy("台账中选"),
}
_PLACES: dict[str, str | Promise] = {
    "here": gettext_lazy("本机构"),
    "above": gettext_lazy("上一级"),
    **{kind.value: words for kind, words in LEVEL_WORDS.items()},
}
_WAYS: dict[str, str | Promise] = {
    "role": gettext_lazy("某一级的某个角色"),
    "named_in": gettext_lazy("表单中写明的人"),
    "class_teacher": gettext_lazy("班主任"),
    "filer": gettext_lazy("发起人自己"),
    "pool": gettext_lazy("从人员库随机抽取"),
    "owner_of": gettext_lazy("某项数据的负责单位"),
    "function": gettext_lazy("按平台规则确定的人"),
}
_AVOIDS: dict[str, str | Promise] = {
    "same_org": gettext_lazy("与办件同一机构的人"),
    "same_branch": gettext_lazy("与办件同一辖区的人"),
    "filer": gettext_lazy("发起人"),
    "asked_before": gettext_lazy("这件事上已经请过的人"),
}
_MOVES: dict[Move, str | Promise] = {
    Move.RETURN: gettext_lazy("退回"),
    Move.WITHDRAW: gettext_lazy("发起人撤回"),
    Move.HAND_OVER: gettext_lazy("转办"),
    Move.ADD_SIGNER: gettext_lazy("加签"),
    Move.BATCH: gettext_lazy("批量办理"),
}
_TONES: dict[str, str | Promise] = {
    "good": gettext_lazy("绿色"),
    "warn": gettext_lazy("黄色"),
    "bad": gettext_lazy("红色"),
    "plain": gettext_lazy("不上色"),
}
_UNITS: dict[str, str | Promise] = {
    "working_days": gettext_lazy("个工作日"),
    "days": gettext_lazy("天"),
    "hours": gettext_lazy("小时"),
}
_DECIDE: dict[Decide, str | Promise] = {
    Decide.ONE: gettext_lazy("一人决定"),
    Decide.ALL: gettext_lazy("全体同意（会签）"),
    Decide.QUORUM: gettext_lazy("达到票数"),
    Decide.SEQUENCE: gettext_lazy("依次办理"),
    Decide.BLIND: gettext_lazy("双盲评分"),
}
_RESULTS: dict[CaseResult, str | Promise] = {
    CaseResult.GRANTED: gettext_lazy("准予"),
    CaseResult.REFUSED: gettext_lazy("不予"),
    CaseResult.DONE: gettext_lazy("办结"),
}


def kinds_of_fields() -> list[tuple[str, str]]:
    return [(kind.value, str(words)) for kind, words in _TYPES.items()]


def picture_words() -> Words:
    return Words(title=_("流程图"), start=_("开始"), correct=_("修改后重新提交"), skipped=_("跳过"))


def builder_words() -> dict[str, object]:
    """Everything that the builder says by itself."""
    return {
        **{name: [(str(one), str(words)) for one, words in offered.items()] for name, offered in _OFFERED.items()},
        **{key: str(words) for key, words in _SAID.items()},
    }


_OFFERED: dict[str, Mapping[Any, str | Promise]] = {
    "roles": ROLE_WORDS,
    "levels": _PLACES,
    "orgTypes": LEVEL_WORDS,
    "ways": _WAYS,
    "avoids": _AVOIDS,
    "decide": _DECIDE,
    "moves": _MOVES,
    "tones": _TONES,
    "units": _UNITS,
    "results": _RESULTS,
}
_SAID: dict[str, str | Promise] = {
    "about": gettext_lazy("说的是谁"),
    "aboutNothing": gettext_lazy("都不是"),
    "aboutOrg": gettext_lazy("机构"),
    "aboutPerson": gettext_lazy("个人"),
    "addColumn": gettext_lazy("添加一列"),
    "addEnd": gettext_lazy("添加办结方式"),
    "addEntry": gettext_lazy("写入一个台账"),
    "addField": gettext_lazy("添加字段"),
    "addOption": gettext_lazy("添加选项"),
    "addOtherwise": gettext_lazy("找不到人时另请别人"),
    "addOutcome": gettext_lazy("添加结果"),
    "addReminder": gettext_lazy("添加一次提醒"),
    "addSection": gettext_lazy("添加分组"),
    "addSet": gettext_lazy("添加要写入的字段"),
    "addStage": gettext_lazy("添加环节"),
    "advanced": gettext_lazy("更多设置"),
    "always": gettext_lazy("总是"),
    "anyone": gettext_lazy("任何登录的人"),
    "arbiter": gettext_lazy("分差太大时由谁仲裁"),
    "asked": gettext_lazy("平台已有这个数据项，请选用，不要另设："),
    "avoid": gettext_lazy("抽取时避开"),
    "blindHelp": gettext_lazy("两人互不知情，各自打分；分差超过允许范围或结论不同，再请仲裁人。"),
    "brings": gettext_lazy("办结以后做什么"),
    "calculated": gettext_lazy("计算公式"),
    "calculatedHelp": gettext_lazy("例如 boys + girls；有公式就不用填。"),
    "certificate": gettext_lazy("发证照"),
    "certificateHelp": gettext_lazy("证书模板的名称，例如“毕业证明书”。不发证照就留空。"),
    "codeSet": gettext_lazy("用标准代码"),
    "column": gettext_lazy("列"),
    "condition": gettext_lazy("条件"),
    "conditionField": gettext_lazy("哪个字段"),
    "conditionText": gettext_lazy("自己写表达式"),
    "conditionValue": gettext_lazy("值"),
    "conflict": gettext_lazy("别处已经保存过这份草稿，请刷新页面。"),
    "decideMode": gettext_lazy("怎样决定"),
    "down": gettext_lazy("下移"),
    "due": gettext_lazy("时限"),
    "each": gettext_lazy("这一级的每个机构都要办"),
    "eachRow": gettext_lazy("写几条"),
    "edits": gettext_lazy("办理人可以修改的表单字段"),
    "element": gettext_lazy("数据元"),
    "elementFree": gettext_lazy("不用这个数据元"),
    "ends": gettext_lazy("办结方式"),
    "entries": gettext_lazy("写入台账"),
    "entryHelp": gettext_lazy("表单里有从这个台账选择的字段时，修改选中的那一条；没有就新加一条。"),
    "entryOrg": gettext_lazy("记在哪个机构名下"),
    "entryWhen": gettext_lazy("什么时候写"),
    "failed": gettext_lazy("没有保存成功，网络恢复后会再试。"),
    "faults": gettext_lazy("需要修改"),
    "filedAt": gettext_lazy("只能在哪一级发起"),
    "filedBy": gettext_lazy("谁可以发起"),
    "filledIn": gettext_lazy("由平台带入，不用填"),
    "fixedValue": gettext_lazy("固定的值"),
    "form": gettext_lazy("表单"),
    "function": gettext_lazy("平台功能"),
    "functionHelp": gettext_lazy("由平台里的程序完成，要改请找系统管理员。"),
    "half": gettext_lazy("占半行"),
    "help": gettext_lazy("填写提示"),
    "key": gettext_lazy("代号"),
    "keyHelp": gettext_lazy("小写字母开头，公式里用它。启用后不要改。"),
    "late": gettext_lazy("超期后通知别人或自动办理"),
    "lateAfter": gettext_lazy("超过时限多久以后"),
    "lateAfterHelp": gettext_lazy("留空就是一超期就办。"),
    "lateFold": gettext_lazy("提醒与超期"),
    "lateNoOutcome": gettext_lazy("不自动办理，继续等"),
    "lateOutcome": gettext_lazy("然后按哪个结果自动办理"),
    "lateTell": gettext_lazy("通知别人"),
    "lateTitle": gettext_lazy("超期"),
    "lateWho": gettext_lazy("通知谁"),
    "length": gettext_lazy("最多字数"),
    "maximum": gettext_lazy("最大值"),
    "may": gettext_lazy("办理时还可以"),
    "minimum": gettext_lazy("最小值"),
    "namedField": gettext_lazy("哪个字段"),
    "namedInHelp": gettext_lazy("表单里“人员”或“机构”类型的字段；选机构时还要说由那里的谁办。"),
    "names": gettext_lazy("英文名称和代号"),
    "needsReason": gettext_lazy("要写理由"),
    "no": gettext_lazy("否"),
    "noCondition": gettext_lazy("不设条件"),
    "noFunction": gettext_lazy("不调用"),
    "none": gettext_lazy("不选"),
    "note": gettext_lazy("说明"),
    "oldPreview": gettext_lazy("这是出错以前的样子（{time} 保存）。改好标出的地方，这里就会更新。"),
    "onlyOne": gettext_lazy("只写一条"),
    "opContains": gettext_lazy("包含"),
    "opEmpty": gettext_lazy("没有填"),
    "opFilled": gettext_lazy("已填"),
    "opIs": gettext_lazy("等于"),
    "opLess": gettext_lazy("小于"),
    "opMore": gettext_lazy("大于"),
    "opNot": gettext_lazy("不等于"),
    "optionCode": gettext_lazy("选项代码"),
    "optionTitle": gettext_lazy("选项"),
    "options": gettext_lazy("选项"),
    "otherwise": gettext_lazy("找不到人时另请"),
    "outcomes": gettext_lazy("办理结果"),
    "outcomesHelp": gettext_lazy("第一个结果算“同意”，批量办理和跳过本环节时走它。"),
    "ownerOf": gettext_lazy("数据元，或存放数据元代号的字段"),
    "ownerOfHelp": gettext_lazy("由产生这项数据的单位办理。"),
    "place": gettext_lazy("在哪一级"),
    "places": gettext_lazy("小数位数"),
    "poolCount": gettext_lazy("抽几人"),
    "poolRegister": gettext_lazy("哪个人员库"),
    "prefix": gettext_lazy("编号开头"),
    "prefixHelp": gettext_lazy("最多六个大写字母，例如 QJ；办件编号以它开头。"),
    "promise": gettext_lazy("承诺整件事多久办完"),
    "promiseHelp": gettext_lazy("退回给发起人的时间不算。"),
    "quorum": gettext_lazy("票数"),
    "redo": gettext_lazy("重做"),
    "register": gettext_lazy("台账"),
    "remind": gettext_lazy("到期以前提醒"),
    "remindBefore": gettext_lazy("提前"),
    "remove": gettext_lazy("删除"),
    "removeEntry": gettext_lazy("不写这一项"),
    "removeOtherwise": gettext_lazy("不另请别人"),
    "required": gettext_lazy("必填"),
    "requiredIf": gettext_lazy("满足条件时必填"),
    "result": gettext_lazy("结果"),
    "role": gettext_lazy("什么角色"),
    "sameOrg": gettext_lazy("办件所在的机构"),
    "sameState": gettext_lazy("不另定"),
    "saved": gettext_lazy("已保存"),
    "saving": gettext_lazy("正在保存…"),
    "score": gettext_lazy("打分的字段"),
    "scoreHelp": gettext_lazy("在“办理时填写”里添加的数字字段。"),
    "scoreTitle": gettext_lazy("评分"),
    "section": gettext_lazy("分组"),
    "see": gettext_lazy("还有谁可以查看"),
    "set": gettext_lazy("写入哪些字段"),
    "setAlike": gettext_lazy("名称相同的都照表单写入"),
    "shown": gettext_lazy("预览"),
    "shownIf": gettext_lazy("什么时候显示"),
    "share": gettext_lazy("申请共享"),
    "sound": gettext_lazy("没有问题，可以启用。"),
    "stage": gettext_lazy("环节"),
    "state": gettext_lazy("状态"),
    "title": gettext_lazy("名称"),
    "titleEn": gettext_lazy("英文名称"),
    "to": gettext_lazy("去向"),
    "toFiler": gettext_lazy("退给发起人"),
    "today": gettext_lazy("当天日期"),
    "tolerance": gettext_lazy("允许相差几分"),
    "tone": gettext_lazy("颜色"),
    "type": gettext_lazy("类型"),
    "undo": gettext_lazy("撤销"),
    "unit": gettext_lazy("单位"),
    "up": gettext_lazy("上移"),
    "when": gettext_lazy("什么时候要经过"),
    "who": gettext_lazy("由谁办理"),
    "work": gettext_lazy("编辑"),
    "written": gettext_lazy("办理时填写"),
    "writtenHelp": gettext_lazy("办理人在这个环节另填的内容，例如评分和意见；填报人看不到这些空格。"),
    "yes": gettext_lazy("是"),
}
