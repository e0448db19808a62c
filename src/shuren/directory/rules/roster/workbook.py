"""Our Excel workbook: its sheets, headings, drop-downs, notes and example rows, and the staged cells they fill.

Headings are part of the format and stay Chinese in every language. A cell called `a_…` belongs to the person's
affiliation, `e_…` to the enrollment in a homeroom, `l_…` to the guardian link; the rest to the row itself.
"""

from dataclasses import dataclass, field

from shuren.directory.data import OrgType, Role

YES_NO = {"是": "true", "否": "false"}
ORG_TYPES = {
    "省": OrgType.PROVINCE.value,
    "市": OrgType.CITY.value,
    "县区": OrgType.COUNTY.value,
    "直属机构": OrgType.AGENCY.value,
    "教育集团": OrgType.GROUP.value,
    "学校": OrgType.SCHOOL.value,
    "校区": OrgType.CAMPUS.value,
    "教学点": OrgType.TEACHING_POINT.value,
    "部门": OrgType.DEPARTMENT.value,
    "年级": OrgType.GRADE.value,
}
SESSION_TYPES = {"学年": "schoolYear", "学期": "term", "半学年": "semester", "评分期": "gradingPeriod"}
CLASS_TYPES = {"行政班": "homeroom", "教学班": "scheduled"}
SEXES = {"男": "1", "女": "2", "未说明": "9", "未知": "0"}
STAFF_ROLES = {
    "教师": Role.TEACHER.value,
    "班主任": Role.CLASS_TEACHER.value,
    "校长": Role.HEAD.value,
    "学校管理员": Role.SCHOOL_ADMIN.value,
    "职工": Role.STAFF.value,
    "县区教育局人员": Role.COUNTY_OFFICER.value,
    "市教育局人员": Role.CITY_OFFICER.value,
    "省教育厅人员": Role.PROVINCE_OFFICER.value,
    "专家": Role.EXPERT.value,
}
ENROLLMENT_ROLES = {"教师": "teacher", "学生": "student"}
DATE_NOTE = "写成 2026-09-01 的样子"
EXAMPLE_MARK = "示例行，导入时不读"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the staged cell it fills, and what the template says about it."""

    heading: str
    cell: str
    is_required: bool = False
    note: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    example: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; `table` is the staged table that its own cells fill."""

    name: str
    table: str
    columns: tuple[Column, ...]
    purpose: str

    @property
    def cells(self) -> tuple[str, ...]:
        return tuple(column.cell for column in self.columns)

    def heading_of(self, table: str, cell: str) -> str:
        """The heading under which a staged cell of `table` stands on this sheet."""
        wanted = _PLACES.get((self.table, table, cell), cell)
        return next((column.heading for column in self.columns if column.cell == wanted), cell)


# (sheet's table, staged table, staged cell) → cell of the sheet, where the two differ.
_PLACES = {
    **{("person", "affiliation", cell): f"a_{cell}" for cell in ("org", "role", "is_primary", "begin_date", "end_date")},
    ("person", "affiliation", "person"): "sid",
    ("person", "enrollment", "person"): "sid",
    ("person", "enrollment", "org"): "e_org",
    ("person", "link", "guardian"): "sid",
    ("person", "link", "ward"): "l_ward",
    ("person", "link", "relation"): "l_relation",
    ("enrollment", "enrollment", "person"): "person",
}

_ENABLED = Column("在用", "enabled", note="留空按“是”", choices=YES_NO)
_SYNTHETIC = Column("合成数据", "synthetic", note="演示用的虚构人员填“是”", choices=YES_NO)
_CONTACT = (Column("用户名", "username"), Column("手机", "phone"), Column("邮箱", "email"), _ENABLED, _SYNTHETIC)
_PRIMARY = Column("主要", "a_is_primary", note="一个人在一个机构只有一个主要身份；留空按“是”", choices=YES_NO)

ORGS = Sheet(
    "机构",
    "org",
    (
        Column("机构编号", "sid", True, "本表内不重复；以后每次导入都用同一个编号", example="XX-001"),
        Column("机构名称", "name", True, example="示例市示例区第一小学"),
        Column("简称", "short_name", example="示例一小"),
        Column("机构类型", "type", True, choices=ORG_TYPES, example="学校"),
        Column("上级机构编号", "parent", note="最上级机构留空", example="QX-01"),
        Column("机构标识码", "code", note="学校填 10 位学校（机构）标识码"),
        Column("行政区划代码", "division_code", note="6 位"),
        Column("统一社会信用代码", "credit_code", note="18 位"),
        Column("是否农村", "is_rural", choices=YES_NO),
        Column("年级", "grade", note="只有年级填"),
        Column("开始日期", "begin_date", note=DATE_NOTE),
        Column("结束日期", "end_date", note=DATE_NOTE),
    ),
    "省、市、县区、集团、学校、校区、教学点、年级、部门",
)
SESSIONS = Sheet(
    "学年学期",
    "session",
    (
        Column("学期编号", "sid", True, example="2026-1"),
        Column("名称", "title", True, example="2026—2027 学年第一学期"),
        Column("类型", "type", True, choices=SESSION_TYPES, example="学期"),
        Column("开始日期", "begin_date", True, DATE_NOTE, example="2026-09-01"),
        Column("结束日期", "end_date", True, DATE_NOTE, example="2027-01-31"),
        Column("所属学年编号", "parent", note="学年本身留空"),
        Column("学年", "school_year", True, "学年结束的那一年，如 2027", example="2027"),
    ),
    "学年和学期",
)
COURSES = Sheet(
    "课程",
    "course",
    (
        Column("课程编号", "sid", True, example="KC-YW"),
        Column("课程名称", "title", True, example="语文"),
        Column("课程代码", "code"),
        Column("适用年级", "grades"),
        Column("学科", "subject", example="语文"),
        Column("开课机构编号", "org", True, example="XX-001"),
        Column("学年编号", "session"),
    ),
    "课程；没有教学班可以不填",
)
CLASSES = Sheet(
    "班级",
    "org",
    (
        Column("班级编号", "sid", True, example="XX-001-2026-01"),
        Column("班级名称", "name", True, example="三年级(1)班"),
        Column("所属机构编号", "parent", True, "学校、校区、教学点或年级的编号", example="XX-001"),
        Column("年级", "grade", example="3"),
        Column("班级类型", "class_type", True, choices=CLASS_TYPES, example="行政班"),
        Column("班号", "class_code", example="1"),
        Column("课程编号", "course", note="教学班填"),
        Column("学期编号", "terms", note="几个学期用逗号隔开", example="2026-1"),
        Column("简称", "short_name"),
        Column("班级代码", "code"),
        Column("开始日期", "begin_date", note=DATE_NOTE),
        Column("结束日期", "end_date", note=DATE_NOTE),
    ),
    "行政班和教学班",
)
STAFF = Sheet(
    "教职工",
    "person",
    (
        Column("人员编号", "sid", True, "一个人一个编号，可以有几行（几个岗位）", example="T0001"),
        Column("姓名", "name", True, example="示例教师"),
        Column("性别", "sex", choices=SEXES, example="女"),
        Column("出生日期", "birth_date", note=DATE_NOTE, example="1988-05-01"),
        Column("身份证件号", "national_id", note="加密保存，可以不填"),
        Column("工号", "staff_number", example="2008001"),
        Column("机构编号", "a_org", note="在哪个机构任职", example="XX-001"),
        Column("岗位", "a_role", choices=STAFF_ROLES, example="教师"),
        _PRIMARY,
        Column("任职开始", "a_begin_date", note=DATE_NOTE),
        Column("任职结束", "a_end_date", note=DATE_NOTE),
        *_CONTACT,
        Column("学籍号", "pupil_number"),
        Column("年级", "grade"),
    ),
    "校长、教师、职工、教育局人员；几个岗位写几行",
)
PUPILS = Sheet(
    "学生",
    "person",
    (
        Column("人员编号", "sid", True, "一个人一个编号", example="S0001"),
        Column("姓名", "name", True, example="示例学生"),
        Column("性别", "sex", choices=SEXES, example="男"),
        Column("出生日期", "birth_date", note=DATE_NOTE, example="2017-10-08"),
        Column("身份证件号", "national_id", note="加密保存，可以不填"),
        Column("学籍号", "pupil_number", note="G、J 或 L 加 18 位"),
        Column("年级", "grade", example="3"),
        Column("学校编号", "a_org", True, example="XX-001"),
        Column("班级编号", "e_org", note="所在行政班", example="XX-001-2026-01"),
        _PRIMARY,
        Column("入学日期", "a_begin_date", note=DATE_NOTE),
        Column("离校日期", "a_end_date", note=DATE_NOTE),
        *_CONTACT,
        Column("工号", "staff_number"),
    ),
    "学生和所在行政班",
)
GUARDIANS = Sheet(
    "家长",
    "person",
    (
        Column("人员编号", "sid", True, "一位家长一个编号，几个孩子写几行", example="P0001"),
        Column("姓名", "name", True, example="示例家长"),
        Column("性别", "sex", choices=SEXES, example="女"),
        Column("出生日期", "birth_date", note=DATE_NOTE),
        Column("身份证件号", "national_id", note="加密保存，可以不填"),
        Column("学生编号", "l_ward", note="孩子的人员编号", example="S0001"),
        Column("关系", "l_relation", note="父亲、母亲、祖父……", example="母亲"),
        Column("机构编号", "a_org", note="孩子所在学校；可以不填", example="XX-001"),
        _PRIMARY,
        Column("开始日期", "a_begin_date", note=DATE_NOTE),
        Column("结束日期", "a_end_date", note=DATE_NOTE),
        *_CONTACT,
        Column("工号", "staff_number"),
        Column("学籍号", "pupil_number"),
        Column("年级", "grade"),
    ),
    "家长和孩子的关系",
)
TEACHING = Sheet(
    "任课",
    "enrollment",
    (
        Column("班级编号", "org", True, example="XX-001-2026-01"),
        Column("人员编号", "person", True, example="T0001"),
        Column("角色", "role", True, choices=ENROLLMENT_ROLES, example="教师"),
        Column("主要", "is_primary", note="行政班的班主任填“是”；留空按“否”", choices=YES_NO),
        Column("开始日期", "begin_date", note=DATE_NOTE),
        Column("结束日期", "end_date", note=DATE_NOTE),
    ),
    "教师任课；学生除行政班以外的班",
)
SHEETS = (ORGS, SESSIONS, COURSES, CLASSES, STAFF, PUPILS, GUARDIANS, TEACHING)
NOTES_SHEET = "说明"
REQUIRED_SHEETS = ("机构",)
MAX_ROWS = 200_000
# The notes sheet says whether whoever is missing from the workbook has left, or was only left out.
EXTENT = "范围"
EXTENT_FULL = "全部名册"
EXTENT_PART = "只含新增和修改"
