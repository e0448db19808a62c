"""Roles and levels in words, for whoever writes definitions and for whoever builds them on the page."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory.data import OrgType, Role

ROLE_WORDS: dict[Role, str | Promise] = {
    Role.CLASS_TEACHER: gettext_lazy("班主任"),
    Role.TEACHER: gettext_lazy("教师"),
    Role.STAFF: gettext_lazy("职员"),
    Role.HEAD: gettext_lazy("校长"),
    Role.SCHOOL_ADMIN: gettext_lazy("学校管理员"),
    Role.COUNTY_OFFICER: gettext_lazy("区县教育管理者"),
    Role.CITY_OFFICER: gettext_lazy("市教育管理者"),
    Role.PROVINCE_OFFICER: gettext_lazy("省教育管理者"),
    Role.EXPERT: gettext_lazy("专家"),
    Role.PARENT: gettext_lazy("家长"),
    Role.PUPIL: gettext_lazy("学生"),
}
LEVEL_WORDS: dict[OrgType, str | Promise] = {
    OrgType.PROVINCE: gettext_lazy("省"),
    OrgType.CITY: gettext_lazy("市"),
    OrgType.COUNTY: gettext_lazy("区县"),
    OrgType.AGENCY: gettext_lazy("直属单位"),
    OrgType.GROUP: gettext_lazy("教育集团"),
    OrgType.SCHOOL: gettext_lazy("学校"),
    OrgType.CAMPUS: gettext_lazy("校区"),
    OrgType.TEACHING_POINT: gettext_lazy("教学点"),
    OrgType.DEPARTMENT: gettext_lazy("部门"),
    OrgType.GRADE: gettext_lazy("年级"),
    OrgType.CLASS: gettext_lazy("班级"),
}


def office_words(code: Role | OrgType) -> str:
    """Its words with the code: 区县（county）."""
    words = ROLE_WORDS.get(code) if isinstance(code, Role) else LEVEL_WORDS[code]
    return _("%(words)s（%(code)s）") % {"words": words, "code": code.value} if words else code.value
