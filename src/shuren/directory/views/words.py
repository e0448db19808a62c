"""The directory's codes in words; Chinese says one and many alike, English does not."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shuren.directory.data import ConsentState, CountKind, OrgStatus, OrgType, Role, Sex
from shuren.directory.rules import duplicates
from shuren.directory.selectors.viewers import Path

ORG_TYPES = {
    OrgType.PROVINCE: _("省"),
    OrgType.CITY: _("市"),
    OrgType.COUNTY: _("区县"),
    OrgType.AGENCY: _("直属单位"),
    OrgType.GROUP: _("教育集团"),
    OrgType.SCHOOL: pgettext_lazy("one", "学校"),
    OrgType.CAMPUS: _("校区"),
    OrgType.TEACHING_POINT: _("教学点"),
    OrgType.DEPARTMENT: _("部门"),
    OrgType.GRADE: _("年级"),
    OrgType.CLASS: pgettext_lazy("one", "班级"),
}
ORG_STATUSES = {OrgStatus.ACTIVE: _("在办"), OrgStatus.CLOSED: _("已撤销"), OrgStatus.MERGED: _("已并入")}
WAITS = _("这个角色要由另一位有权授予的人在“授权”里确认，才会生效；七天内没有确认就作废。")
ROLES = {
    Role.PUPIL: pgettext_lazy("one", "学生"),
    Role.PARENT: _("家长"),
    Role.TEACHER: pgettext_lazy("one", "教师"),
    Role.CLASS_TEACHER: _("班主任"),
    Role.HEAD: _("校长"),
    Role.SCHOOL_ADMIN: _("学校管理员"),
    Role.STAFF: _("职工"),
    Role.COUNTY_OFFICER: _("区县管理员"),
    Role.CITY_OFFICER: _("市级管理员"),
    Role.PROVINCE_OFFICER: _("省级管理员"),
    Role.EXPERT: _("评审专家"),
    Role.VENDOR: _("应用服务商"),
    Role.SYSTEM_ADMIN: _("系统管理员"),
    Role.SECURITY_ADMIN: _("安全管理员"),
    Role.AUDIT_ADMIN: _("审计管理员"),
}
SEXES = {Sex.UNKNOWN: _("未知"), Sex.MALE: _("男"), Sex.FEMALE: _("女"), Sex.UNSTATED: _("未说明")}
# GB/T 4761, in the words a roster writes.
RELATIONS = {
    "父亲": _("父亲"),
    "母亲": _("母亲"),
    "祖父": _("祖父"),
    "祖母": _("祖母"),
    "外祖父": _("外祖父"),
    "外祖母": _("外祖母"),
    "兄长": _("兄长"),
    "姐姐": _("姐姐"),
    "其他亲属": _("其他亲属"),
    "其他监护人": _("其他监护人"),
}
COUNTS = {
    CountKind.SCHOOLS: _("学校"),
    CountKind.CLASSES: _("班级"),
    CountKind.PUPILS: _("学生"),
    CountKind.TEACHERS: _("教师"),
    CountKind.PARENTS: pgettext_lazy("many", "家长"),
}
PRIVATE = {
    "birth_date": _("出生日期"),
    "pupil_number": _("学籍号"),
    "staff_number": _("教职工号"),
    "phone": _("手机号"),
    "email": _("电子邮箱"),
    "national_id": _("身份证件号"),
    "number": _("人员编号"),
    "name": _("姓名"),
    "sex": _("性别"),
    "grade": _("年级"),
}
ORG_CHANGES = {
    "moved": _("移到新的上级之下"),
    "merged": _("并入别的机构"),
    "absorbed": _("并入了另一个机构"),
    "renamed": _("更名"),
    "corrected": _("更正信息"),
    "closed": _("已撤销"),
}
EVIDENCE = {
    duplicates.SAME_NATIONAL_ID: _("身份证件号相同"),
    duplicates.SAME_PUPIL_NUMBER: _("学籍号相同"),
    duplicates.SAME_NAME_BIRTH_SEX: _("姓名、出生日期、性别都相同"),
    duplicates.SAME_NAME: _("姓名相同"),
    duplicates.SAME_BIRTH_DATE: _("出生日期相同"),
    duplicates.SAME_PHONE: _("手机号相同"),
    duplicates.SAME_EMAIL: _("电子邮箱相同"),
    duplicates.OTHER_NATIONAL_ID: _("身份证件号不同"),
    duplicates.OTHER_BIRTH_DATE: _("出生日期不同"),
    duplicates.OTHER_SEX: _("性别不同"),
    duplicates.OTHER_NAME: _("姓名不同"),
}
PATHS = {
    Path.ROSTER: _("职务"),
    Path.CLASS: _("任课"),
    Path.GRANT: _("授权"),
    Path.FAMILY: _("监护关系"),
    Path.EMERGENCY: _("紧急查看"),
}
CONSENT_STATES = {
    ConsentState.GIVEN: (_("已同意"), "good"),
    ConsentState.REFUSED: (_("已拒绝"), "plain"),
    ConsentState.WITHDRAWN: (_("已撤回"), "plain"),
    ConsentState.WAITING: (_("等待决定"), "warn"),
    ConsentState.OUTDATED: (_("内容有变，请重新决定"), "warn"),
    ConsentState.UNASKED: (_("没有询问"), "plain"),
}
SECTIONS = {
    "affiliations": _("任职和就读"),
    "enrollments": _("班级"),
    "guardians": _("监护关系"),
    "former_numbers": _("曾用编号"),
    "consents": _("同意和拒绝"),
    "disclosures": _("提供给应用的信息"),
    "grants": _("授权"),
    "requests": _("更正和删除请求"),
    "emergencies": _("紧急查看"),
    "reads": _("谁看过、谁导出过"),
}
