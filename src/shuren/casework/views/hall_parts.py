"""What pages of the hall share: words, the limit on strangers' questions, and the page on which a small form is filled in."""

from collections.abc import Mapping
from datetime import datetime

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CaseState, Satisfaction
from shuren.casework.models import Case, Rating
from shuren.casework.rules.hall import Light
from shuren.casework.rules.ratings import GRADES, is_bad
from shuren.casework.selectors.outward import is_keeper
from shuren.casework.selectors.ratings import is_reader
from shuren.casework.selectors.window import is_clerk
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.pages.data import Status

AUDIENCES: Mapping[str, str | Promise] = {
    "citizen": gettext_lazy("社会公众"),
    "parent": gettext_lazy("家长"),
    "pupil": gettext_lazy("学生"),
    "teacher": gettext_lazy("教师"),
    "school": gettext_lazy("学校"),
    "institution": gettext_lazy("机构和企业"),
}
TOPICS: Mapping[str, str | Promise] = {
    "enrolment": gettext_lazy("入学"),
    "pupil": gettext_lazy("学籍、证明和资助"),
    "teacher": gettext_lazy("教师资格"),
    "school": gettext_lazy("办学审批"),
    "safety": gettext_lazy("安全"),
    "open": gettext_lazy("咨询、投诉和信息公开"),
    "other": gettext_lazy("其他"),
}
LEVELS: Mapping[str, str | Promise] = {
    "province": gettext_lazy("省级"),
    "city": gettext_lazy("市级"),
    "county": gettext_lazy("县级"),
    "school": gettext_lazy("学校"),
}
_STATES: Mapping[CaseState, tuple[str | Promise, str]] = {
    CaseState.DRAFT: (gettext_lazy("还没有提交"), "plain"),
    CaseState.RUNNING: (gettext_lazy("办理中"), "busy"),
    CaseState.RETURNED: (gettext_lazy("请补正"), "warn"),
    CaseState.CLOSED: (gettext_lazy("已办结"), "good"),
    CaseState.WITHDRAWN: (gettext_lazy("已撤回"), "plain"),
    CaseState.CANCELLED: (gettext_lazy("已取消"), "plain"),
}
_LIGHTS: Mapping[Light, tuple[str | Promise, str]] = {
    Light.GREEN: (gettext_lazy("在承诺时限内"), "good"),
    Light.YELLOW: (gettext_lazy("快到承诺时限"), "warn"),
    Light.RED: (gettext_lazy("超过承诺时限"), "bad"),
}
TRIES_PER_MINUTE = 10
TRIES_PER_NUMBER = 5


def state_status(state: CaseState) -> Status:
    text, tone = _STATES[state]
    return Status(text=str(text), tone=tone)


def light_status(light: Light | None) -> Status | None:
    if light is None:
        return None
    text, tone = _LIGHTS[light]
    return Status(text=str(text), tone=tone)


def grade_status(row: Rating) -> Status:
    grade = Satisfaction(row.satisfaction)
    return Status(text=str(GRADES[grade]), tone="bad" if is_bad(grade) else "good")


def rectified_status(row: Rating) -> Status:
    if row.excluded_at is not None:
        return Status(text=_("不计入统计"), tone="plain")
    if row.rectify_by is None:
        return Status(text="—", tone="plain")
    if row.called_back_at is not None:
        in_time = row.called_back_at <= row.rectify_by
        return Status(text=_("已整改并回访") if in_time else _("逾期整改"), tone="good" if in_time else "warn")
    is_late = row.rectify_by < clock.now()
    return Status(text=_("超过期限") if is_late else _("等待整改"), tone="bad" if is_late else "busy")


def case_url(case: Case) -> str:
    return reverse("casework:hall_case", args=[ids.encode("case", case.pk)])


def may_follow(request: HttpRequest, number: str) -> bool:
    """Whether the address may ask once more this minute, and anybody for this number this hour; counts the question.

    Four figures of a telephone number are soon guessed: so a number bears few wrong tries, from wherever they come.
    """
    now = clock.now().timestamp()
    address = request.META.get("REMOTE_ADDR", "")
    by_address = _count(f"casework.follow:{address}:{int(now // 60)}", 120)
    by_number = _count(f"casework.followed:{number.strip().upper()[:30]}:{int(now // 3600)}", 7200)
    return by_address <= TRIES_PER_MINUTE and by_number <= TRIES_PER_NUMBER


def forgive(number: str) -> None:
    """A good proof was given: the number's wrong tries of this hour do not count any more."""
    cache.delete(f"casework.followed:{number.strip().upper()[:30]}:{int(clock.now().timestamp() // 3600)}")


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    return int(cache.incr(key))


def trail(*steps: tuple[str, str]) -> list[dict[str, str]]:
    """The way here from the hall; the last step has no address."""
    return [{"label": _("办事大厅"), "url": reverse("casework:hall")}, *({"label": label, "url": url} for label, url in steps)]


def office_links(actor: Actor, *, now: datetime) -> list[dict[str, str]]:
    """What offices find in the hall, each line for whom it opens."""
    told = (
        (is_clerk, _("窗口代办"), "hall_window"),
        (is_clerk, _("学校录取"), "hall_admissions"),
        (is_clerk, _("办件证照"), "hall_certificates"),
        (is_reader, _("服务评价"), "hall_manage_ratings"),
        (is_keeper, _("政务平台对接"), "hall_outward"),
    )
    return [{"label": label, "url": reverse(f"casework:{page}")} for opens, label, page in told if opens(actor, now=now)]
