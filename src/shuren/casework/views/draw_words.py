"""Words of draws: what state one is in, what each step of checking means."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draw_bundles import STEPS
from shuren.casework.selectors.draws import state_of
from shuren.pages.data import Status

STATES = {
    DrawState.PREPARING: (_("准备中，未公布"), "plain"),
    DrawState.COMMITTED: (_("已承诺，等第三方"), "busy"),
    DrawState.CONTRIBUTED: (_("第三方已提交，等抽取"), "busy"),
    DrawState.DRAWN: (_("已抽取并公开"), "good"),
    DrawState.PUBLISHED: (_("已公开，检查已下发"), "good"),
    DrawState.ABANDONED: (_("已作废"), "bad"),
}
# In the order of a draw, for the line of steps.
LINE = (
    (DrawState.PREPARING, _("取名单")),
    (DrawState.COMMITTED, _("公布承诺")),
    (DrawState.CONTRIBUTED, _("第三方提交")),
    (DrawState.DRAWN, _("抽取")),
    (DrawState.PUBLISHED, _("下发检查")),
)
_STEP_WORDS = {
    "protocol": _("文件写法是本规程的"),
    "pools": _("名单与承诺时公布的一致，次序没有变"),
    "pools_sm3": _("名单的 SM3 摘要一致"),
    "conflicts": _("回避关系符合公布的规则"),
    "statement": _("承诺书没有改动"),
    "parties": _("第三方不是操作人"),
    "times": _("第三方在承诺之后、截止之前提交"),
    "commitment": _("公布的密值就是当初承诺的"),
    "seed": _("种子由密值、第三方内容、名单摘要算出"),
    "result": _("按种子重新抽取，结果相同"),
    "record": _("承诺书和第三方内容已存证"),
}


def step_words() -> dict[str, str]:
    return {name: str(_STEP_WORDS[name]) for name in STEPS}


def draw_status(draw: Draw, now: datetime) -> Status:
    text, tone = STATES[state_of(draw, now=now)]
    return Status(text=str(text), tone=tone)


def line_of(draw: Draw) -> list[dict[str, object]]:
    """The steps of a draw, with what is done and where it stands."""
    order = [state for state, _words in LINE]
    place = order.index(DrawState(draw.state))
    shown = LINE if draw.definition_version_id else LINE[:-1]
    return [
        {"text": str(words), "is_done": number <= place, "is_current": number == place + 1}
        for number, (_state, words) in enumerate(shown)
    ]
