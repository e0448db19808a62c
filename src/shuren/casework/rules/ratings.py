"""好差评: who may rate until when, which grades are bad, and what of the counts may be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shuren.casework.data import CaseState, Satisfaction
from shuren.casework.rules.specs.words import Span

BAD = (Satisfaction.BAD, Satisfaction.VERY_BAD)
CONTENT = (Satisfaction.VERY_GOOD, Satisfaction.GOOD, Satisfaction.FAIR)
# A case may be rated so long after it ended.
RATED_WITHIN = timedelta(days=30)
# 差评 are put right and the rater is told within fifteen working days (政务服务“好差评”制度).
RECTIFIED_WITHIN = Span(working_days=15)
# Of fewer ratings than these nothing is told: one could guess who said what.
FEWEST = 5

GRADES: Mapping[Satisfaction, str | Promise] = {
    Satisfaction.VERY_GOOD: _("非常满意"),
    Satisfaction.GOOD: _("满意"),
    Satisfaction.FAIR: _("基本满意"),
    Satisfaction.BAD: _("不满意"),
    Satisfaction.VERY_BAD: _("非常不满意"),
}

REASONS: Mapping[str, str | Promise] = {
    "late": _("超过承诺时限"),
    "repeat": _("重复要材料"),
    "unclear": _("没有一次说清楚"),
    "manner": _("态度不好"),
    "visits": _("让我跑了几趟"),
    "system": _("网页不好用"),
    "fee": _("收了不该收的钱"),
    "result": _("结果没有说明理由"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Ratings counted: all, those that are content, the bad ones, the bad ones due by now, and those put right in time."""

    count: int = 0
    content: int = 0
    bad: int = 0
    due: int = 0
    in_time: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.count + other.count,
            self.content + other.content,
            self.bad + other.bad,
            self.due + other.due,
            self.in_time + other.in_time,
        )

    @property
    def is_suppressed(self) -> bool:
        return 0 < self.count < FEWEST

    @property
    def percent_content(self) -> float | None:
        """Share of raters who are content, in per cent; None where nobody rated or too few did."""
        return 100 * self.content / self.count if self.count >= FEWEST else None

    @property
    def percent_in_time(self) -> float | None:
        """Share of the bad ratings due by now that were put right in time, in per cent; None where there is none to tell."""
        return 100 * self.in_time / self.due if self.due and self.count >= FEWEST else None


def is_bad(grade: Satisfaction) -> bool:
    return grade in BAD


def may_rate(*, state: CaseState, closed_at: datetime | None, is_offered: bool, has_rating: bool, now: datetime) -> bool:
    """Whether a case may be rated now: it came to an end, its item is rated, nobody did yet, and not too long ago."""
    if state is not CaseState.CLOSED or closed_at is None or not is_offered or has_rating:
        return False
    return now - closed_at <= RATED_WITHIN


def is_in_time(*, called_back_at: datetime | None, rectify_by: datetime) -> bool:
    """Whether a bad rating was put right and its rater called back by the time set."""
    return called_back_at is not None and called_back_at <= rectify_by
