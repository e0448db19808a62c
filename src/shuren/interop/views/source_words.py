"""What sources of rosters and their turns are called on pages, and what is said of what went wrong."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.interop.data import PullKind, PullStatus, Resource, SourceMode
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.rules.roster_pull.cells import Reason
from shuren.pages.data import Status

RESOURCES: Mapping[Resource, Promise] = {
    Resource.ORGS: gettext_lazy("机构"),
    Resource.SESSIONS: gettext_lazy("学年学期"),
    Resource.COURSES: gettext_lazy("课程"),
    Resource.CLASSES: gettext_lazy("班级"),
    Resource.USERS: gettext_lazy("人员"),
    Resource.DEMOGRAPHICS: gettext_lazy("性别和出生日期"),
    Resource.ENROLLMENTS: gettext_lazy("选课与任课"),
}
MODES: Mapping[SourceMode, Promise] = {
    SourceMode.TRIAL: gettext_lazy("只试不写：检查并显示差异，什么也不写入"),
    SourceMode.ASK: gettext_lazy("每次都等我确认后写入"),
    SourceMode.APPLY: gettext_lazy("检查通过就写入；减少得太多时等我确认"),
}
MODES_SHORT: Mapping[SourceMode, Promise] = {
    SourceMode.TRIAL: gettext_lazy("只试不写"),
    SourceMode.ASK: gettext_lazy("确认后写入"),
    SourceMode.APPLY: gettext_lazy("自动写入"),
}
KINDS: Mapping[PullKind, Promise] = {PullKind.FULL: gettext_lazy("完整"), PullKind.DELTA: gettext_lazy("只取变化")}
STATUSES: Mapping[PullStatus, tuple[Promise, str]] = {
    PullStatus.FETCHING: (gettext_lazy("正在拉取"), "busy"),
    PullStatus.CHECKING: (gettext_lazy("正在检查"), "busy"),
    PullStatus.WAITING: (gettext_lazy("等待确认"), "warn"),
    PullStatus.APPLYING: (gettext_lazy("正在写入"), "busy"),
    PullStatus.APPLIED: (gettext_lazy("已写入"), "good"),
    PullStatus.UNCHANGED: (gettext_lazy("没有变化"), "good"),
    PullStatus.TRIED: (gettext_lazy("试过，没有写入"), "plain"),
    PullStatus.REFUSED: (gettext_lazy("内容有误，没有写入"), "bad"),
    PullStatus.FAILED: (gettext_lazy("没有成功"), "bad"),
    PullStatus.DROPPED: (gettext_lazy("已放弃"), "plain"),
    PullStatus.UNDONE: (gettext_lazy("已撤销"), "plain"),
}
PAUSES: Mapping[str, Promise] = {
    "officer": gettext_lazy("由人员暂停"),
    "undone": gettext_lazy("写入的内容被撤销了；核对后再恢复，下一次是完整拉取"),
    "no_right": gettext_lazy("登记人已经不能导入这里的名册；请有权限的人打开“修改”并保存"),
}
REASONS: Mapping[Reason, Promise] = {
    Reason.MISSING: gettext_lazy("缺少必填的字段"),
    Reason.NOT_TEXT: gettext_lazy("应当是文字"),
    Reason.NOT_AN_OBJECT: gettext_lazy("应当是一个对象"),
    Reason.TOO_LONG: gettext_lazy("太长"),
    Reason.NOT_A_DAY: gettext_lazy("不是日期（如 2026-09-01）"),
    Reason.NOT_A_MOMENT: gettext_lazy("不是时间（如 2026-09-01T08:00:00Z）"),
    Reason.NOT_A_SWITCH: gettext_lazy("应当是 true 或 false"),
    Reason.NOT_A_LIST: gettext_lazy("应当是一个列表"),
    Reason.WORD: gettext_lazy("不是标准里的词"),
    Reason.BEYOND: gettext_lazy("超出本机构的范围"),
}
LEFT_OUT: Mapping[str, Promise] = {
    "gone": gettext_lazy("已经离开、这里也没有的"),
    "granted_roles": gettext_lazy("系统管理员角色（只能由人授予）"),
    "other_roles": gettext_lazy("标准以外的角色"),
}
_ERRORS: Mapping[str, Promise] = {
    "faults": gettext_lazy("有对象不合标准，见下面的清单。请对方改正后再拉取。"),
    "findings": gettext_lazy("名册检查没有通过。请打开检查结果，按清单改正后再拉取。"),
    "import": gettext_lazy("名册没有写入。"),
    "many_end": gettext_lazy("很多人员或机构会结束。请核对差异，确认后再写入。"),
    "no_right": gettext_lazy("登记人已经不能导入这里的名册。"),
    "address": gettext_lazy("这个网址不能访问。"),
    "no_token": gettext_lazy("没有拿到令牌。请核对客户端编号、密钥和令牌网址。"),
    "not_a_page": gettext_lazy("对方的答复不是 OneRoster 列表。请核对服务网址。"),
    "too_long": gettext_lazy("对方的一页超过 32 MB，没有读取。"),
    "short": gettext_lazy("对方的列表没有给全就结束了。"),
    "unsteady": gettext_lazy("对方的列表在读取时一直在变少。请换一个时间再拉取。"),
    "silent": gettext_lazy("对方没有答复。"),
    "tops": gettext_lazy("对方应当只有一个最上级机构。请在“修改”里改成挂在本机构下面。"),
}


def mode_short(source: RosterSource) -> str:
    return str(MODES_SHORT[SourceMode(source.mode)])


def kind_word(pull: RosterPull) -> str:
    return str(KINDS[PullKind(pull.kind)])


def pull_status(pull: RosterPull) -> Status:
    word, tone = STATUSES[PullStatus(pull.status)]
    return Status(text=str(word), tone=tone)


def source_status(source: RosterSource, latest: RosterPull | None) -> Status:
    if source.is_paused:
        return Status(text=_("已暂停"), tone="warn")
    return pull_status(latest) if latest else Status(text=_("还没有拉取过"))


def error_words(pull: RosterPull) -> str:
    """What went wrong, with what the other side said of it; empty where nothing did."""
    code = str(pull.error.get("code", ""))
    if not code:
        return ""
    if code.startswith("status_"):
        said = _("对方答复 %(status)s。") % {"status": code.removeprefix("status_")}
    else:
        said = str(_ERRORS.get(code, code))
    resource = pull.error.get("resource", "")
    where = _("读取“%(what)s”时：") % {"what": RESOURCES[Resource(resource)]} if resource else ""
    detail = str(pull.error.get("detail", ""))
    return f"{where}{said}" + (f" {detail}" if detail else "")


def left_out_words(pull: RosterPull) -> str:
    return "；".join(f"{LEFT_OUT.get(what, what)} {count:,}" for what, count in sorted(pull.left_out.items()))


def reason_words(code: str) -> str:
    return str(REASONS[Reason(code)])


def resource_words(code: str) -> str:
    return str(RESOURCES[Resource(code)])


def takes_words(source: RosterSource) -> str:
    always = (Resource.ORGS, Resource.USERS)
    return "、".join(str(word) for one, word in RESOURCES.items() if one in always or one.value in source.takes)
