"""The words of collections on their pages: states, channels, types and roles."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CollectionState, TargetState
from shuren.directory.data import OrgType, Role
from shuren.messaging.data import Channel
from shuren.pages.data import Choice, Status

TARGET_WORDS: dict[TargetState, tuple[str | Promise, str]] = {
    TargetState.MISSING: (gettext_lazy("未填报"), "plain"),
    TargetState.DRAFT: (gettext_lazy("填写中"), "busy"),
    TargetState.SUBMITTED: (gettext_lazy("待审核"), "busy"),
    TargetState.RETURNED: (gettext_lazy("退回更正"), "warn"),
    TargetState.ACCEPTED: (gettext_lazy("已通过"), "good"),
    TargetState.EXEMPT: (gettext_lazy("免报"), "plain"),
}
COLLECTION_WORDS: dict[CollectionState, tuple[str | Promise, str]] = {
    CollectionState.ISSUING: (gettext_lazy("正在下发"), "busy"),
    CollectionState.OPEN: (gettext_lazy("填报中"), "busy"),
    CollectionState.FREEZING: (gettext_lazy("正在冻结"), "busy"),
    CollectionState.FROZEN: (gettext_lazy("已冻结"), "good"),
    CollectionState.CANCELLED: (gettext_lazy("已取消"), "plain"),
}
CHANNEL_WORDS: dict[Channel, str | Promise] = {
    Channel.SMS: gettext_lazy("短信"),
    Channel.EMAIL: gettext_lazy("电子邮件"),
    Channel.DINGTALK: gettext_lazy("钉钉"),
    Channel.WECOM: gettext_lazy("企业微信"),
}
TYPE_WORDS: dict[OrgType, str | Promise] = {
    OrgType.SCHOOL: gettext_lazy("学校"),
    OrgType.CAMPUS: gettext_lazy("校区"),
    OrgType.TEACHING_POINT: gettext_lazy("教学点"),
    OrgType.GROUP: gettext_lazy("教育集团"),
    OrgType.COUNTY: gettext_lazy("区县教育局"),
    OrgType.CITY: gettext_lazy("市教育局"),
    OrgType.AGENCY: gettext_lazy("直属单位"),
}
ROLE_WORDS: dict[Role, str | Promise] = {
    Role.SCHOOL_ADMIN: gettext_lazy("学校管理员"),
    Role.HEAD: gettext_lazy("校长"),
    Role.STAFF: gettext_lazy("职员"),
    Role.TEACHER: gettext_lazy("教师"),
    Role.COUNTY_OFFICER: gettext_lazy("区县教育管理者"),
    Role.CITY_OFFICER: gettext_lazy("市教育管理者"),
}


def target_status(state: str) -> Status:
    text, tone = TARGET_WORDS[TargetState(state)]
    return Status(text=str(text), tone=tone)


def collection_status(state: str) -> Status:
    text, tone = COLLECTION_WORDS[CollectionState(state)]
    return Status(text=str(text), tone=tone)


def target_choices() -> tuple[Choice, ...]:
    """The states of orgs that a list may be narrowed to, the lists of late and missing among them."""
    states = tuple(Choice(value=state.value, label=str(words[0])) for state, words in TARGET_WORDS.items())
    return (Choice(value="late", label=_("逾期未报")), Choice(value="late_in", label=_("逾期才报")), *states)
