"""Words of the life of data."""

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shuren.datahub.data import ArchiveState, DestructionState, LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.datahub.models import ArchivedPartition, Destruction
from shuren.datahub.rules.field_grades import GradeOrigin
from shuren.pages.data import Status, Tab

STARTS: dict[LifeCycleStart, str | Promise] = {
    LifeCycleStart.PARTITION: gettext_lazy("分区所说的最后一天（年、月、日或学年）"),
    LifeCycleStart.WRITTEN: gettext_lazy("写入的那天"),
}
ENDS: dict[LifeCycleEnd, str | Promise] = {
    LifeCycleEnd.KEEP: gettext_lazy("一直使用"),
    LifeCycleEnd.ARCHIVE: gettext_lazy("归档"),
    LifeCycleEnd.DESTROY: gettext_lazy("销毁"),
}
ARCHIVES: dict[ArchiveState, str | Promise] = {
    ArchiveState.ARCHIVED: gettext_lazy("已归档"),
    ArchiveState.CALLED: gettext_lazy("正在调回"),
    ArchiveState.RECALLED: gettext_lazy("已调回"),
    ArchiveState.DESTROYED: gettext_lazy("已销毁"),
}
DESTRUCTIONS: dict[DestructionState, str | Promise] = {
    DestructionState.PLANNED: gettext_lazy("待提请"),
    DestructionState.PROPOSED: gettext_lazy("待第二人批准"),
    DestructionState.APPROVED: gettext_lazy("已批准，待销毁"),
    DestructionState.RUNNING: gettext_lazy("正在销毁"),
    DestructionState.DONE: gettext_lazy("已销毁"),
    DestructionState.REFUSED: gettext_lazy("已退回"),
}
STAGES: dict[str, str | Promise] = {
    "collected": gettext_lazy("采集"),
    "stored": gettext_lazy("存储"),
    "computed": gettext_lazy("加工"),
    "asked": gettext_lazy("查询使用"),
    "shared": gettext_lazy("共享"),
    "opened": gettext_lazy("开放"),
    "archived": gettext_lazy("归档"),
    "destroyed": gettext_lazy("销毁"),
}
UNITS: dict[str, str | Promise] = {
    "collected": gettext_lazy("次写入"),
    "stored": gettext_lazy("个分区在用"),
    "computed": gettext_lazy("次读取计算"),
    "asked": gettext_lazy("次查询，近 90 天"),
    "shared": gettext_lazy("次共享使用"),
    "opened": gettext_lazy("份开放数据"),
    "archived": gettext_lazy("次归档"),
    "destroyed": gettext_lazy("份销毁证明"),
}
FAULTS: dict[str, str | Promise] = {
    "form": gettext_lazy("这不是销毁证明文件。"),
    "number": gettext_lazy("本平台没有出具过这个编号的证明。"),
    "content": gettext_lazy("内容与本平台出具的不同：文件被改动过。"),
    "signature": gettext_lazy("签名不符：文件被改动过，或不是本平台签的。"),
    "log": gettext_lazy("与存证日志不符：证明在出具之后被改动过。"),
    "there": gettext_lazy("证明是真的，但它所说的文件又出现在数据湖里。"),
}
SUBJECTS: dict[str, str | Promise] = {
    "person": gettext_lazy("人员信息"),
    "guardian": gettext_lazy("监护关系"),
    "affiliation": gettext_lazy("任职与归属"),
    "enrollment": gettext_lazy("学籍与在读"),
    "org": gettext_lazy("机构信息"),
    "class": gettext_lazy("班级信息"),
    "course": gettext_lazy("课程信息"),
    "session": gettext_lazy("学年学期"),
    "result": gettext_lazy("学业成绩"),
}
ORIGINS: dict[GradeOrigin, str | Promise] = {
    GradeOrigin.OWN: gettext_lazy("字段自己的级别"),
    GradeOrigin.ASSET: gettext_lazy("随整项资源"),
    GradeOrigin.NONE: gettext_lazy("未定级"),
}
ACCESS: dict[str, str | Promise] = {
    "public": gettext_lazy("任何人"),
    "internal": gettext_lazy("有权限的人"),
    "personal": gettext_lazy("有权限、在范围内、用途相符的人"),
    "sensitive": gettext_lazy("有权限、在范围内、用途相符并再次核验身份的人"),
}
TRACES: dict[str, str | Promise] = {
    "writes": gettext_lazy("写入、导出"),
    "exports": gettext_lazy("写入、导出"),
    "reads": gettext_lazy("写入、导出、每次查看"),
}
_ARCHIVE_TONES = {ArchiveState.CALLED: "busy", ArchiveState.RECALLED: "warn", ArchiveState.DESTROYED: "plain"}
_DESTRUCTION_TONES = {
    DestructionState.PLANNED: "warn",
    DestructionState.PROPOSED: "warn",
    DestructionState.APPROVED: "busy",
    DestructionState.RUNNING: "busy",
    DestructionState.DONE: "good",
}


def tabs(current: str) -> list[Tab]:
    """The lists of the life of data."""
    names = (
        ("life_cycles", _("数据集与规则")),
        ("archives", _("归档")),
        ("destructions", _("销毁")),
        ("check_certificate", _("检验证明")),
    )
    return [Tab(label=label, url=reverse(f"datahub:{name}"), is_current=name == current) for name, label in names]


def crumbs(*here: tuple[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "url": url} for label, url in ((_("数据生命周期"), reverse("datahub:life_cycles")), *here)]


def archive_state(row: ArchivedPartition) -> Status:
    state = ArchiveState(row.state)
    return Status(text=str(ARCHIVES[state]), tone=_ARCHIVE_TONES.get(state, "good"))


def destruction_state(row: Destruction) -> Status:
    state = DestructionState(row.state)
    return Status(text=str(DESTRUCTIONS[state]), tone=_DESTRUCTION_TONES.get(state, "plain"))


def days_words(days: int) -> str:
    """Days as people say them: whole years where they are some."""
    if days and days % 366 == 0:
        years = days // 366
        return ngettext("%(count)s 年", "%(count)s 年", years) % {"count": years}
    return ngettext("%(count)s 天", "%(count)s 天", days) % {"count": days}


def rule_words(rule: LifeCycle) -> str:
    """A rule in one sentence."""
    if rule.in_use_days is None or rule.then is LifeCycleEnd.KEEP:
        return _("一直使用")
    used = days_words(rule.in_use_days)
    if rule.then is LifeCycleEnd.DESTROY:
        return _("使用 %(used)s后销毁") % {"used": used}
    if rule.archived_days is None:
        return _("使用 %(used)s后归档，一直保存") % {"used": used}
    return _("使用 %(used)s后归档，再过 %(archived)s销毁") % {"used": used, "archived": days_words(rule.archived_days)}
