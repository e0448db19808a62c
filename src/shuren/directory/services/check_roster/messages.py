"""What is said about each rule a roster may break: the reason, and how to mend it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.directory.data import OrgType, SessionType
from shuren.directory.rules.roster import oneroster, workbook
from shuren.directory.rules.roster.kinds import ROLES
from shuren.directory.rules.roster.workbook import Sheet
from shuren.directory.services.check_roster.staging import Source
from shuren.intake.data import Finding


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding before it is put into words."""

    rule: str
    file: str = ""
    sheet: str = ""
    row: int = 0
    column: str = ""
    value: str = ""
    detail: str = ""
    is_error: bool = True


COMPETING = "competing"

Text = str | Promise
_LINE = _("请用表格软件打开，补齐或删去这一行多余的单元格后另存为 CSV UTF-8。")
_STATUS = _("这个文件在清单中是全量（bulk），这两列必须留空；如果只报变动，请把清单改为 delta。")

SENTENCES: dict[str, tuple[Text, Text]] = {
    "not_a_zip": (_("这个文件不是可以打开的 zip 包。"), _("请重新打包后上传，包内直接放各个 CSV 文件。")),
    "not_a_workbook": (_("这个文件不是可以打开的 Excel 工作簿。"), _("请从“下载模板”取得工作簿，填写后存为 .xlsx。")),
    "zip_bomb": (_("压缩包解开后过大。"), _("请确认打包的是名册文件；过大的名册请分批上传。")),
    "not_at_root": (_("文件放在压缩包的子文件夹里。"), _("请把 CSV 文件直接放在压缩包的最外层。")),
    "unknown_file": (_("名册标准中没有这个文件，已忽略。"), _("可以从压缩包中删去。")),
    "file_twice": (_("压缩包里有两个同名文件。"), _("请只保留一个。")),
    "no_manifest": (
        _("缺少清单文件 manifest.csv。"),
        _("请在压缩包最外层加入 manifest.csv，写明每个文件是 bulk、delta 还是 absent。"),
    ),
    "manifest_value": (_("清单中的值不对。"), _("应为：%(detail)s。")),
    "file_missing": (_("清单写明有这个文件，压缩包里却没有。"), _("请补上文件，或把清单中的值改为 absent。")),
    "file_extra": (_("压缩包里有这个文件，清单却没有写明。"), _("请在清单中把 %(detail)s 写为 bulk 或 delta，或删去文件。")),
    "file_not_read": (_("名册导入不读这个文件，已忽略。"), _("成绩请从“成绩导入”上传。")),
    "nothing_here": (_("压缩包里没有机构也没有人员。"), _("至少要有 orgs.csv 或 users.csv。")),
    "encoding": (_("文件不是 UTF-8 编码，从这一行开始读不出来。"), _("请另存为“CSV UTF-8（逗号分隔）”。")),
    "header": (_("表头与标准不符。"), _("表头应依次为：%(detail)s。")),
    "extra_heading": (_("标准之外的列不能这样命名。"), _("扩展列请命名为 metadata.… 并放在最后，不要重复。")),
    "heading_missing": (_("缺少这一列。"), _("请从模板复制表头，不要改名。")),
    "heading_unknown": (_("模板中没有这一列，已忽略。"), _("可以删去这一列。")),
    "sheet_missing": (_("缺少这张工作表。"), _("请从模板开始填写，保留全部工作表。")),
    "sheet_unknown": (_("模板中没有这张工作表，已忽略。"), _("可以删去这张工作表。")),
    "too_many_rows": (_("工作表的行数太多。"), _("最多 %(detail)s 行；更大的名册请用 OneRoster CSV 压缩包。")),
    "line_broken": (_("这一行读不出来。"), _LINE),
    "blank_line": (_("空行，已跳过。"), _("可以删去。")),
    "width": (
        _("这一行的单元格数与表头不同。"),
        _("表头有 %(detail)s 格。请用表格软件打开，补齐或删去这一行多余的单元格后另存为 CSV UTF-8。"),
    ),
    "required": (_("不能为空。"), _("请填写这一格。")),
    "too_long": (_("内容太长。"), _("请缩短到 %(detail)s 个字以内。")),
    "control": (_("含有看不见的控制字符（换行、制表符等）。"), _("请重新输入这一格。")),
    "date": (_("不是有效日期。"), _("请写成 2026-09-01 的样子，并确认这一天存在。")),
    "birth": (_("出生日期不可能。"), _("应在 1900 年以后、今天以前。")),
    "year": (_("学年不是四位年份。"), _("请填写学年结束的那一年，如 2027。")),
    "switch": (_("不是“是”或“否”。"), _("请填写：%(words)s。")),
    "word": (_("不在允许的取值之内。"), _("请从这些中选一个：%(words)s。")),
    "class_in_orgs": (_("班级不能写在机构表里。"), _("请把班级移到班级表。")),
    "granted_only": (_("名册不能授予管理员和厂商身份。"), _("请删去这一行，由有权的人在“授权”页面办理。")),
    "period": (_("结束日期早于开始日期。"), _("开始日期是 %(detail)s，请核对这两个日期。")),
    "status_bulk": (_("全量文件中这一格应为空。"), _STATUS),
    "status_delta": (_("增量文件中状态应为 active 或 tobedeleted。"), _("请填写其中一个。")),
    "modified_delta": (_("增量文件中最后修改时间不是有效时间。"), _("请写成 2026-09-01T08:00:00Z 的样子。")),
    "duplicate": (_("编号重复。"), _("第一次出现在第 %(detail)s 行。请给每一行一个不重复的编号，或删去重复行。")),
    "name_differs": (_("同一个人员编号有两个姓名。"), _("另一个姓名在第 %(detail)s 行。请核对编号；不同的人用不同的编号。")),
    "national_id": (_("身份证件号校验不通过。"), _("请核对；确实如此可以照常导入。")),
    "birth_differs": (_("出生日期与身份证件号中的不同。"), _("证件号中是 %(detail)s。请核对；确实如此可以照常导入。")),
    "pupil_number": (_("学籍号不是 G、J 或 L 加 18 位。"), _("请核对；地方学籍号可以照常导入。")),
    "pupil_number_twice": (_("两个人用了同一个学籍号。"), _("请核对是否同一个人。")),
    "org_code": (_("%(detail)s。"), _("请核对；确实如此可以照常导入。")),
    "unknown_session": (_("找不到这个学年或学期。"), _("请先在学年学期表中加入它。")),
    "unknown_org": (_("找不到这个机构或班级。"), _("请在机构表或班级表中加入它，或改正编号。")),
    "unknown_course": (_("找不到这门课程。"), _("请在课程表中加入它，或改正编号。")),
    "unknown_person": (_("找不到这个人员。"), _("请在人员表中加入此人，或改正编号。")),
    "own_guardian": (_("一个人不能是自己的家长。"), _("请改正家长或学生编号。")),
    "type_under_type": (_("这类机构不能放在这个上级之下。"), _("%(detail)s。请改正机构类型或上级机构。")),
    "root_type": (_("这类机构不能是最上级机构。"), _("请填写上级机构。")),
    "second_root": (_("最上级机构只能有一个。"), _("已有“%(detail)s”。请填写上级机构编号。")),
    "cycle": (_("上级关系绕成了圈。"), _("请改正其中一个机构的上级。")),
    "not_a_class": (_("这不是班级。"), _("请填写班级编号。")),
    "pupil_outside_school": (_("学生要属于学校，这里是行政区。"), _("请改填学校编号。")),
    "officer_in_school": (_("教育局人员不能任职于学校。"), _("请改填教育局编号，或改正岗位。")),
    "two_primaries": (_("同一个人在同一个机构有两个主要身份。"), _("请把其余的改为次要。")),
    "primary_org": (_("主要机构不在此人的任职之中。"), _("请在任职表中加入，或改正主要机构。")),
    "role_not_yours": (_("您没有权力在这个机构授予这个岗位。"), _("请删去这一行，或请有权的上级导入。")),
    "role_to_oneself": (_("不能给自己授权。"), _("请删去这一行，由上级管理员办理。")),
    "excluded_role": (
        _("此人是系统、安全或审计管理员，不能再担任这个岗位。"),
        _("请删去这一行，或先收回此人的管理员授权。"),
    ),
    "strong_widened": (
        _("不能用名册把已有的任职改成或延长为区县以上的管理员。"),
        _("请恢复这一行，再在人员页面添加角色，由第二人确认。"),
    ),
    "strong_waits": (
        _("区县以上的管理员，写入后还要另一位有权授予的人确认才生效。"),
        _("请他在“授权”页面确认；七天内没有确认就作废。"),
    ),
    "leans_on_quarantined": (_("它引用的行没有写入，在隔离区。"), _("请先改好那一行，再一起送入。")),
    "outside_scope": (_("不在您的管理范围之内。"), _("请删去这一行，或请上级机构导入。")),
}


def finding_of_file(problem: Problem) -> Finding:
    """Put one problem into words."""
    reason, remedy = SENTENCES[problem.rule]
    filling = {"value": problem.value, "detail": problem.detail, "words": ""}
    return Finding(
        file=problem.file,
        sheet=problem.sheet,
        row=problem.row,
        column=problem.column,
        value=problem.value[:200],
        reason=str(reason) % filling,
        remedy=str(remedy) % filling,
        is_error=problem.is_error,
    )


def finding_of(source: Source, *, row: int, table: str, cell: str, value: str, rule: str, detail: str, is_error: bool) -> Finding:
    """Put one staged row's fault into words, with the heading as it stands in the file."""
    # Whose an element is, and where to object, was put into words where it was found.
    reason, remedy = ("%(detail)s", "%(remedy)s") if rule == COMPETING else SENTENCES[rule]
    detail, _newline, told = detail.partition("\n") if rule == COMPETING else (detail, "", "")
    shown = "" if cell == "national_id" else value
    filling = {"value": shown, "detail": detail, "remedy": told, "words": _words(source, table, cell)}
    return Finding(
        file=source.file,
        sheet=source.sheet,
        row=row,
        column=source.heading_of(table, cell),
        value=shown[:200],
        reason=str(reason) % filling,
        remedy=str(remedy) % filling,
        is_error=is_error,
    )


def _words(source: Source, table: str, cell: str) -> str:
    """The words a cell may hold, as the form writes them."""
    if isinstance(source.spec, Sheet):
        heading = source.spec.heading_of(table, cell)
        choices = next((column.choices for column in source.spec.columns if column.heading == heading), {})
        return "、".join(choices)
    words: dict[tuple[str, str], tuple[str, ...]] = {
        ("org", "type"): (*oneroster.ORG_TYPES, *(kind.value for kind in OrgType if kind is not OrgType.CLASS)),
        ("org", "class_type"): tuple(workbook.CLASS_TYPES.values()),
        ("session", "type"): tuple(kind.value for kind in SessionType),
        ("affiliation", "role"): (*oneroster.ROLE_WORDS, *(role.value for role in ROLES)),
        ("affiliation", "is_primary"): ("primary", "secondary"),
        ("enrollment", "role"): ("student", "teacher"),
        ("demographic", "sex"): ("male", "female", "unspecified", "other"),
        ("person", "sex"): ("0", "1", "2", "9"),
    }
    return "、".join(words.get((table, cell), ("true", "false")))
