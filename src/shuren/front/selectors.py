"""What the portal's pages put together from the apps below: who may see which import, job and audit entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from shuren.assessment import api as assessment
from shuren.casework import api as casework
from shuren.certificates import api as certificates
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus, QuarantineReach, QuarantineState
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, Refused
from shuren.standards import api as standards
from shuren.work import api as work
from shuren.work.data import JobState


@dataclass(frozen=True, slots=True)
class KindOfImport:
    """What the wizard says about one kind of import, and the right it needs.

    A kind with a `start_url` begins on pages of its own, where it is said what for, and goes on in the wizard. One that
    `is_everywhere` needs its right on the whole region.
    """

    name: str
    permission: Permission
    title: str | Promise
    text: str | Promise
    icon: str
    notes: tuple[str | Promise, ...]
    forms_note: str | Promise
    words: Mapping[str, str | Promise]
    template: Callable[[], bytes] | None
    result_url: str
    result_label: str | Promise
    start_url: str = ""
    is_everywhere: bool = False


ROSTER = KindOfImport(
    name="roster",
    permission=Permission.IMPORT_ROSTER,
    title=_("名册"),
    text=_("机构、人员、班级、任课和家长"),
    icon="users",
    notes=(
        _("模板里每个工作表第一行是列名，不要改动；第二行起填写。"),
        _("带下拉的列请从下拉中选择，日期写成 2026-09-01。"),
        _("同一份文件再导入一次不会重复；改过的文件只写入变化的部分。"),
    ),
    forms_note=_("Excel 工作簿（20 万行以内），或 OneRoster 1.2 的 CSV 压缩包（.zip）"),
    words={
        "session": _("学年学期"),
        "org": _("机构和班级"),
        "course": _("课程"),
        "person": _("人员"),
        "affiliation": _("任职和就读"),
        "enrollment": _("班级成员"),
        "link": _("家长与孩子"),
    },
    template=directory.roster_template,
    result_url="/people/",
    result_label=_("查看人员"),
)
RESULTS = KindOfImport(
    name="results",
    permission=Permission.IMPORT_RESULTS,
    title=_("测验成绩"),
    text=_("题目表和学生作答"),
    icon="clipboard-list",
    notes=(
        _("“测验”表写名称、日期和年级；“题目”表一行一题；“作答”表一行一名学生。"),
        _("未作答、未做到、没有发到的题，用模板中写明的代码，不要留空。"),
        _("没有抽样权重和分区时，整列留空即可。"),
    ),
    forms_note=_("Excel 工作簿（20 万行以内）、CSV，或装有这些文件的压缩包（.zip）"),
    words={"pupils": _("学生作答")},
    template=assessment.results_template,
    result_url="/assessments/",
    result_label=_("查看测评项目"),
)
CERTIFICATES = KindOfImport(
    name="certificates",
    permission=Permission.ISSUE_CERTIFICATES,
    title=_("发证名单"),
    text=_("一行一人，写明发哪种证书"),
    icon="award",
    notes=(
        _("“证书”一列写模板的名称，一字不差；姓名要与人员编号对得上。"),
        _("模板里有自填项的，每项加一列，列名就是自填项的名称。"),
        _("“颁发机构代码”留空，就用您所在的机构。整份名单都对了，才会开始发证。"),
    ),
    forms_note=_("Excel 工作簿（20 万行以内）或 CSV"),
    words={"certificate": _("证书")},
    template=certificates.list_template,
    result_url="/certificates/given/",
    result_label=_("查看已发的证书"),
)
CONSENTS = KindOfImport(
    name="consents",
    permission=Permission.INVITE_GUARDIANS,
    title=_("纸质同意书"),
    text=_("家长在纸上签字的决定，一行一份"),
    icon="file-text",
    notes=(
        _("“告知书”写告知书的标题，一字不差；姓名要与人员编号或学籍号对得上。"),
        _("“签字人”写登记的监护人；满 14 岁的学生自己签字的，写学生本人。"),
        _("签字人会收到通知，随时可以撤回；已经在网上作出的决定不会被纸质的改掉。"),
    ),
    forms_note=_("Excel 工作簿（5,000 行以内）或 CSV"),
    words={"consent": _("同意书")},
    template=directory.papers_template,
    result_url="/people/",
    result_label=_("查看人员"),
)
REGISTER = KindOfImport(
    name="register",
    permission=Permission.VIEW_CASES,
    title=_("台账"),
    text=_("先打开要导入的台账，再点“导入”"),
    icon="list-details",
    notes=(),
    forms_note="",
    words={"entry": _("台账记录")},
    template=None,
    result_url="/registers/",
    result_label=_("查看台账"),
    start_url="/registers/",
)
EDITION = KindOfImport(
    name="edition",
    permission=Permission.DEFINE_CASEWORK,
    title=_("代码集新版本"),
    text=_("国家、行业或地方标准的新代码"),
    icon="book-2",
    notes=(
        _("一行一个代码；一个代码表要写全，没有写的代码到今天为止。"),
        _("代码的意思永远不变；只是改名的，在“原名称”里写明原来的名称。"),
        _("检查时会列出哪些表单、台账和数据在用要结束的代码；要么整份采用，要么不采用。"),
    ),
    forms_note=_("Excel 工作簿或 CSV（20 万行以内）"),
    words={"code_set": _("代码集"), "code": pgettext_lazy("standards", "代码")},
    template=None,
    result_url="/standards/editions/",
    result_label=_("查看版本"),
    is_everywhere=True,
)
KINDS = {kind.name: kind for kind in (ROSTER, RESULTS, CERTIFICATES, CONSENTS, REGISTER, EDITION)}


def kinds_open_to(actor: Actor, *, now: datetime) -> list[KindOfImport]:
    held = directory.permissions_of(actor=actor, now=now)
    return [kind for kind in KINDS.values() if kind.permission in held and _reaches(actor, kind, now)]


def access_kind(*, actor: Actor, name: str, now: datetime) -> KindOfImport:
    """The kind of import, if the actor may import it somewhere."""
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound(gettext("没有这一类导入。"))
    if kind.permission not in directory.permissions_of(actor=actor, now=now) or not _reaches(actor, kind, now):
        raise Refused(gettext("您当前的身份不能导入这类数据。"))
    return kind


def holds_everywhere(actor: Actor, permission: Permission, *, now: datetime) -> bool:
    """Whether the actor holds the permission on the root of the tree, and so on everything."""
    root = directory.root_org()
    return root is not None and directory.scope_of(actor=actor, permission=permission, now=now).covers(root.path)


def may_take_editions(actor: Actor, *, now: datetime) -> bool:
    """Whoever may define for the whole region: its words are everybody's."""
    return holds_everywhere(actor, EDITION.permission, now=now)


def _reaches(actor: Actor, kind: KindOfImport, now: datetime) -> bool:
    return not kind.is_everywhere or holds_everywhere(actor, kind.permission, now=now)


def access_import(*, actor: Actor, id: str, now: datetime) -> tuple[ImportState, KindOfImport]:
    """The import by its public id: for whoever started it, and for holders of its permission on the root."""
    import_id = ids.decode("import", id)
    state = intake.import_state(import_id)
    kind = KINDS.get(state.kind)
    if kind is None:
        raise NotFound(gettext("没有这一类导入。"))
    is_everywhere = holds_everywhere(actor, kind.permission, now=now)
    state = intake.access_import(actor=actor, id=import_id, may_see_all=is_everywhere)
    if kind.permission not in directory.permissions_of(actor=actor, now=now) or not _reaches(actor, kind, now):
        raise Refused(gettext("您当前的身份不能导入这类数据。"))
    return state, kind


def may_undo_import(state: ImportState, kind: KindOfImport, *, now: datetime) -> bool:
    if kind is ROSTER:
        return directory.may_undo_roster(state.id, now=now)
    if kind is EDITION:
        last = next((one for one in standards.editions() if one.is_in_force), None)
        return last is not None and last.import_id == state.id
    return kind is REGISTER and casework.may_undo_register_import(state.id, now=now)


def waiting_url() -> str:
    """Where the rows stand that somebody has to look at."""
    return f"{reverse('front:quarantine')}?state={QuarantineState.WAITING.value}"


def quarantine_reach(*, actor: Actor, now: datetime) -> QuarantineReach:
    """Rows of rosters for those who import them there, rows of a register for those who keep it there, and one's own."""
    held = directory.permissions_of(actor=actor, now=now)
    registers = casework.register_keep_paths(actor=actor, keys=intake.topics_quarantined(REGISTER.name), now=now)
    paths = {(REGISTER.name, key): kept for key, kept in registers.items()}
    paths[ROSTER.name, ""] = directory.scope_of(actor=actor, permission=ROSTER.permission, now=now).paths
    root = directory.root_org()
    everywhere = frozenset(about for about, kept in paths.items() if root is not None and root.path in kept)
    own = frozenset(kind.name for kind in (ROSTER, REGISTER) if kind.permission in held)
    return QuarantineReach(actor.account_id, own, paths, everywhere)


def may_quarantine(state: ImportState) -> bool:
    """Whether the importer may choose to take the good rows: errors were found, and that was not tried yet."""
    kind = intake.kind_named(state.kind)
    return bool(
        kind and kind.quarantines and state.status is ImportStatus.REJECTED and state.error_count and not state.quarantines
    )


def access_job(*, actor: Actor, id: str, now: datetime) -> JobState:
    """The job by its public id: for whoever started it, and for holders of `VIEW_JOBS` on the root."""
    may_see_all = holds_everywhere(actor, Permission.VIEW_JOBS, now=now)
    return work.access_job(actor=actor, id=ids.decode("job", id), may_see_all=may_see_all)
